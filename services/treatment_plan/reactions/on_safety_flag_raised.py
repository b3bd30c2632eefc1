"""A safety flag is open. One that blocks refuses drafts, signatures and orders until it is cleared."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.records import lock_person
from treatment_plan.tables import safety_flag


def react(uow: UnitOfWork, event: intake_events.SafetyFlagRaised) -> None:
    """Keeps the flag; one that is known as cleared stays cleared."""
    lock_person(uow, UUID(event.person_id))
    raised = {"blocks": event.blocks, "raised_at": from_timestamp(event.raised_at)}
    uow.execute(
        insert(safety_flag)
        .values(flag_id=UUID(event.flag_id), person_id=UUID(event.person_id), site_id=UUID(event.site_id), **raised)
        .on_conflict_do_update(index_elements=[safety_flag.c.flag_id], set_=raised)
    )
