"""What a pump said in one group of rows: programme, flow, counter, status. The same that a pump says in a frame of its own.

The parameters of the programme stand under the channel of the source that is active (IHE PCD IPEC 1.5, table X.1.2.1-2): under the
secondary source where Pump Active Sources says so, else under the primary, else under the channel that has a programmed rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from device_telemetry.domain import mdc_terms as mdc
from device_telemetry.domain import pump_words as words
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_rows import Group, Row, Sent
from device_telemetry.domain.mdc_units import Quantity, dose_rate_unit

_AMOUNTS = {
    mdc.CONCENTRATION: Quantity.CONCENTRATION,
    mdc.FLOW_PROGRAMMED: Quantity.FLOW,
    mdc.FLOW_CURRENT: Quantity.FLOW,
    mdc.VTBI: Quantity.VOLUME,
    mdc.VOLUME_REMAINING: Quantity.VOLUME,
    mdc.VOLUME_TOTAL: Quantity.VOLUME,
    mdc.VOLUME_DELIVERED: Quantity.VOLUME,
    mdc.VOLUME_SEGMENT: Quantity.VOLUME,
    mdc.WEIGHT: Quantity.WEIGHT,
    mdc.BATTERY_TIME: Quantity.MINUTES,
}
# What is asked of a pump's moving parts, and so dates its report; what it was programmed with may be older.
_MOVING = frozenset({mdc.INFUSING_STATUS, mdc.PUMP_STATUS_OLD, mdc.FLOW_CURRENT, mdc.VOLUME_TOTAL, mdc.DELIVERY_STATUS})


@dataclass(frozen=True)
class PumpSaid:
    """One report. None stands for what was not said, or said without a value. Volumes in mL, flows in mL/h, milliseconds since 1970."""

    equipment: tuple[str, ...]
    at_ms: int
    zone_assumed: bool
    in_future: bool
    drug_label: str
    concentration_mg_per_ml: Decimal | None
    rate_ml_per_h: Decimal | None
    vtbi_ml: Decimal | None
    remaining_ml: Decimal | None
    current_rate_ml_per_h: Decimal | None
    total_ml: Decimal | None
    segment_ml: Decimal | None
    status: str
    delivery_status: str
    mode: str
    reason: str
    weight_kg: Decimal | None = None
    dose_rate: Decimal | None = None
    dose_rate_unit: str = ""
    battery_left_min: Decimal | None = None
    counter_cleared: bool = False
    # What the event of a PCD-10 message adds: "stopped" or "completed", and that `segment_ml` is that of a whole segment.
    event_reason: str = ""
    segment_ended: bool = False

    @property
    def infusing(self) -> bool | None:
        """By its status, else by its flow; None where it said neither."""
        found = words.FLOWS.get(self.status)
        if found is None and self.current_rate_ml_per_h is not None:
            return self.current_rate_ml_per_h > 0
        return found

    @property
    def keeps_vein_open(self) -> bool:
        """Whether it only keeps the vein open."""
        return bool(words.KEEPS_OPEN & {self.status, self.delivery_status, self.mode})

    @property
    def why_not(self) -> str:
        """ "" while it delivers; else "paused", "completed", "stopped", "transitioning" or what the pump gave as its reason."""
        if self.infusing:
            return ""
        if self.event_reason:
            return self.event_reason
        if self.delivery_status == words.TRANSITIONING:
            return words.IN_TRANSITION
        if self.remaining_ml == 0 and self.vtbi_ml:
            return words.COMPLETED
        return words.REASONS.get(self.reason) or words.REASONS.get(self.status) or "unknown"


def pumps_of(group: Group, sent: Sent, refused: frozenset[int]) -> tuple[list[PumpSaid], list[Finding]]:
    """The reports in a group, one for each VMD that speaks as a pump, and the rows of them that were refused.

    A report whose numbers cannot be read is none: half a programme must not be taken for a whole one.
    """
    said: list[PumpSaid] = []
    findings: list[Finding] = []
    for rows in _by_device(group.rows):
        if not any(row.code in (mdc.INFUSING_STATUS, mdc.PUMP_STATUS_OLD, mdc.FLOW_CURRENT) for row in rows):
            continue
        broken = [finding for row in rows if row.number not in refused and (finding := _unreadable(row)) is not None]
        findings += broken
        if not broken and not any(row.number in refused for row in rows):
            report = _report(rows, sent)
            if report is not None:
                said.append(report)
    return said, findings


def _by_device(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each VMD; those that stand under the MDS alone go with the first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        parts = row.place.split(".")
        found.setdefault(".".join(parts[:2]), []).append(row)
    return list(found.values())


def _unreadable(row: Row) -> Finding | None:
    quantity = _AMOUNTS.get(row.code)
    dose_rate = row.code == mdc.DOSE_RATE
    if (quantity is None and not dose_rate) or row.flagged_unusable or not row.segment.field(5).strip():
        return None
    if row.number_value() is None:
        return Finding("OBX-5", "102", "must be a number", row.number)
    known = dose_rate_unit(row.segment.components(6)) if quantity is None else row.amount(quantity)
    if known is None:
        return Finding("OBX-6", "103", "must be a known unit of the metric, in MDC or UCUM", row.number)
    return None


def _report(rows: Sequence[Row], sent: Sent) -> PumpSaid | None:
    usable = [row for row in rows if row.code and not row.flagged_unusable]
    dated = [row for row in usable if row.code in _MOVING] or usable
    moments = [moment for row in dated if (moment := row.moment(sent)) is not None]
    if not moments or not sent.production:
        return None
    latest = max(moments, key=lambda moment: moment.at_ms)
    if latest.in_future and sent.offset is None:
        return None
    mine = _of_active_source(rows, usable)

    def amount(code: int) -> Decimal | None:
        row = mine.get(code)
        return row.amount(_AMOUNTS[code]) if row is not None else None

    def word(code: int) -> str:
        row = mine.get(code)
        return row.text if row is not None else ""

    total = amount(mdc.VOLUME_TOTAL)
    dose = mine.get(mdc.DOSE_RATE)
    return PumpSaid(
        equipment=dated[0].equipment(),
        at_ms=latest.at_ms,
        zone_assumed=any(moment.zone_assumed for moment in moments),
        in_future=any(moment.in_future for moment in moments),
        drug_label=word(mdc.DRUG_LABEL),
        concentration_mg_per_ml=amount(mdc.CONCENTRATION),
        rate_ml_per_h=amount(mdc.FLOW_PROGRAMMED),
        vtbi_ml=amount(mdc.VTBI),
        remaining_ml=amount(mdc.VOLUME_REMAINING),
        current_rate_ml_per_h=amount(mdc.FLOW_CURRENT),
        total_ml=total if total is not None else amount(mdc.VOLUME_DELIVERED),
        segment_ml=amount(mdc.VOLUME_SEGMENT),
        status=word(mdc.INFUSING_STATUS) or word(mdc.PUMP_STATUS_OLD),
        delivery_status=word(mdc.DELIVERY_STATUS),
        mode=word(mdc.DELIVERY_MODE),
        reason=word(mdc.NOT_DELIVERING_REASON),
        weight_kg=amount(mdc.WEIGHT),
        dose_rate=dose.number_value() if dose is not None else None,
        dose_rate_unit=(dose_rate_unit(dose.segment.components(6)) or "") if dose is not None else "",
        battery_left_min=amount(mdc.BATTERY_TIME),
    )


def _of_active_source(rows: Sequence[Row], usable: Sequence[Row]) -> dict[int, Row]:
    """The row that counts for each term: that under the active source, else the first one."""
    active = next((row.text for row in usable if row.code == mdc.ACTIVE_SOURCES), "")
    wanted = "SECONDARY" if active == words.SECONDARY else "PRIMARY"
    channels = {_channel(row.place) for row in rows if wanted in row.name and row.place.endswith(".0")}
    if not channels:
        channels = {_channel(row.place) for row in usable if row.code == mdc.FLOW_PROGRAMMED}
    found: dict[int, Row] = {}
    for row in sorted(usable, key=lambda row: _channel(row.place) not in channels):
        found.setdefault(row.code, row)
    return found


def _channel(place: str) -> str:
    return ".".join(place.split(".")[:3])


def with_event(
    said: PumpSaid, *, counter_cleared: bool = False, event_reason: str = "", segment_ended: bool = False
) -> PumpSaid:
    """The same with what a PCD-10 event adds."""
    return replace(said, counter_cleared=counter_cleared, event_reason=event_reason, segment_ended=segment_ended)
