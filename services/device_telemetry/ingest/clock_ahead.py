"""A device that measures in the future of its own message: a technical alarm of its session, until a message comes without.

House policy: more than 5 s in the future is unusable and alarmed. The samples themselves never reach the rules, so the alarm is
raised here.
"""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.alarm_board import alarm_id_of
from device_telemetry.domain.alarm_kinds import CLOCK_AHEAD
from device_telemetry.domain.findings import AlarmOff, AlarmOn
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.session_log import Facts
from device_telemetry.domain.session_state import SessionState
from device_telemetry.frames import report_findings
from device_telemetry.frames.kept_state import Session

_SESSION = "SELECT person_id, site_id, correlation_id FROM infusion_session WHERE session_id = %s FOR UPDATE"
_OPEN = "SELECT alarm_id FROM alarm WHERE session_id = %s AND device_id = %s AND kind_code = %s AND cleared_at IS NULL"


def judge(uow: UnitOfWork, session_id: str, device_id: str, at_ms: int, ahead: bool) -> None:
    """Raises or clears the alarm; `at_ms` is the clinic time of the message."""
    row = uow.driver.execute(_SESSION, (UUID(session_id),)).fetchone()
    if row is None:
        return
    open_alarm = uow.driver.execute(_OPEN, (UUID(session_id), UUID(device_id), CLOCK_AHEAD.code)).fetchone()
    if ahead == (open_alarm is not None):
        return
    uow.context = replace(
        uow.context, site_id=str(row[1]), correlation_id=row[2], clinic_time=datetime.fromtimestamp(at_ms / 1000, UTC)
    )
    state = SessionState(session_id, log_ms=at_ms)
    session = Session(session_id, row[0], row[1], row[2], state, Facts(Policy((), (), 0, 0)))
    if open_alarm is not None:
        report_findings.alarm_off(uow, session, AlarmOff(str(open_alarm[0]), at_ms))
        return
    alarm_id = alarm_id_of(session_id, f"{CLOCK_AHEAD.code}:{device_id}", at_ms, 0)
    kind = CLOCK_AHEAD
    report_findings.alarm_on(
        uow, session, AlarmOn(alarm_id, kind.code, kind.priority, kind.category, device_id, at_ms, at_ms)
    )
