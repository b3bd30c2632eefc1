"""IHE PCD-01 (ORU^R01): which rows of a message become samples, of which equipment, when, and how usable.

House policy on unusable values: OBX-11 X (or deleted), OBX-8 INV, NAV, BUSY, CAL, TEST or DEMO, a message that is not for production, a
value of 0 or none, and a time more than the tolerance after the message's own: none of them is fresh, raises or clears an alarm. A row
whose unit, place or term cannot be read is refused by field and rule; the other rows of the message are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from device_telemetry.domain import codes
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_rows import Group, Row, Sent, doubled_places
from device_telemetry.domain.mdc_units import Quantity
from device_telemetry.domain.pump_said import PumpSaid, pumps_of

_MILLION: Final = 1_000_000
# Flows and volumes of a pump may be 0 and mean it.
_ZERO_IS_A_VALUE: Final = frozenset({Quantity.FLOW, Quantity.VOLUME, Quantity.CONCENTRATION})


@dataclass(frozen=True)
class Observation:
    """One numeric metric. `equipment` lists the ids that may name its device, nearest first."""

    equipment: tuple[str, ...]
    at_ms: int
    channel: int
    value_e6: int
    usable: bool
    zone_assumed: bool
    in_future: bool


@dataclass(frozen=True)
class Content:
    """What a message holds: samples, what pumps said, and the rows that were refused."""

    observations: tuple[Observation, ...]
    pumps: tuple[PumpSaid, ...]
    findings: tuple[Finding, ...]

    @property
    def all_refused(self) -> bool:
        """Whether something was to be read and nothing of it could be."""
        return bool(self.findings) and not self.observations and not self.pumps


def read(groups: Sequence[Group], sent: Sent) -> Content:
    """The content of the groups of a message."""
    observations: list[Observation] = []
    pumps: list[PumpSaid] = []
    findings: list[Finding] = []
    for group in groups:
        doubled = doubled_places(group)
        refused = {finding.row for finding in doubled}
        findings += doubled
        for row in group.rows:
            found = None if row.number in refused else _observation(row, sent)
            if isinstance(found, Finding):
                findings.append(found)
                refused.add(row.number)
            elif found is not None:
                observations.append(found)
        said, missing = pumps_of(group, sent, frozenset(refused))
        pumps += said
        findings += missing
    return Content(tuple(observations), tuple(pumps), tuple(findings))


def _observation(row: Row, sent: Sent) -> Observation | Finding | None:
    """None for a device's row, text, and metrics that are not read here."""
    if row.contradicts:
        return Finding("OBX-3", "103", "code and name must be of the same term", row.number)
    quantity = codes.QUANTITY_OF_CHANNEL.get(row.code)
    # Some pumps leave OBX-2 empty.
    if quantity is None or row.segment.field(2).strip() not in ("NM", ""):
        return None
    value = row.number_value()
    flagged = row.flagged_unusable or not sent.production
    amount: Decimal | None = None
    if value is not None:
        amount = row.amount(quantity)
        # What says of itself that it holds no value may leave its unit out; a unit that is written must be one of this metric.
        if amount is None and (not flagged or any(row.segment.components(6))):
            return Finding("OBX-6", "103", "must be a known unit of the metric, in MDC or UCUM", row.number)
    elif row.segment.field(5).strip() and not flagged:
        return Finding("OBX-5", "102", "must be a number", row.number)
    moment = row.moment(sent)
    if moment is None and flagged:
        return None
    if moment is None:
        return Finding("OBX-14", "102", "must be a time, or be inherited, with a zone here or in MSH-7", row.number)
    if moment.in_future and sent.offset is None:
        return Finding("OBX-14", "102", "must not be in the future of its message", row.number)
    return Observation(
        equipment=row.equipment(),
        at_ms=moment.at_ms,
        channel=row.code,
        value_e6=int((amount or Decimal(0)) * _MILLION),
        usable=not flagged and not moment.in_future and amount is not None
        and (amount > 0 or (amount == 0 and quantity in _ZERO_IS_A_VALUE)),
        zone_assumed=moment.zone_assumed,
        in_future=moment.in_future,
    )  # fmt: skip
