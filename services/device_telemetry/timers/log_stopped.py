"""A live session from which the wall hears nothing raises a technical alarm, counted apart from the clinical ones.

Silence of a metric is judged on the session's own log; if the whole log stops, no log can say so, and only the machine's clock is left.
"""

from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.alarm_board import alarm_id_of
from device_telemetry.domain.alarm_kinds import LOG_STOPPED
from device_telemetry.domain.findings import AlarmOn
from device_telemetry.frames import kept_state
from device_telemetry.frames.report_findings import report_findings

# House default, effective-dated: policy "log_stopped".
_STOPPED = """
SELECT t.session_id::text FROM session_state t
WHERE t.phase IN ('infusing', 'paused') AND t.stopped_alarm_id IS NULL AND t.applied_at < clock_timestamp() - make_interval(secs =>
    (SELECT p.seconds FROM telemetry_policy p
     WHERE p.name = 'log_stopped' AND p.scope IN ('network', t.site_id::text)
       AND p.effective_from <= t.log_at AND (p.effective_until IS NULL OR p.effective_until > t.log_at)
     ORDER BY p.scope = 'network', p.effective_from DESC LIMIT 1))
ORDER BY t.session_id FOR UPDATE OF t SKIP LOCKED
"""


def run(uow: UnitOfWork) -> None:
    """Raises the alarm for each live session whose log stopped; the next frame of the session clears it."""
    stopped = [row[0] for row in uow.driver.execute(_STOPPED).fetchall()]
    for session in kept_state.load(uow, stopped).values():
        at_ms = session.state.log_ms
        alarm_id = alarm_id_of(session.session_id, LOG_STOPPED.code, at_ms, 0)
        uow.driver.execute(
            "UPDATE session_state SET stopped_alarm_id = %s WHERE session_id = %s",
            (UUID(alarm_id), UUID(session.session_id)),
        )
        report_findings(
            uow,
            session,
            [AlarmOn(alarm_id, LOG_STOPPED.code, LOG_STOPPED.priority, LOG_STOPPED.category, "", at_ms, at_ms)],
        )
