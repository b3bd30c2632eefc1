"""The infusion ended before its volume went in: its totals are kept, and the next order waits for a prescriber."""

from chassis.unit_of_work import UnitOfWork
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from treatment_plan.holds import place_hold
from treatment_plan.infusions import keep_totals

REASON = "infusion.aborted"


def react(uow: UnitOfWork, event: device_events.InfusionAborted) -> None:
    """Keeps the totals as aborted, with the code of the reason where it is known, and holds what comes next."""
    session = keep_totals(uow, event, "aborted", event.reason_code or None)
    place_hold(uow, session.person_id, session.site_id, session.plan_id, session.session_id, REASON)
