"""What the rules found, as rows and events: alarms on and off, gaps, and how the infusion moved on.

Each event carries as its clinic time the moment of the log at which it was found, and the care episode of its session.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypedDict
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import metrics
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from device_telemetry.domain.alarm_kinds import HIGH, LOW, MEDIUM
from device_telemetry.domain.findings import AlarmAgain, AlarmOff, AlarmOn, Finding, Gap, Infusion
from device_telemetry.frames.kept_state import Session, moment
from saguaro.device_telemetry.v1 import events_pb2 as events

_ON = """
INSERT INTO alarm (alarm_id, session_id, person_id, site_id, device_id, kind_code, priority, category, measured_at, detected_at,
                   latching)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


# As the metric names them. Counted before the commit: a batch that is done again counts again.
_PRIORITY_NAMES = {LOW: "low", MEDIUM: "medium", HIGH: "high"}


class _Whose(TypedDict):
    session_id: str
    person_id: str
    site_id: str


def report_findings(uow: UnitOfWork, session: Session, findings: Sequence[Finding]) -> None:
    """Writes and emits them in their order. A log that the wall had seen stop is going on again."""
    before = uow.context
    uow.context = replace(
        before,
        site_id=str(session.site_id),
        correlation_id=session.correlation_id,
        purpose="treatment",
        clinic_time=moment(session.state.log_ms),
    )
    try:
        if session.stopped_alarm_id is not None:
            _goes_on(uow, session, session.stopped_alarm_id)
        for finding in findings:
            match finding:
                case AlarmOn():
                    alarm_on(uow, session, finding)
                case AlarmOff():
                    alarm_off(uow, session, finding)
                case AlarmAgain():
                    _alarm_again(uow, session, finding)
                case Gap():
                    uow.emit(_gap(session, finding))
                case Infusion():
                    uow.emit(_infusion(session, finding))
    finally:
        uow.context = before


def alarm_on(uow: UnitOfWork, session: Session, finding: AlarmOn) -> None:
    """The alarm as a row and an event."""
    uow.driver.execute(
        _ON,
        (
            UUID(finding.alarm_id),
            UUID(session.session_id),
            session.person_id,
            session.site_id,
            UUID(finding.device_id) if finding.device_id else None,
            finding.kind,
            finding.priority,
            finding.category,
            moment(finding.measured_ms),
            moment(finding.detected_ms),
            session.facts.policy.latches(finding.priority),
        ),
    )
    uow.emit(
        events.AlarmRaised(
            alarm_id=finding.alarm_id,
            session_id=session.session_id,
            person_id=str(session.person_id),
            site_id=str(session.site_id),
            device_id=finding.device_id,
            kind_code=finding.kind,
            priority=finding.priority,  # type: ignore[arg-type]
            category=finding.category,  # type: ignore[arg-type]
            measured_at=_at(finding.measured_ms),
            detected_at=_at(finding.detected_ms),
        )
    )
    metrics.ALARMS.labels(_PRIORITY_NAMES.get(finding.priority, "unspecified")).inc()


def alarm_off(uow: UnitOfWork, session: Session, finding: AlarmOff) -> None:
    """The alarm's condition is over."""
    uow.driver.execute(
        "UPDATE alarm SET cleared_at = %s WHERE alarm_id = %s", (moment(finding.at_ms), UUID(finding.alarm_id))
    )
    uow.emit(
        events.AlarmCleared(alarm_id=finding.alarm_id, session_id=session.session_id, cleared_at=_at(finding.at_ms))
    )


def _alarm_again(uow: UnitOfWork, session: Session, finding: AlarmAgain) -> None:
    uow.driver.execute(
        "UPDATE alarm SET repetitions = %s, escalated_to = %s WHERE alarm_id = %s",
        (finding.repetition, finding.who, UUID(finding.alarm_id)),
    )
    uow.emit(
        events.AlarmRepeated(
            alarm_id=finding.alarm_id,
            session_id=session.session_id,
            person_id=str(session.person_id),
            site_id=str(session.site_id),
            repetition=finding.repetition,
            priority=finding.priority,  # type: ignore[arg-type]
            escalated_to=finding.who,
            repeated_at=_at(finding.at_ms),
        )
    )


def _goes_on(uow: UnitOfWork, session: Session, alarm_id: UUID) -> None:
    uow.driver.execute(
        "UPDATE session_state SET stopped_alarm_id = NULL WHERE session_id = %s", (UUID(session.session_id),)
    )
    alarm_off(uow, session, AlarmOff(str(alarm_id), session.state.log_ms))


def _gap(session: Session, finding: Gap) -> Message:
    return events.DataGapDetected(
        session_id=session.session_id,
        person_id=str(session.person_id),
        site_id=str(session.site_id),
        device_id=finding.device_id,
        channel=finding.channel,
        silent_since=_at(finding.since_ms),
        detected_at=_at(finding.detected_ms),
    )


def _infusion(session: Session, finding: Infusion) -> Message:
    whose = _Whose(session_id=session.session_id, person_id=str(session.person_id), site_id=str(session.site_id))
    if finding.what == "started":
        return events.InfusionStarted(
            **whose,
            order_id=finding.order_id,
            pump_id=finding.pump_id,
            started_at=_at(finding.at_ms),
            start_total_ml=decimal_text(finding.start_total_ml),
        )
    if finding.what == "paused":
        return events.InfusionPaused(**whose, paused_at=_at(finding.at_ms), reason_code=finding.reason)
    if finding.what == "resumed":
        return events.InfusionResumed(
            **whose,
            resumed_at=_at(finding.at_ms),
            pump_id=finding.pump_id,
            authorised_by=finding.authorised_by,
            reason_code=finding.resume_reason,
        )
    if finding.what == "completed":
        completed = events.InfusionCompleted(**whose)
        _account(completed, finding)
        return completed
    aborted = events.InfusionAborted(**whose, reason_code=finding.reason)
    _account(aborted, finding)
    return aborted


def _account(event: events.InfusionCompleted | events.InfusionAborted, finding: Infusion) -> None:
    """The account of an infusion that ended: mL as decimals, whole seconds."""
    event.order_id = finding.order_id
    event.started_at.CopyFrom(_at(finding.started_ms))
    event.stopped_at.CopyFrom(_at(finding.at_ms))
    event.delivered_ml = decimal_text(finding.delivered_ml)
    event.keep_vein_open_ml = decimal_text(finding.keep_vein_open_ml)
    event.expected_ml = decimal_text(finding.expected_ml)
    event.delivering_seconds = finding.delivering_ms // 1000
    event.paused_seconds = finding.paused_ms // 1000


def _at(ms: int) -> Timestamp:
    return to_timestamp(moment(ms))
