"""The states of a batch's sessions: read with a lock in one statement, written back in one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.programme import Programme
from device_telemetry.domain.pump_report import Authorisation, Stop
from device_telemetry.domain.session_log import Facts
from device_telemetry.domain.session_state import SessionState, from_json, to_json
from device_telemetry.frames.policy_cache import Baseline, policies_in_force, policy_for

# One row a session, made where it is new, locked in one order for everybody.
_ENSURE = """
INSERT INTO session_state (session_id, person_id, site_id, state, phase, log_at)
SELECT s.session_id, s.person_id, s.site_id, 'null'::jsonb, 'waiting', 'epoch'
FROM infusion_session s WHERE s.session_id = ANY(%s) ORDER BY s.session_id
ON CONFLICT DO NOTHING
"""
# With the start that was authorised, and when the last monitor was taken off (NULL while one is attached or none ever was).
_LOCK = """
SELECT t.session_id::text, t.person_id, t.site_id, t.state::text, t.stopped_alarm_id, s.correlation_id, s.booked_at,
       s.baseline_sbp, s.baseline_dbp, s.baseline_hr, s.baseline_spo2, s.baseline_rr,
       (SELECT CASE WHEN NOT bool_or(upper_inf(m.during)) THEN max(upper(m.during)) END
        FROM attachment m WHERE m.session_id = t.session_id AND m.kind = 'monitor'),
       p.recorded_at, p.reason_code,
       (SELECT array_agg(n.alarm_id::text) FROM alarm n
        WHERE n.session_id = t.session_id AND n.acknowledged_at IS NOT NULL AND n.cleared_at IS NULL),
       a.order_id::text, a.pump_id::text, a.authorised_at, a.drug_code, a.concentration_mg_per_ml, a.rate_ml_per_h, a.vtbi_ml
FROM session_state t JOIN infusion_session s USING (session_id) LEFT JOIN authorisation a USING (session_id)
LEFT JOIN infusion_stop p USING (session_id)
WHERE t.session_id = ANY(%s) ORDER BY t.session_id FOR UPDATE OF t
"""
# Of sessions that were authorised to start.
_RESUMES = """
SELECT session_id::text, order_id::text, pump_id::text, authorised_at, drug_code, concentration_mg_per_ml, rate_ml_per_h, vtbi_ml,
       authorised_by::text, reason_code
FROM resume WHERE session_id = ANY(%s) ORDER BY authorised_at, resume_id
"""
_SAVE = """
UPDATE session_state t SET state = n.state::jsonb, phase = n.phase, log_at = n.log_at, applied_at = clock_timestamp()
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[]) AS n(session_id, state, phase, log_at)
WHERE t.session_id = n.session_id
"""


# Where the order of an authorisation stands in a row of _LOCK.
_AUTHORISED = 16


@dataclass
class Session:
    """A session in a batch: whose it is, what is remembered, what the database knows beside."""

    session_id: str
    person_id: UUID
    site_id: UUID
    correlation_id: UUID
    state: SessionState
    facts: Facts
    # The alarm of a log that stopped by the wall, if it is on.
    stopped_alarm_id: UUID | None = field(default=None)


def load(uow: UnitOfWork, session_ids: Sequence[str]) -> dict[str, Session]:
    """The sessions, locked. Early when the booking of one is not known, which an attachment makes impossible."""
    if not session_ids:
        return {}
    ids = [UUID(session_id) for session_id in session_ids]
    rows = uow.driver.execute(_LOCK, (ids,)).fetchall()
    if len(rows) < len(ids):
        uow.driver.execute(_ENSURE, (ids,))
        rows = uow.driver.execute(_LOCK, (ids,)).fetchall()
    missing = set(session_ids) - {row[0] for row in rows}
    if missing:
        raise Early(f"session:{min(missing)}")
    # The limits in force when the session was booked hold for all of it: a change of policy never splits a session.
    policies_in_force(uow, {(row[2], _day(row[6])) for row in rows})
    resumes = _resumes(uow, [UUID(row[0]) for row in rows if row[_AUTHORISED] is not None])
    sessions = {}
    for session_id, person_id, site_id, kept, stopped, correlation_id, booked_at, *more in rows:
        measured, monitor_off, (stopped_at, stop_reason, acknowledged), authorised = (
            more[:5], more[5], more[6:9], more[9:],
        )  # fmt: skip
        facts = Facts(
            # Relative limits hold from the authorised start on, which waits for the baseline: whenever its word arrived, the same
            # samples are judged by the same limits.
            policy_for(uow, site_id, _day(booked_at), () if authorised[0] is None else baseline_of(measured)),
            _authorisation(authorised),
            None if monitor_off is None else _ms(monitor_off),
            tuple(resumes.get(session_id, ())),
            None if stopped_at is None else Stop(_ms(stopped_at), stop_reason),
            frozenset(acknowledged or ()),
        )
        found = json.loads(kept)
        state = SessionState(session_id) if found is None else from_json(found)
        sessions[session_id] = Session(session_id, person_id, site_id, correlation_id, state, facts, stopped)
    return sessions


def baseline_of(measured: Sequence[Decimal | None]) -> Baseline:
    """Systolic and diastolic pressure, heart rate, saturation, respiratory rate; those that were measured."""
    named = zip(("sbp", "dbp", "hr", "spo2", "rr"), measured, strict=True)
    return tuple((metric, value) for metric, value in named if value is not None)


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def save(uow: UnitOfWork, sessions: Sequence[Session]) -> None:
    """Writes the states back."""
    if sessions:
        uow.driver.execute(
            _SAVE,
            (
                [UUID(item.session_id) for item in sessions],
                [to_json(item.state) for item in sessions],
                [item.state.pump.phase for item in sessions],
                [moment(item.state.log_ms) for item in sessions],
            ),
        )


def moment(ms: int) -> datetime:
    """A moment of a log as an aware time."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def _resumes(uow: UnitOfWork, sessions: Sequence[UUID]) -> dict[str, list[Authorisation]]:
    found: dict[str, list[Authorisation]] = {}
    if not sessions:
        return found
    for session_id, order_id, pump_id, at, *programme, who, why in uow.driver.execute(_RESUMES, (sessions,)).fetchall():
        found.setdefault(session_id, []).append(
            Authorisation(order_id, pump_id, _ms(at), Programme(*programme), True, who, why)
        )
    return found


def _authorisation(columns: Sequence[Any]) -> Authorisation | None:
    order_id, pump_id, at, drug_code, concentration, rate, vtbi = columns
    return (
        None
        if order_id is None
        else Authorisation(order_id, pump_id, _ms(at), Programme(drug_code, concentration, rate, vtbi))
    )
