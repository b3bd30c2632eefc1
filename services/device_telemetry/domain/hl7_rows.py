"""OBX segments as the containment tree of IHE PCD (volume 2, B.8): MDS.VMD.CHANNEL.METRIC in OBX-4, unique within an OBR.

A row inherits from those above it: its time (OBX-14, else that of its channel, VMD, MDS, else OBR-7) and its equipment (OBX-18, PRT-10
or the system id, nearest first). A time without a zone takes the offset of MSH-7 and is marked as assumed; never the server's.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from device_telemetry.domain import mdc_terms
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_header import Header, Hl7Error, moment_of, offset_of
from device_telemetry.domain.hl7_message import Segment
from device_telemetry.domain.mdc_units import LARGEST, Quantity, in_house_unit

# House policy on unusable values.
_UNUSABLE_FLAGS: Final = frozenset({"INV", "NAV", "BUSY", "CAL", "TEST", "DEMO"})
_WITH_VALUE: Final = frozenset({"R", "F", "P", "C"})
# West of every zone there is: what a message without an offset may at most mean.
_LATEST_ZONE: Final = timedelta(hours=12)


@dataclass(frozen=True)
class Sent:
    """When a message was sent and what follows from that; `latest` is the last moment at which it may have measured."""

    at: datetime
    latest: datetime
    offset: timedelta | None
    production: bool


def sent_of(header: Header, tolerance: timedelta) -> Sent:
    """From MSH-7 and MSH-11. Hl7Error where MSH-7 is no time."""
    offset = offset_of(header.field(7))
    sent = moment_of(header.field(7), timedelta(0))
    if sent is None:
        raise Hl7Error("MSH-7", "102", "must be a time to the minute")
    try:
        latest = sent[0] + tolerance + (_LATEST_ZONE if offset is None else timedelta(0))
    except OverflowError:
        raise Hl7Error("MSH-7", "102", "must be a time to the minute") from None
    return Sent(sent[0], latest, offset, header.field(11).split("^")[0].strip() == "P")


@dataclass(frozen=True)
class Moment:
    """When something was measured: milliseconds since 1970, whether its zone was assumed, whether it lies in the future of its message."""

    at_ms: int
    zone_assumed: bool
    in_future: bool


@dataclass
class Row:
    """One OBX. `number` counts the OBX of the message from 1; `code` is its term, 0 where it has none that is known."""

    number: int
    segment: Segment
    group: "Group"
    code: int = 0
    contradicts: bool = False
    equipment_beside: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """OBX-4."""
        return self.segment.field(4).strip()

    @property
    def name(self) -> str:
        """The REFID of OBX-3."""
        return next((part for part in self.segment.components(3) if part.startswith("MDC")), "")

    @property
    def text(self) -> str:
        """OBX-5 as text: the component that says most, so that "^pump-status-infusing" and "pump-status-infusing" are the same."""
        return next((part.strip() for part in self.segment.components(5) if part.strip()), "")

    @property
    def flagged_unusable(self) -> bool:
        """OBX-11 without a value, or OBX-8 INV, NAV, BUSY, CAL, TEST or DEMO."""
        flags = {part.strip().upper() for again in self.segment.repetitions(8) for part in self.segment.parts(again)}
        return self.segment.field(11).strip() not in _WITH_VALUE or bool(flags & _UNUSABLE_FLAGS)

    def number_value(self) -> Decimal | None:
        """OBX-5 as a number. None where it is none that can be kept."""
        try:
            value = Decimal(self.segment.field(5).strip())
        except InvalidOperation:
            return None
        return value if value.is_finite() and abs(value) < LARGEST else None

    def amount(self, quantity: Quantity) -> Decimal | None:
        """OBX-5 in the unit of the house; None where value or unit do not allow it."""
        value = self.number_value()
        return None if value is None else in_house_unit(value, self.segment.components(6), quantity)

    def above(self) -> list["Row"]:
        """The rows of channel, VMD and MDS that stand over this one, nearest first."""
        rows = self.group.by_place
        return [rows[place] for place in above(self.place) if place in rows and rows[place] is not self]

    def moment(self, sent: Sent) -> Moment | None:
        """When this row was measured. None where there is no such time, or no zone and none to assume."""
        times = [row.segment.field(14).strip() for row in (self, *self.above())]
        stamp = next((text for text in (*times, self.group.at.strip()) if text), "")
        found = moment_of(stamp, sent.offset)
        if found is None:
            return None
        return Moment(milliseconds(found[0]), found[1], found[0] > sent.latest)

    def equipment(self) -> tuple[str, ...]:
        """Ids that may name the equipment, nearest first."""
        found: list[str] = []
        for row in (self, *self.above()):
            for again in row.segment.repetitions(18):
                parts = [part.strip() for part in row.segment.parts(again)]
                # Entity id, then its universal id.
                found += [*parts[:1], *parts[2:3]]
            found += row.equipment_beside
        return tuple(dict.fromkeys(text for text in found if text))


@dataclass
class Group:
    """The rows of one OBR. `at` is OBR-7."""

    at: str
    rows: list[Row] = field(default_factory=list)
    by_place: dict[str, Row] = field(default_factory=dict)


def groups_of(segments: Sequence[Segment]) -> tuple[Group, ...]:
    """The OBRs of a message with their rows. Rows before the first OBR form a group without a time."""
    groups = [Group("")]
    number = 0
    for segment in segments:
        if segment.name == "OBR":
            groups.append(Group(segment.field(7)))
        elif segment.name == "OBX":
            number += 1
            row = Row(number, segment, groups[-1])
            try:
                row.code = mdc_terms.code_of(segment.components(3))
            except mdc_terms.Contradiction:
                row.contradicts = True
            groups[-1].rows.append(row)
            groups[-1].by_place.setdefault(row.place, row)
        elif segment.name == "PRT" and groups[-1].rows:
            groups[-1].rows[-1].equipment_beside += [part.strip() for part in segment.components(10)[0:3:2]]
    for group in groups:
        _give_system_ids(group)
    return tuple(group for group in groups if group.rows)


def doubled_places(group: Group) -> list[Finding]:
    """OBX-4 must be unique within an OBR (IHE PCD, volume 2, B.8): a finding for each row whose place is not."""
    places = Counter(row.place for row in group.rows)
    return [
        Finding("OBX-4", "205", "must be unique within its OBR", row.number)
        for row in group.rows
        if places[row.place] > 1
    ]


def above(place: str) -> list[str]:
    """The places over a metric "1.2.3.4": "1.2.3.0", "1.2.0.0", "1.0.0.0"; a fifth part (a facet) is under its metric."""
    parts = place.split(".")
    length = max(len(parts), 4)
    found = [".".join(parts[:kept] + ["0"] * (min(length, 4) - kept)) for kept in range(min(len(parts), 4), 0, -1)]
    return [candidate for candidate in dict.fromkeys(found) if candidate != place]


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970 of an aware time."""
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def _give_system_ids(group: Group) -> None:
    """A row of MDC_ATTR_SYS_ID names the equipment of the device that it stands under: the pump, where OBX-18 names its gateway."""
    for row in group.rows:
        if row.code == mdc_terms.SYSTEM_ID:
            for owner in (*row.above()[:1], row):
                owner.equipment_beside.insert(0, row.text)
