"""A booking was cancelled: so is the session's record, and its unused order is revoked."""

from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from treatment_plan.calling_off import call_off
from treatment_plan.changes import settle

REASON = "session.cancelled"


def react(uow: UnitOfWork, event: scheduling_events.SessionCancelled) -> None:
    """Calls the session off; a change that was under way is settled by it."""
    session_id, at = UUID(event.session_id), from_timestamp(event.cancelled_at)
    call_off(uow, session_id, at, REASON)
    settle(uow, session_id, at)
