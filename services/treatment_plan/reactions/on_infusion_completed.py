"""The volume went in: the pump's totals are kept, and the session can be closed."""

from chassis.unit_of_work import UnitOfWork
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.infusions import keep_totals


def react(uow: UnitOfWork, event: device_events.InfusionCompleted) -> None:
    """Keeps the totals as completed."""
    keep_totals(uow, event, "completed", None)
