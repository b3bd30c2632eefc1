"""What the pump reported, brought onto the record of its session."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Early, Poison
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, from_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.domain.numbers import number_of, plain, rounded
from treatment_plan.records import set_session_state
from treatment_plan.tables import pump_totals, session_record, treatment_order

Ended = device_events.InfusionCompleted | device_events.InfusionAborted


def session_with_order(uow: UnitOfWork, session_id: str, order_id: str) -> Any:
    """The session, locked. Early until its booking has arrived; Poison when the order is not one of this session that was used."""
    chosen = select(session_record).where(session_record.c.session_id == UUID(session_id)).with_for_update()
    session = uow.execute(chosen).one_or_none()
    if session is None:
        raise Early(f"session:{UUID(session_id)}")
    order = uow.execute(
        select(treatment_order.c.used_at).where(
            treatment_order.c.order_id == UUID(order_id), treatment_order.c.session_id == session.session_id
        )
    ).one_or_none()
    if order is None or order.used_at is None:
        raise Poison("order_id: must be an order of this session whose start was authorised")
    return session


def keep_totals(uow: UnitOfWork, event: Ended, outcome: str, reason_code: str | None) -> None:
    """Keeps the pump's final totals, once. The session has ended and waits to be closed."""
    session = session_with_order(uow, event.session_id, event.order_id)
    uow.execute(
        insert(pump_totals)
        .values(
            session_id=session.session_id,
            order_id=UUID(event.order_id),
            person_id=session.person_id,
            site_id=session.site_id,
            outcome=outcome,
            started_at=from_timestamp(event.started_at) if event.HasField("started_at") else None,
            stopped_at=from_timestamp(event.stopped_at) if event.HasField("stopped_at") else None,
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
    if session.state != "closed":
        set_session_state(uow, session.session_id, "ended")


def volume(text: str, field: str) -> Decimal:
    """A volume that is kept exactly. Trailing zeros do not count as decimals."""
    return number_of(plain(decimal_of(text, field)), field)
