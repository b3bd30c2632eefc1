"""IHE PCD-04 (ORU^R40): one alert of one device, with its phase, state, inactivation, priority and type.

The alert's rows share a place in the containment tree; older senders mark them by a fifth part of OBX-4 (a facet). The event is either
MDC_EVT_ALARM with the event in OBX-5, or an OBX-3 that is the event itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from device_telemetry.domain import alert_terms as terms
from device_telemetry.domain import mdc_terms as mdc
from device_telemetry.domain.alarm_kinds import PHYSIOLOGICAL, TECHNICAL
from device_telemetry.domain.codes import QUANTITY_OF_CHANNEL
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_rows import Group, Row, Sent

_ATTRIBUTES = frozenset(
    {mdc.ALERT_SOURCE, mdc.EVENT_PHASE, mdc.ALARM_STATE, mdc.INACTIVATION_STATE, mdc.ALARM_PRIORITY, mdc.ALERT_TYPE}
)


@dataclass(frozen=True)
class Alert:
    """What a device says of one alarm. `active` is whether its condition holds; a point in time is active and over at once."""

    equipment: tuple[str, ...]
    at_ms: int
    zone_assumed: bool
    in_future: bool
    kind: str
    phase: str
    active: bool
    priority: int
    category: int
    inactivation: str

    @property
    def is_heartbeat(self) -> bool:
        """Nothing but a sign of life of the sender."""
        return self.kind == _HEARTBEAT


_HEARTBEAT = terms.kind_of(terms.HEARTBEAT, "")


def read(groups: Sequence[Group], sent: Sent) -> tuple[Alert | None, tuple[Finding, ...]]:
    """The alert of a message, or what is missing or wrong in it; all findings at once."""
    findings: list[Finding] = []
    rows = [row for group in groups for row in group.rows]
    events = [row for row in rows if _is_event(row)]
    if len(events) != 1:
        return None, (*findings, Finding("OBX-3", "101", "must name one event: a message holds one alert"))
    event = events[0]
    said = {row.code: row.text for row in rows if row.code in _ATTRIBUTES}
    ranks = _ranks(event, rows)
    moment = event.moment(sent)
    if moment is None:
        findings.append(
            Finding("OBX-14", "102", "must be a time, or be inherited, with a zone here or in MSH-7", event.number)
        )
    phase = said.get(mdc.EVENT_PHASE, "").lower().replace("_", "-")
    state = said.get(mdc.ALARM_STATE, "").lower()
    code, name = _event_of(event)
    kind = terms.kind_of(code, name)
    if kind != _HEARTBEAT:
        if phase not in terms.PHASES:
            findings.append(Finding("OBX-5", "103", "must be a known event phase (MDC_ATTR_EVENT_PHASE)"))
        if state not in terms.STATES:
            findings.append(Finding("OBX-5", "103", "must be a known alarm state (MDC_ATTR_ALARM_STATE)"))
        priority = said.get(mdc.ALARM_PRIORITY, "").upper() or ranks.get("priority", "PN")
        if priority not in terms.PRIORITIES:
            findings.append(Finding("OBX-5", "103", "must be PN, PL, PM or PH (MDC_ATTR_ALARM_PRIORITY)"))
        kept_type = said.get(mdc.ALERT_TYPE, "").upper() or ranks.get("type", "")
        if kept_type and kept_type not in terms.TYPES:
            findings.append(Finding("OBX-5", "103", "must be SP, ST or SA (MDC_ATTR_ALERT_TYPE)"))
    else:
        priority, kept_type = "PL", "ST"
    if findings or moment is None:
        return None, tuple(findings)
    category = terms.TYPES.get(kept_type) or (PHYSIOLOGICAL if _from_a_vital_sign(rows) else TECHNICAL)
    return Alert(
        equipment=event.equipment(),
        at_ms=moment.at_ms,
        zone_assumed=moment.zone_assumed,
        in_future=moment.in_future,
        kind=kind,
        phase=phase,
        active=phase not in terms.ENDING and terms.STATES.get(state, False),
        priority=terms.PRIORITIES[priority],
        category=category,
        inactivation=said.get(mdc.INACTIVATION_STATE, "").lower(),
    ), ()


def _is_event(row: Row) -> bool:
    """MDC_EVT_ALARM, or a term of the partition of events (3::n, 196608 to 262143), or an event by its REFID."""
    if row.code in _ATTRIBUTES:
        return False
    return 196608 <= row.code < 262144 or row.name.startswith(("MDC_EVT_", "MDCX_EVT_"))


def _event_of(row: Row) -> tuple[int, str]:
    """Code and REFID of the event."""
    if row.code != mdc.ALERT:
        return row.code, row.name
    parts = row.segment.components(5)
    code = parts[0].strip()
    named = next((part for part in parts if part.startswith("MDC")), "")
    return (int(code) if code.isascii() and code.isdigit() and len(code) <= 6 else 0), named


def _ranks(event: Row, rows: Sequence[Row]) -> dict[str, str]:
    """Priority and type in OBX-8 ("PH~SP"): of the event's row, else of any."""
    for row in (event, *rows):
        flags = {part.strip().upper() for again in row.segment.repetitions(8) for part in row.segment.parts(again)}
        found = {}
        if priority := flags & terms.PRIORITIES.keys():
            found["priority"] = max(priority, key=lambda one: terms.PRIORITIES[one])
        if kept_type := flags & terms.TYPES.keys():
            found["type"] = min(kept_type)
        if found:
            return found
    return {}


def _from_a_vital_sign(rows: Sequence[Row]) -> bool:
    """Whether the row beside the event, or the source, is a vital sign."""
    return any(row.code in QUANTITY_OF_CHANNEL and row.code < 157000 for row in rows)
