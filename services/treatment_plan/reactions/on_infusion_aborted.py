"""The infusion ended before its volume went in: its totals are kept the same way."""

from chassis.unit_of_work import UnitOfWork
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.infusions import keep_totals


def react(uow: UnitOfWork, event: device_events.InfusionAborted) -> None:
    """Keeps the totals as aborted, with the code of the reason."""
    keep_totals(uow, event, "aborted", event.reason_code or None)
