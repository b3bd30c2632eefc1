"""The first segment of an HL7 v2 message, read from bytes: what an acknowledgement needs before the text can be decoded."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

# HL7 table 0211 -> Python codec. Empty means ASCII.
_CODECS: Final = {
    "": "ascii",
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}
_MOMENT: Final = re.compile(
    r"(?P<date>\d{8})(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?(?P<fraction>\.\d{1,4})?(?P<zone>[+-]\d{4})?"
)
_CONTROL: Final = re.compile(r"[\x20-\x7e]{1,199}")


class Hl7Error(Exception):
    """A message that cannot be taken: where, the code of HL7 table 0357, the rule. `reject` for what we do not do at all."""

    def __init__(self, location: str, code: str, rule: str, *, reject: bool = False) -> None:
        super().__init__(f"{location}: {rule}")
        self.location, self.code, self.rule, self.reject = location, code, rule, reject


@dataclass(frozen=True)
class Header:
    """MSH as text of single bytes; `field(10)` is MSH-10."""

    fields: tuple[str, ...]

    def field(self, number: int) -> str:
        """MSH-`number`, "" where it is absent; MSH-1 is the separator itself."""
        index = number - 1
        return self.fields[index] if 0 < index < len(self.fields) else ""

    @property
    def component_separator(self) -> str:
        """The first character of MSH-2."""
        return self.field(2)[:1] or "^"

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.field(10)


def read_header(content: bytes) -> Header | None:
    """The header, or None where there is no MSH with a readable MSH-10: such a message gets no acknowledgement."""
    if len(content) < 8 or not content.startswith(b"MSH"):
        return None
    first = re.split(rb"[\r\n]", content, maxsplit=1)[0].decode("latin-1")
    if len(first) < 8:
        return None
    header = Header(tuple(first.split(first[3])))
    return header if _CONTROL.fullmatch(header.control_id) else None


def codec_of(header: Header) -> str:
    """The Python codec of MSH-18. Hl7Error for a character set that is not known here."""
    repetition = header.field(2)[1:2] or "~"
    first = header.field(18).split(repetition)[0].strip()
    codec = _CODECS.get(first.upper())
    if codec is None:
        raise Hl7Error("MSH-18", "103", "must be ASCII, UNICODE UTF-8 or 8859/1 to 8859/15")
    return codec


def decode(content: bytes, header: Header) -> str:
    """The text, with one CR at the end of each segment (some senders write LF, or both). Hl7Error (MSH-18) where it is no such text."""
    try:
        text = content.decode(codec_of(header))
    except UnicodeDecodeError:
        raise Hl7Error("MSH-18", "102", "the text must be written in the character set that it names") from None
    return "\r".join(segment for segment in re.split(r"[\r\n]+", text) if segment)


def moment_of(text: str, assumed_offset: timedelta | None) -> tuple[datetime, bool] | None:
    """Time in UTC, and whether its zone was assumed. None where there is no time to the minute, or no zone to assume."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    zone = match["zone"]
    if zone is None and assumed_offset is None:
        return None
    try:
        # The offset follows below.
        at = datetime.strptime(  # noqa: DTZ007
            f"{match['date']}{match['hour']}{match['minute']}{match['second'] or '00'}", "%Y%m%d%H%M%S"
        )
        at = at.replace(microsecond=int((match["fraction"] or ".0")[1:].ljust(6, "0")))
        offset = offset_of(text) if zone is not None else assumed_offset
        return at.replace(tzinfo=timezone(offset or timedelta(0))).astimezone(UTC), zone is None
    except (ValueError, OverflowError):
        return None


def offset_of(text: str) -> timedelta | None:
    """The offset that a time is written with."""
    match = _MOMENT.fullmatch(text)
    if match is None or match["zone"] is None:
        return None
    zone = match["zone"]
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    return timedelta(minutes=-minutes if zone[0] == "-" else minutes)
