"""A held plan goes on: its sessions may be booked again."""

from uuid import UUID

from sqlalchemy import update

from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling.domain import words
from scheduling.tables import plan


def react(uow: UnitOfWork, event: plan_events.PlanResumed) -> None:
    """Marks the copy; only a suspended plan resumes, a completed one stays so."""
    uow.execute(
        update(plan)
        .where(plan.c.plan_id == UUID(event.plan_id), plan.c.state == words.PLAN_SUSPENDED)
        .values(state=words.PLAN_SIGNED)
    )
