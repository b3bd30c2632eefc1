"""A consent was taken back. Treatment rests on it: the person's unused orders are revoked."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.consents import kind_of
from treatment_plan.records import TREATMENT_CONSENT, lock_person, revoke_unused_orders
from treatment_plan.tables import consent, treatment_order

REASON = "consent.withdrawn"


def react(uow: UnitOfWork, event: intake_events.ConsentWithdrawn) -> None:
    """Keeps the withdrawal. Another kind of consent touches no order; an infusion that runs is not stopped from here."""
    person_id, kind = UUID(event.person_id), kind_of(event.kind)
    lock_person(uow, person_id)
    withdrawn = {"withdrawn_at": from_timestamp(event.withdrawn_at)}
    uow.execute(
        insert(consent)
        .values(
            consent_id=UUID(event.consent_id),
            person_id=person_id,
            site_id=UUID(event.site_id),
            kind=kind,
            **withdrawn,
        )
        .on_conflict_do_update(index_elements=[consent.c.consent_id], set_=withdrawn)
    )
    if kind == TREATMENT_CONSENT:
        revoke_unused_orders(uow, treatment_order.c.person_id == person_id, REASON)
