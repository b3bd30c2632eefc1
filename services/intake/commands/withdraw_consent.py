"""A person takes a consent back: from this clinic time on it is not in force."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import roles
from intake.contract import CONSENT_KIND_OF
from intake.record import lock_person
from intake.tables import consent
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.WithdrawConsentRequest) -> Ids:
    """NotFound when the consent is not this person's; CONSENT_WITHDRAWN when it was taken back before. An expired one may be taken back."""
    person_id, consent_id = UUID(request.person_id), UUID(request.consent_id)
    lock_person(uow, person_id)
    mine = consent.c.consent_id == consent_id, consent.c.person_id == person_id
    row = uow.execute(select(consent).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("consent_id", "must be a consent of this person")
    if row.withdrawn_at is not None:
        rule = "a consent is withdrawn once"
        raise FailedPrecondition("CONSENT_WITHDRAWN", field="consent_id", rule=rule, consent_id=str(consent_id))
    uow.execute(update(consent).where(*mine).values(withdrawn_at=uow.clinic_time, withdrawn_by=uow.context.actor_id))
    uow.emit(
        events.ConsentWithdrawn(
            consent_id=str(consent_id),
            person_id=str(person_id),
            site_id=str(row.site_id),
            kind=CONSENT_KIND_OF[row.kind],
            withdrawn_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"consent_id": str(consent_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.WithdrawConsentResponse:
    """The consent's id."""
    return pb.WithdrawConsentResponse(consent_id=ids["consent_id"])


COMMAND = Command("WithdrawConsent", pb.WithdrawConsentRequest, handle, answer, roles=roles.SCREENS)
