"""Treatment-plan says whether a change may go on."""

from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling.reactions.answered import answered


def react(uow: UnitOfWork, event: plan_events.SessionChangeAnswered) -> None:
    """Keeps the plan's side of the answer."""
    answered(uow, event.change_id, "plan_accepted", event.accepted, event.reason_code)
