"""A device's MLLP connection that is made again when it is lost: the same message goes out until it is acknowledged."""

import time
from typing import Any, Final

from simulator.calls import Calls, GaveUp
from simulator.mllp_client import ACCEPTED, MllpClient, MllpFailed
from simulator.unexpected import Unexpected

_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0
# What a receiver answers that could not keep the message: an error of its own, not a refusal (HL7 v2 table 0008).
_TRY_AGAIN: Final = frozenset({"AE", "CE"})


class MllpLink:
    """A context manager; not to be shared between threads."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._client: MllpClient | None = None
        self.messages = 0

    def __enter__(self) -> "MllpLink":
        return self

    def __exit__(self, *_: Any) -> None:
        self._drop()

    def send(self, message: bytes) -> None:
        """Returns once the message is acknowledged. Unexpected for a refusal, GaveUp when nobody answers for too long."""
        began, pause_s = time.monotonic(), _FIRST_PAUSE_S
        while True:
            sent = time.monotonic()
            code = self._try(message)
            if code in ACCEPTED:
                self._calls.measured.call("MLLP ORU^R01", time.monotonic() - sent)
                self.messages += 1
                return
            if code and code not in _TRY_AGAIN:
                raise Unexpected(f"MLLP: a message of this form must be accepted, not answered {code}")
            if time.monotonic() - began > self._calls.patience_s:
                raise GaveUp(f"MLLP: no acknowledgement for {time.monotonic() - began:.0f} s")
            self._calls.measured.again()
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _try(self, message: bytes) -> str:
        """MSA-1; empty when there was no answer."""
        try:
            if self._client is None:
                host, _, port = self._calls.addresses.of("device_mllp").rpartition(":")
                self._client = MllpClient(host, int(port))
            return self._client.send(message).code
        except (MllpFailed, LookupError):
            self._drop()
            return ""

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
