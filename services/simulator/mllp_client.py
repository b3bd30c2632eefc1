"""HL7 v2 over MLLP (HL7 Minimal Lower Layer Protocol, release 1): 0x0B, the message, 0x1C 0x0D; the answer framed alike.

The answer may come in any number of pieces, a byte at a time; every wait has an end, and an answer its largest size.
"""

import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from simulator.hl7_file import END, START, answers_wanted, messages_in

TIMEOUT_S: Final = 10.0
# How long to listen after a message that asks for no acknowledgement.
_QUIET_S: Final = 0.3
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
    # Of every ERR segment, in their order; also of the warnings of a message that was taken.
    rule: str = ""


class MllpClient:
    """One connection; a context manager. Not to be shared between threads."""

    def __init__(self, host: str, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
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
        return self._within(lambda: self._socket.sendall(START + message + END))

    def next_answer(self) -> Acknowledgement:
        """A further acknowledgement of the last message: the application's, after the one of its acceptance. MllpFailed."""
        return self._within(lambda: None)

    def _within(self, begin: Callable[[], None]) -> Acknowledgement:
        until = time.monotonic() + self.timeout_s
        try:
            self._socket.settimeout(self.timeout_s)
            begin()
            return acknowledgement(self._answer(until))
        except TimeoutError:
            raise MllpFailed(f"no whole acknowledgement within {self.timeout_s:g} s") from None
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
    errors = [line.split(separator) for line in lines if line.startswith("ERR")]
    err = errors[0] if errors else []
    rules = [one[8] for one in errors if len(one) > 8 and one[8]]
    return Acknowledgement(
        code=msa[1],
        message_control_id=msa[2] if len(msa) > 2 else "",
        error_code=err[3].partition("^")[0] if len(err) > 3 else "",
        rule="; ".join(rules) or (msa[3] if len(msa) > 3 else ""),
    )


def send_hl7(host: str, port: int, file: Path, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Sends every message of a file: {sent, taken, refused, unanswered, messages, code, message_control_id, error_code, rule, seconds}.

    `messages` has one entry a message; the other answers are those of the first message that was not taken, else of the last.
    `unanswered` counts messages that ask for no acknowledgement or got none; the rule of each says why.
    """
    began = time.monotonic()
    link = _Sender(host, port, timeout_s)
    found = [link.send(message) for message in messages_in(file.read_bytes())]
    link.close()
    if not found:
        found = [Acknowledgement("", "", rule="the file holds no message")]
    taken = [one for one in found if one.code in ACCEPTED]
    refused = [one for one in found if one.code and one.code not in ACCEPTED]
    told = next((one for one in found if one.code not in ACCEPTED), found[-1])
    return {
        **asdict(told),
        "sent": len(found),
        "taken": len(taken),
        "refused": len(refused),
        "unanswered": len(found) - len(taken) - len(refused),
        "messages": [asdict(one) for one in found],
        "seconds": round(time.monotonic() - began, 4),
    }


class _Sender:
    """A connection that is made again when it is lost, so that one bad message does not stop those behind it."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._client: MllpClient | None = None

    def send(self, message: bytes) -> Acknowledgement:
        """The last acknowledgement of a message; one without a code where there is none."""
        wanted = answers_wanted(message)
        timeout_s = self._timeout_s if wanted else min(self._timeout_s, _QUIET_S)
        try:
            if self._client is None:
                self._client = MllpClient(self._host, self._port, self._timeout_s)
            self._client.timeout_s = timeout_s
            answers = [self._client.send(message)]
            for _ in range((wanted or 1) - 1):
                answers.append(self._client.next_answer())
        except MllpFailed as failed:
            self.close()
            rule = str(failed)
            if wanted == 0 and rule.startswith("no whole"):
                rule = "the message asks for no acknowledgement, or has no readable MSH-10"
            return Acknowledgement("", "", rule=rule)
        return next((one for one in answers if one.code not in ACCEPTED), answers[-1])

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None
