"""The person did not come: the session is cancelled, its unused order revoked."""

from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from treatment_plan.calling_off import call_off

REASON = "session.no_show"


def react(uow: UnitOfWork, event: scheduling_events.NoShowRecorded) -> None:
    """Calls the session off."""
    call_off(uow, UUID(event.session_id), from_timestamp(event.recorded_at), REASON)
