"""Minimal Lower Layer Protocol: one HL7 message between 0x0B and 0x1C 0x0D, arriving in whatever pieces the network makes."""

from dataclasses import dataclass
from typing import Final

START: Final = 0x0B
END: Final = b"\x1c\x0d"
# What stands between two frames without meaning anything.
_BLANK: Final = b"\r\n \t"


@dataclass(frozen=True)
class Framed:
    """A whole message, without its frame."""

    content: bytes


@dataclass(frozen=True)
class Torn:
    """Bytes that are no whole message, and the rule that they break."""

    content: bytes
    rule: str
    # True where the frame was whole but longer than may be: its sender waits for an answer.
    too_long: bool = False


def wrap(content: bytes) -> bytes:
    """The message in its frame."""
    return bytes((START,)) + content + END


class Deframer:
    """Finds messages in a stream of bytes; at most `max_bytes` are held. Not for several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._inside = False
        self._dropping = False

    @property
    def inside(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._inside

    def feed(self, received: bytes) -> list[Framed | Torn]:
        """What became whole, or turned out torn, with these bytes; in their order."""
        found: list[Framed | Torn] = []
        rest = received
        while rest:
            rest = self._inner(rest, found) if self._inside else self._outer(rest, found)
        return found

    def end(self, rule: str = "frame: must end with 0x1C 0x0D") -> Torn | None:
        """The connection ended, or waited too long: what is left of a message that never became whole."""
        left = bytes(self._buffer)
        torn = Torn(left, rule) if self._inside and not self._dropping else None
        self._buffer.clear()
        self._inside = self._dropping = False
        return torn

    def _outer(self, received: bytes, found: list[Framed | Torn]) -> bytes:
        """Outside a frame: everything before the next start is stray."""
        stray, start, rest = received.partition(bytes((START,)))
        if stray.strip(_BLANK):
            found.append(Torn(stray[: self._max_bytes], "frame: must begin with 0x0B"))
        self._inside = bool(start)
        return rest

    def _inner(self, received: bytes, found: list[Framed | Torn]) -> bytes:
        """Inside a frame: up to its end, a new start, or more bytes than may be."""
        self._buffer += received
        end = self._buffer.find(END)
        again = self._buffer.find(START)
        if again >= 0 and (end < 0 or again < end):
            rest = bytes(self._buffer[again + 1 :])
            self._torn(found, again, "frame: must end before the next begins")
            self._inside = True
            return rest
        if end >= 0:
            content, rest = bytes(self._buffer[:end]), bytes(self._buffer[end + len(END) :])
            if len(content) > self._max_bytes:
                self._torn(found, end, self._too_long)
            else:
                if not self._dropping:
                    found.append(Framed(content))
                self._buffer.clear()
                self._inside = self._dropping = False
            return rest
        if len(self._buffer) > self._max_bytes:
            self._torn(found, len(self._buffer), self._too_long)
            # Its end is still to come, and is passed over.
            self._inside = self._dropping = True
        return b""

    @property
    def _too_long(self) -> str:
        return f"frame: must hold at most {self._max_bytes} bytes"

    def _torn(self, found: list[Framed | Torn], length: int, rule: str) -> None:
        if not self._dropping:
            kept = bytes(self._buffer[: min(length, self._max_bytes)])
            found.append(Torn(kept, rule, too_long=rule == self._too_long))
        self._buffer.clear()
        self._inside = self._dropping = False
