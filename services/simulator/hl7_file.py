"""HL7 v2 messages in a file, however they were saved: framed or not, one or several, any end of line, in a batch or alone."""

import re
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c\x0d"
# Headers and trailers of files and batches (HL7 v2, chapter 2) are no messages.
_AROUND: Final = re.compile(rb"(?:\A|(?<=[\r\n]))(?:FHS|BHS|BTS|FTS)[^\r\n]*[\r\n]*")
_BEGINS: Final = re.compile(rb"(?:\A|(?<=[\r\n]))(?=MSH)")
_MARK: Final = b"\xef\xbb\xbf"


def messages_in(content: bytes) -> list[bytes]:
    """The messages in their order, each as it was written. What stands before the first is one of its own: nothing is lost."""
    if START in content:
        return _framed(content)
    return [part for part in _BEGINS.split(_AROUND.sub(b"", content.removeprefix(_MARK))) if part.strip()]


def answers_wanted(message: bytes) -> int | None:
    """How many acknowledgements a receiver owes: 0 to 2, None where a success and an error differ. 0 without a readable MSH-10."""
    header = re.split(rb"[\r\n]", message.removeprefix(_MARK), maxsplit=1)[0]
    fields = header.split(header[3:4]) if header.startswith(b"MSH") and len(header) > 8 else []
    fields += [b""] * (17 - len(fields))
    if not re.fullmatch(rb"[\x20-\x7e]{1,199}", fields[9]):
        return 0
    accept, application = fields[14].strip().upper(), fields[15].strip().upper()
    if not accept:
        return 1
    if {accept, application} & {b"ER", b"SU"}:
        return None
    return (accept != b"NE") + (application == b"AL")


def _framed(content: bytes) -> list[bytes]:
    """Each piece between START and END; a piece whose end is missing ends where the next begins."""
    found: list[bytes] = []
    before, *pieces = content.split(START)
    if before.strip():
        found.append(before)
    for piece in pieces:
        inside, _, after = piece.partition(END)
        # A file may have lost the CR behind the last 0x1C.
        found.append(inside.removesuffix(b"\x1c"))
        if after.strip():
            found.append(after)
    return found
