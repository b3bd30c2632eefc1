"""A person is on record: they get an account, by id alone."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from billing.tables import account
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events


def react(uow: UnitOfWork, event: intake_events.PatientRegistered) -> None:
    """Opens the account, and lets go on what waited for the person."""
    uow.execute(
        insert(account)
        .values(
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            opened_at=from_timestamp(event.registered_at),
            synthetic=event.synthetic,
        )
        .on_conflict_do_nothing()
    )
    uow.arrived(f"person:{event.person_id}")
