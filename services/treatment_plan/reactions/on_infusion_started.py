"""The pump runs: the session is infusing."""

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.infusions import keep_progress, session_with_order


def react(uow: UnitOfWork, event: device_events.InfusionStarted) -> None:
    """The device's report is the fact: also a session that was called off meanwhile is infusing."""
    session = session_with_order(uow, event.session_id, event.order_id)
    keep_progress(uow, session, started_at=from_timestamp(event.started_at))
