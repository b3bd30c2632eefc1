"""What the pump reported, brought onto the record of its session."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Early, Poison
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, from_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.domain.numbers import number_of, plain, rounded
from treatment_plan.domain.session_state import CLOSED, ENDED, RECOVERING, Progress, state_reported
from treatment_plan.records import set_session_state
from treatment_plan.series import review_series
from treatment_plan.session_facts import one_row, readiness_of
from treatment_plan.session_tables import infusion_progress, session_discharge
from treatment_plan.tables import pump_totals, session_closure, session_record, treatment_order

Ended = device_events.InfusionCompleted | device_events.InfusionAborted


def session_with_order(uow: UnitOfWork, session_id: str, order_id: str) -> Any:
    """The session, locked. Early until its booking has arrived; Poison when the order is not one of this session that was used."""
    session = known_session(uow, session_id)
    order = uow.execute(
        select(treatment_order.c.used_at).where(
            treatment_order.c.order_id == UUID(order_id), treatment_order.c.session_id == session.session_id
        )
    ).one_or_none()
    if order is None or order.used_at is None:
        raise Poison("order_id: must be an order of this session whose start was authorised")
    return session


def session_on_pump(uow: UnitOfWork, session_id: str) -> Any:
    """The session of a report that names no order, locked. Early until its booking has arrived; Poison unless a start was authorised."""
    session = known_session(uow, session_id)
    used = select(treatment_order.c.order_id).where(
        treatment_order.c.session_id == session.session_id, treatment_order.c.used_at.is_not(None)
    )
    if uow.execute(used.limit(1)).one_or_none() is None:
        raise Poison("session_id: must be a session whose start was authorised")
    return session


def known_session(uow: UnitOfWork, session_id: str) -> Any:
    """The session, locked. Early until its booking has arrived."""
    chosen = select(session_record).where(session_record.c.session_id == UUID(session_id)).with_for_update()
    session = uow.execute(chosen).one_or_none()
    if session is None:
        raise Early(f"session:{UUID(session_id)}")
    return session


def keep_progress(uow: UnitOfWork, session: Any, **times: datetime | None) -> None:
    """Keeps the times that the pump reported, the latest of each, and brings the session's state up to them."""
    uow.execute(
        insert(infusion_progress)
        .values(session_id=session.session_id, person_id=session.person_id, site_id=session.site_id)
        .on_conflict_do_nothing()
    )
    latest = {
        # GREATEST leaves out what is null.
        name: func.greatest(infusion_progress.c[name], moment)
        for name, moment in times.items()
        if moment is not None
    }
    if latest:
        uow.execute(
            update(infusion_progress).where(infusion_progress.c.session_id == session.session_id).values(**latest)
        )
    follow_the_pump(uow, session)


def follow_the_pump(uow: UnitOfWork, session: Any) -> None:
    """The state that all reports together give; what the first release closed or ended stays so."""
    if session.state in (CLOSED, ENDED):
        return
    row = one_row(uow, infusion_progress, session.session_id)
    totals = one_row(uow, pump_totals, session.session_id)
    progress = Progress(
        started_at=row.started_at,
        last_paused_at=row.last_paused_at,
        last_resumed_at=row.last_resumed_at,
        ended=totals is not None,
        discharged=one_row(uow, session_discharge, session.session_id) is not None,
        reconciled=one_row(uow, session_closure, session.session_id) is not None,
    )
    state = state_reported(progress)
    if state == RECOVERING and not has_baseline(uow, totals.order_id):
        # Made ready under the first release: there is nothing to discharge it by, so that it is closed as then.
        state = ENDED
    if state is not None and state != session.state:
        set_session_state(uow, session.session_id, state)


def has_baseline(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether vital signs of the baseline were kept when the session was made ready."""
    ready = readiness_of(uow, order_id)
    return ready is not None and ready.baseline_systolic_mmhg is not None


def keep_totals(uow: UnitOfWork, event: Ended, outcome: str, reason_code: str | None) -> Any:
    """Keeps the pump's final totals, once, over all segments and pumps. The person recovers from now on. Returns the session."""
    session = session_with_order(uow, event.session_id, event.order_id)
    started_at = from_timestamp(event.started_at) if event.HasField("started_at") else None
    stopped_at = from_timestamp(event.stopped_at) if event.HasField("stopped_at") else None
    uow.execute(
        insert(pump_totals)
        .values(
            session_id=session.session_id,
            order_id=UUID(event.order_id),
            person_id=session.person_id,
            site_id=session.site_id,
            outcome=outcome,
            started_at=started_at,
            stopped_at=stopped_at,
            delivered_ml=volume(event.delivered_ml, "delivered_ml"),
            keep_vein_open_ml=volume(event.keep_vein_open_ml or "0", "keep_vein_open_ml"),
            # Rate times time seldom ends; it only checks, so that six decimals are enough.
            expected_ml=rounded(decimal_of(event.expected_ml, "expected_ml"), 6),
            delivering_seconds=event.delivering_seconds,
            paused_seconds=event.paused_seconds,
            reason_code=reason_code,
        )
        .on_conflict_do_nothing()
    )
    keep_progress(uow, session, started_at=started_at, ended_at=stopped_at or uow.clinic_time)
    # A result may have been there before the word of the infusion that it is about.
    review_series(uow, session.person_id)
    return session


def volume(text: str, field: str) -> Decimal:
    """A volume that is kept exactly. Trailing zeros do not count as decimals."""
    return number_of(plain(decimal_of(text, field)), field)
