"""The pump runs: the session is infusing."""

from chassis.unit_of_work import UnitOfWork
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.infusions import session_with_order
from treatment_plan.records import set_session_state


def react(uow: UnitOfWork, event: device_events.InfusionStarted) -> None:
    """The device's report is the fact: also a session that was called off meanwhile is infusing."""
    session = session_with_order(uow, event.session_id, event.order_id)
    if session.state not in ("ended", "closed"):
        set_session_state(uow, session.session_id, "infusing")
