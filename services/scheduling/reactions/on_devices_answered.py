"""Device-telemetry says whether a change may go on."""

from chassis.unit_of_work import UnitOfWork
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from scheduling.reactions.answered import answered


def react(uow: UnitOfWork, event: device_events.SessionChangeAnswered) -> None:
    """Keeps the devices' side of the answer."""
    answered(uow, event.change_id, "devices_accepted", event.accepted, event.reason_code)
