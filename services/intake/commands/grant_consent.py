"""A person signs a consent for one site. Ketamine: off-label use, risks and alternatives, no driving the same day."""

from uuid import UUID

from sqlalchemy import insert

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from intake import roles
from intake.contract import CONSENT_KINDS
from intake.record import lock_person_at
from intake.tables import consent
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.GrantConsentRequest) -> Ids:
    """In force from this clinic time until its end. A second consent beside one in force is another series, and allowed."""
    expires_at = from_timestamp(request.expires_at)
    if expires_at <= uow.clinic_time:
        raise InvalidArgument("expires_at", "must be after the clinic time at which the consent is granted")
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    lock_person_at(uow, person_id, site_id)
    consent_id = uow.new_id()
    uow.execute(
        insert(consent).values(
            consent_id=consent_id,
            person_id=person_id,
            site_id=site_id,
            kind=CONSENT_KINDS[request.kind],
            granted_at=uow.clinic_time,
            expires_at=expires_at,
            granted_by=uow.context.actor_id,
        )
    )
    uow.emit(
        events.ConsentGranted(
            consent_id=str(consent_id),
            person_id=str(person_id),
            site_id=str(site_id),
            kind=request.kind,
            granted_at=to_timestamp(uow.clinic_time),
            expires_at=to_timestamp(expires_at),
        )
    )
    return {"consent_id": str(consent_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.GrantConsentResponse:
    """The consent's id."""
    return pb.GrantConsentResponse(consent_id=ids["consent_id"])


COMMAND = Command("GrantConsent", pb.GrantConsentRequest, handle, answer, roles=roles.SCREENS)
