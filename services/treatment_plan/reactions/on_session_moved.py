"""A session stands at a new time: an order for the old time is revoked, and orders may be issued again."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from treatment_plan.changes import settle
from treatment_plan.records import revoke_unused_orders
from treatment_plan.tables import session_record, treatment_order

REASON = "session.moved"


def react(uow: UnitOfWork, event: scheduling_events.SessionMoved) -> None:
    """Keeps the new time. A session that is not known was skipped by an operator: nothing to move."""
    session_id = UUID(event.session_id)
    mine = session_record.c.session_id == session_id
    if uow.execute(select(session_record.c.session_id).where(mine).with_for_update()).one_or_none() is not None:
        uow.execute(update(session_record).where(mine).values(starts_at=from_timestamp(event.starts_at)))
        revoke_unused_orders(uow, treatment_order.c.session_id == session_id, REASON)
    settle(uow, session_id, from_timestamp(event.moved_at))
