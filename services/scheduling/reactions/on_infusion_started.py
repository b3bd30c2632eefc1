"""The pump runs. The booking is fulfilled."""

from chassis.unit_of_work import UnitOfWork
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from scheduling.reactions.fulfil import fulfil


def react(uow: UnitOfWork, event: device_events.InfusionStarted) -> None:
    """Marks the booking fulfilled."""
    fulfil(uow, event.session_id)
