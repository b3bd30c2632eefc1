"""A person may not be treated for an indication: from now on no plan is drafted or signed for it."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.tables import clearance


def react(uow: UnitOfWork, event: intake_events.PatientDeclined) -> None:
    """Keeps the decision; the latest of a person and indication counts."""
    uow.execute(
        insert(clearance)
        .values(
            clearance_id=UUID(event.clearance_id),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            indication=event.indication,
            cleared=False,
            decided_at=from_timestamp(event.declined_at),
            expires_at=None,
        )
        .on_conflict_do_nothing()
    )
