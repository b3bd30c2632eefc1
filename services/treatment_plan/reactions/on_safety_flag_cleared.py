"""A clinician cleared a safety flag: it refuses nothing any more."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.records import lock_person
from treatment_plan.tables import safety_flag


def react(uow: UnitOfWork, event: intake_events.SafetyFlagCleared) -> None:
    """Marks the flag; kept as cleared also when its raising is not known."""
    lock_person(uow, UUID(event.person_id))
    cleared = {"cleared_at": from_timestamp(event.cleared_at)}
    uow.execute(
        insert(safety_flag)
        .values(
            flag_id=UUID(event.flag_id),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            blocks=False,
            **cleared,
        )
        .on_conflict_do_update(index_elements=[safety_flag.c.flag_id], set_=cleared)
    )
