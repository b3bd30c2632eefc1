"""A session was booked: its record begins, and orders may be issued for it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Poison
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from treatment_plan.tables import plan, session_record


def react(uow: UnitOfWork, event: scheduling_events.SessionBooked) -> None:
    """Poison when the plan is not ours, or another person's.

    It would wait for ever as early: scheduling learns of a plan from the event that this service commits together with the plan, so that a
    plan which is not here now never will be.
    """
    plan_id, session_id = UUID(event.plan_id), UUID(event.session_id)
    of_plan = uow.execute(select(plan.c.person_id).where(plan.c.plan_id == plan_id)).one_or_none()
    if of_plan is None:
        raise Poison("plan_id: must be a plan of this service")
    if of_plan.person_id != UUID(event.person_id):
        raise Poison("person_id: must be the person of the plan")
    uow.execute(
        insert(session_record)
        .values(
            session_id=session_id,
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            plan_id=plan_id,
            ordinal=event.ordinal,
            state="planned",
            starts_at=from_timestamp(event.starts_at),
            booked_at=from_timestamp(event.booked_at),
        )
        .on_conflict_do_nothing()
    )
    uow.arrived(f"session:{session_id}")
