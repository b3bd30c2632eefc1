"""IHE PCD-10 (ORU^R42): one event of one infusion pump, and the rules by which its parameters must agree.

Source: IHE PCD Infusion Pump Event Communication 1.5, tables X.1.2.1-2 and X.1.2.1-4. A rate change while running is a stop
("transitioning") and a start with the new rate. An event that breaks a rule is refused with each of its findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from device_telemetry.domain import mdc_terms as mdc
from device_telemetry.domain import pump_words as words
from device_telemetry.domain.event_terms import DELIVERY, PumpEvent, event_of
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_rows import Group, Row, Sent, doubled_places
from device_telemetry.domain.pump_said import PumpSaid, pumps_of, with_event

_REQUIRED = {
    mdc.INFUSING_STATUS: "Infusing Status",
    mdc.FLOW_CURRENT: "Current Pump Fluid Flow",
    mdc.ACTIVE_SOURCES: "Pump Active Sources",
    mdc.DELIVERY_STATUS: "Current Delivery Status",
    mdc.DELIVERY_MODE: "Program Delivery Mode",
    mdc.CHANNEL_LABEL: "Source Channel Label",
}


@dataclass(frozen=True)
class Event:
    """One event with what the pump said beside it; `said` is None where it gave nothing of its delivery."""

    what: PumpEvent
    equipment: tuple[str, ...]
    said: PumpSaid | None


def read(groups: Sequence[Group], sent: Sent) -> tuple[Event | None, tuple[Finding, ...]]:
    """The event of a message, or every rule that it breaks."""
    findings: list[Finding] = []
    rows = [row for group in groups for row in group.rows]
    for group in groups:
        findings += doubled_places(group)
    findings += [
        Finding("OBX-3", "103", "code and name must be of the same term", row.number) for row in rows if row.contradicts
    ]
    conditions = [row for row in rows if row.code == mdc.EVENT_CONDITION]
    what = event_of(conditions[0].segment.components(5)) if len(conditions) == 1 else None
    if what is None:
        return None, (*findings, Finding("OBX-5", "103", "MDC_ATTR_EVT_COND must be there once and name a known event"))
    said: list[PumpSaid] = []
    for group in groups:
        found, unreadable = pumps_of(group, sent, frozenset(finding.row for finding in findings))
        said += found
        findings += unreadable
    if what in DELIVERY:
        findings += _inconsistencies(what, rows, said[0] if said else None)
        if not said and not findings and sent.production:
            findings.append(Finding("OBX-14", "102", "must be a time, or be inherited, with a zone here or in MSH-7"))
    if findings:
        return None, tuple(findings)
    return Event(what, conditions[0].equipment(), _as_told(what, said[0]) if said else None), ()


def _as_told(what: PumpEvent, said: PumpSaid) -> PumpSaid:
    if what is PumpEvent.COUNTERS_CLEARED:
        return with_event(said, counter_cleared=True)
    if what in (PumpEvent.STOP, PumpEvent.COMPLETE):
        over = what is PumpEvent.COMPLETE and said.delivery_status != words.TRANSITIONING
        return with_event(said, event_reason=words.COMPLETED if over else "", segment_ended=True)
    if what is PumpEvent.PROGRAM_CLEARED:
        return with_event(said, event_reason=words.STOPPED)
    return said


def _inconsistencies(what: PumpEvent, rows: Sequence[Row], said: PumpSaid | None) -> list[Finding]:
    """The rules for start, stop and complete."""
    there = {row.code for row in rows if row.segment.field(5).strip() and not row.flagged_unusable}
    findings = [
        _missing(f"{name} is required for start, stop and complete")
        for code, name in _REQUIRED.items()
        if code not in there
    ]
    if what is not PumpEvent.START and not there & {mdc.VOLUME_SEGMENT, mdc.VOLUME_TOTAL}:
        findings.append(_missing("stop and complete need the segment volume or the cumulative volume"))
    if said is None:
        return findings
    findings += _of_status(said)
    if what is PumpEvent.START and said.status == words.NOT_INFUSING:
        findings.append(_rule("a start must be infusing"))
    if said.delivery_status == words.NOT_DELIVERING:
        if what is not PumpEvent.START and mdc.NOT_DELIVERING_REASON not in there:
            findings.append(_missing("Pump Not Delivering Reason is required while not delivering"))
        if said.status == words.INFUSING:
            findings.append(_rule("what is not delivering must not be infusing"))
    return findings


def _of_status(said: PumpSaid) -> list[Finding]:
    """Infusing if and only if the flow is above 0."""
    if said.status and said.status not in (words.INFUSING, words.NOT_INFUSING):
        return [_rule("Infusing Status must be pump-status-infusing or pump-status-not-infusing")]
    flow = said.current_rate_ml_per_h
    if flow is None or not said.status:
        return []
    if said.status == words.INFUSING and flow <= 0:
        return [_rule("infusing needs a flow above 0")]
    if said.status == words.NOT_INFUSING and flow != 0:
        return [_rule("not infusing needs a flow of 0")]
    return []


def _rule(text: str) -> Finding:
    return Finding("OBX-5", "103", text)


def _missing(text: str) -> Finding:
    return Finding("OBX-5", "101", text)
