"""A prescriber signed a plan: its sessions may be booked."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling.domain import words
from scheduling.tables import plan


def react(uow: UnitOfWork, event: plan_events.PlanSigned) -> None:
    """Keep or renew the copy. A suspended plan that is signed again is bookable again."""
    facts = {
        "state": words.PLAN_SIGNED,
        "sessions_planned": event.sessions_planned,
        "indication": event.indication,
    }
    uow.execute(
        insert(plan)
        .values(plan_id=UUID(event.plan_id), person_id=UUID(event.person_id), site_id=UUID(event.site_id), **facts)
        .on_conflict_do_update(constraint="plan_pkey", set_=facts)
    )
