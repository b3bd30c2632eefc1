"""The pump runs again: so does the session, unless it paused since."""

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.infusions import keep_progress, session_on_pump


def react(uow: UnitOfWork, event: device_events.InfusionResumed) -> None:
    """Keeps the latest resume; the state follows from the times, not from the order in which they arrive."""
    keep_progress(uow, session_on_pump(uow, event.session_id), last_resumed_at=from_timestamp(event.resumed_at))
