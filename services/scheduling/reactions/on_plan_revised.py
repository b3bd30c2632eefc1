"""A prescriber changed a signed plan: it may have more sessions now, or fewer."""

from uuid import UUID

from sqlalchemy import update

from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling.tables import plan


def react(uow: UnitOfWork, event: plan_events.PlanRevised) -> None:
    """Renews the number of sessions. Bookings that stand are left for people to move or cancel."""
    uow.execute(
        update(plan).where(plan.c.plan_id == UUID(event.plan_id)).values(sessions_planned=event.sessions_planned)
    )
