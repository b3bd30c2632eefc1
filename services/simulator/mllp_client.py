"""HL7 v2 over MLLP (HL7 Minimal Lower Layer Protocol, release 1): 0x0B, the message, 0x1C 0x0D; the answer framed alike.

The answer may come in any number of pieces, a byte at a time; every wait has an end, and an answer its largest size.
"""

import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

START: Final = b"\x0b"
END: Final = b"\x1c\x0d"
TIMEOUT_S: Final = 10.0
_LARGEST_ANSWER: Final = 64 * 1024
ACCEPTED: Final = frozenset({"AA", "CA"})


class MllpFailed(Exception):
    """No connection, no whole answer in time, or one that is too long. The message names the rule."""


@dataclass(frozen=True)
class Acknowledgement:
    """MSA-1 and MSA-2 of the answer, and what ERR says: HL7 error code and user message."""

    code: str
    message_control_id: str
    error_code: str = ""
    rule: str = ""


class MllpClient:
    """One connection; a context manager. Not to be shared between threads."""

    def __init__(self, host: str, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._rest = b""
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as error:
            raise MllpFailed(f"no connection: {error.strerror or type(error).__name__}") from None

    def __enter__(self) -> "MllpClient":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def send(self, message: bytes) -> Acknowledgement:
        """Sends a message as it is and reads its acknowledgement. MllpFailed."""
        until = time.monotonic() + self._timeout_s
        try:
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(START + message + END)
            return acknowledgement(self._answer(until))
        except TimeoutError:
            raise MllpFailed(f"no whole acknowledgement within {self._timeout_s:g} s") from None
        except OSError as error:
            raise MllpFailed(f"the connection was lost: {error.strerror or type(error).__name__}") from None

    def _answer(self, until: float) -> bytes:
        while END not in self._rest:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            piece = self._socket.recv(4096)
            if not piece:
                raise MllpFailed("the connection was ended before the acknowledgement was whole")
            self._rest += piece
            if len(self._rest) > _LARGEST_ANSWER:
                raise MllpFailed(f"an acknowledgement must have at most {_LARGEST_ANSWER} bytes")
        answer, _, self._rest = self._rest.partition(END)
        return answer.lstrip(START)


def acknowledgement(answer: bytes) -> Acknowledgement:
    """Reads MSH, MSA and ERR. MllpFailed when there is no MSA."""
    lines = answer.decode("utf-8", errors="replace").replace("\n", "\r").split("\r")
    separator = lines[0][3:4] if lines[0].startswith("MSH") else "|"
    segments = {line[:3]: line.split(separator) for line in reversed(lines) if line}
    msa = segments.get("MSA")
    if msa is None or len(msa) < 2 or not msa[1]:
        raise MllpFailed("an acknowledgement must hold MSA-1")
    err = segments.get("ERR", [])
    return Acknowledgement(
        code=msa[1],
        message_control_id=msa[2] if len(msa) > 2 else "",
        error_code=err[3].partition("^")[0] if len(err) > 3 else "",
        rule=(err[8] if len(err) > 8 else "") or (msa[3] if len(msa) > 3 else ""),
    )


def send_hl7(host: str, port: int, file: Path, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Sends a file byte for byte, taken out of its frame if it has one: {code, message_control_id, error_code, rule, seconds}.

    `code` is empty when there was no acknowledgement; `rule` then says why.
    """
    message, began = file.read_bytes(), time.monotonic()
    if message.startswith(START):
        message = message[1:].removesuffix(END)
    try:
        with MllpClient(host, port, timeout_s) as client:
            found = client.send(message)
    except MllpFailed as failed:
        found = Acknowledgement("", "", rule=str(failed))
    return {**asdict(found), "seconds": round(time.monotonic() - began, 4)}
