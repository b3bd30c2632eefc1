"""What most commands ask of the record first: is the site known, is the person registered there."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import FailedPrecondition, NotFound
from chassis.unit_of_work import UnitOfWork
from intake.tables import person, registration, site


def zone_of(uow: UnitOfWork, site_id: UUID) -> str:
    """The site's IANA zone. SITE_UNKNOWN until scheduling's word of its opening has arrived."""
    zone: str | None = uow.execute(select(site.c.time_zone).where(site.c.site_id == site_id)).scalar_one_or_none()
    if zone is None:
        raise FailedPrecondition(
            "SITE_UNKNOWN", field="site_id", rule="the site must have been opened in scheduling", site_id=str(site_id)
        )
    return zone


def lock_person(uow: UnitOfWork, person_id: UUID) -> None:
    """Writes about one person follow one another, so that a flag and a decision never miss each other. NotFound for nobody."""
    query = select(person.c.person_id).where(person.c.person_id == person_id).with_for_update(key_share=True)
    if uow.execute(query).one_or_none() is None:
        raise NotFound("person_id", "must be a person on record")


def lock_person_at(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> None:
    """`lock_person`, and the person must be registered at the site: a fact is recorded where the person is known."""
    lock_person(uow, person_id)
    require_registered_at(uow, person_id, site_id)


def require_registered_at(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> None:
    """NOT_REGISTERED_AT_SITE for a person whom the site does not know."""
    at_site = select(registration.c.site_id).where(
        registration.c.person_id == person_id, registration.c.site_id == site_id
    )
    if uow.execute(at_site).one_or_none() is None:
        raise FailedPrecondition(
            "NOT_REGISTERED_AT_SITE",
            field="site_id",
            rule="the person must be registered at this site first",
            person_id=str(person_id),
            site_id=str(site_id),
        )
