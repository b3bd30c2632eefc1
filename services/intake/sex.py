"""The administrative sex of a person, which some rules rest on. It lies sealed with the identity and never leaves by itself."""

from uuid import UUID

from sqlalchemy import select

from chassis.unit_of_work import UnitOfWork
from intake.people import open_identity
from intake.tables import registration


def administrative_sex(uow: UnitOfWork, person_id: UUID) -> str:
    """The contract's name of what was stated last, such as ADMINISTRATIVE_SEX_FEMALE. The person must be registered somewhere."""
    query = select(registration.c.identity_sealed).where(registration.c.person_id == person_id)
    latest = query.order_by(registration.c.registered_at.desc(), registration.c.site_id).limit(1)
    return open_identity(uow, person_id, uow.execute(latest).scalar_one()).administrative_sex
