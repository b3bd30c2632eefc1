"""Treatment-plan and device-telemetry say whether a change may go on: two events of one name, one of each."""

from chassis.unit_of_work import UnitOfWork
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling.reactions.answered import answered


def of_plan(uow: UnitOfWork, event: plan_events.SessionChangeAnswered) -> None:
    """Keeps the plan's side of the answer."""
    answered(uow, event.change_id, "plan_accepted", event.accepted, event.reason_code)


def of_devices(uow: UnitOfWork, event: device_events.SessionChangeAnswered) -> None:
    """Keeps the devices' side of the answer."""
    answered(uow, event.change_id, "devices_accepted", event.accepted, event.reason_code)
