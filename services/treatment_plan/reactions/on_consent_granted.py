"""A consent was signed: the copy that orders look at."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.consents import kind_of
from treatment_plan.records import lock_person
from treatment_plan.tables import consent


def react(uow: UnitOfWork, event: intake_events.ConsentGranted) -> None:
    """Keeps the grant; a withdrawal that is on record already stays."""
    lock_person(uow, UUID(event.person_id))
    granted = {
        "granted_at": from_timestamp(event.granted_at),
        "expires_at": from_timestamp(event.expires_at) if event.HasField("expires_at") else None,
    }
    uow.execute(
        insert(consent)
        .values(
            consent_id=UUID(event.consent_id),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            kind=kind_of(event.kind),
            **granted,
        )
        .on_conflict_do_update(index_elements=[consent.c.consent_id], set_=granted)
    )
