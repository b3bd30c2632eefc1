"""A decoded HL7 v2 message as segments and fields. Delimiters are those of MSH-1 and MSH-2."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device_telemetry.domain.hl7_header import Hl7Error

_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}")
_ESCAPE: Final = {"F": 0, "S": 1, "R": 2, "E": 3, "T": 4}
# Pumps have been seen that do not end MSH before PID: "...^ISOPID|||".
_JOINED: Final = re.compile(r"PID\|[^|\r]*\|[^|\r]*\|")


@dataclass(frozen=True)
class Delimiters:
    """Field, component, repetition, escape and sub-component characters."""

    characters: str

    @property
    def field(self) -> str:
        """MSH-1."""
        return self.characters[0]


@dataclass(frozen=True)
class Segment:
    """One segment; `field(5)` is its fifth field as text."""

    name: str
    fields: tuple[str, ...]
    delimiters: Delimiters

    def field(self, number: int) -> str:
        """The field as it was written, "" where it is absent."""
        return self.fields[number] if number < len(self.fields) else ""

    def repetitions(self, number: int) -> tuple[str, ...]:
        """The field's repetitions as they were written."""
        return tuple(self.field(number).split(self.delimiters.characters[2]))

    def components(self, number: int) -> tuple[str, ...]:
        """The components of the field's first repetition, escapes taken out."""
        return self.parts(self.repetitions(number)[0])

    def parts(self, repetition: str) -> tuple[str, ...]:
        """The components of one repetition, escapes taken out."""
        return tuple(self._plain(part) for part in repetition.split(self.delimiters.characters[1]))

    def _plain(self, text: str) -> str:
        escape = self.delimiters.characters[3]
        if escape not in text:
            return text
        pattern = f"{re.escape(escape)}([FSRET]){re.escape(escape)}"
        return re.sub(pattern, lambda found: self.delimiters.characters[_ESCAPE[found[1]]], text)


def segments_of(text: str) -> tuple[Segment, ...]:
    """The segments of decoded text that begins with MSH, ends of segments as CR. Hl7Error where it cannot be cut into segments."""
    encoding = text.split(text[3], 2)[1] if len(text) > 8 else ""
    # HL7 v2.7 has a fifth encoding character, for truncation; some senders leave out the last ones.
    encoding = (encoding + "^~\\&"[len(encoding) :])[:4]
    delimiters = Delimiters(text[3:4] + encoding)
    if len(set(delimiters.characters)) != 5 or any(sign.isalnum() or sign.isspace() for sign in delimiters.characters):
        raise Hl7Error("MSH-2", "102", "must name four different encoding characters, none the field separator")
    return tuple(_segments(_parted(text, delimiters), delimiters))


def _segments(text: str, delimiters: Delimiters) -> Iterator[Segment]:
    for line in text.split("\r"):
        fields = line.split(delimiters.field)
        name = fields[0]
        if not name and len(fields) == 1:
            continue
        if not _NAME.fullmatch(name):
            raise Hl7Error("MSH", "100", "each segment must begin with its name of three characters")
        # MSH-1 is the separator itself, so that MSH-2 is found at 2.
        yield Segment(name, (name, delimiters.field, *fields[1:]) if name == "MSH" else tuple(fields), delimiters)


def _parted(text: str, delimiters: Delimiters) -> str:
    """The text with PID on a line of its own, where its sender left it on that of MSH."""
    header, _, rest = text.partition("\r")
    if delimiters.field != "|" or rest.startswith("PID") or "\rPID|" in rest:
        return text
    found = _JOINED.search(header)
    if found is None or header[: found.start()].count("|") < 11:
        return text
    return f"{header[: found.start()]}\r{header[found.start() :]}\r{rest}"
