"""A plan is held: no new session of it is booked."""

from uuid import UUID

from sqlalchemy import update

from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling.domain import words
from scheduling.tables import plan


def react(uow: UnitOfWork, event: plan_events.PlanSuspended) -> None:
    """Marks the copy. Sessions that are booked stand: people decide about them, and no order starts without a plan.

    A plan that was never signed has no copy and cannot be booked anyway.
    """
    uow.execute(update(plan).where(plan.c.plan_id == UUID(event.plan_id)).values(state=words.PLAN_SUSPENDED))
