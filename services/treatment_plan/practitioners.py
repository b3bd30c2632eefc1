"""Whether who calls may do it here and today, by the copies of intake's practitioners and scheduling's sites."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from chassis.errors import FailedPrecondition
from chassis.unit_of_work import UnitOfWork
from chassis.values import site_date
from treatment_plan.domain.privileges import AtSite, Practitioner, require
from treatment_plan.practitioner_tables import practitioner, practitioner_site, site

PRACTITIONER_TOPIC = "saguaro.intake.practitioner"


def require_privilege(
    uow: UnitOfWork, site_id: UUID | str, privilege: str, practitioner_id: UUID | str | None = None
) -> None:
    """Refuses unless the practitioner (by default who calls) holds the privilege at the site on the site's day.

    FailedPrecondition SITE_NOT_YET_KNOWN or PRACTITIONER_NOT_YET_KNOWN (their word may be on the way: repeat the call);
    PermissionDenied LICENCE_EXPIRED, PRIVILEGE_MISSING, DEA_REGISTRATION_MISSING.
    """
    who = UUID(str(practitioner_id or uow.context.actor_id))
    # A licence that was taken back and could not be applied must not be read from the copy.
    uow.refuse_if_parked(PRACTITIONER_TOPIC, str(who))
    today = site_day(uow, site_id)
    require(known_practitioner(uow, who), str(UUID(str(site_id))), privilege, today)


def site_day(uow: UnitOfWork, site_id: UUID | str) -> date:
    """The calendar day at the site. FailedPrecondition SITE_NOT_YET_KNOWN."""
    chosen = select(site.c.time_zone).where(site.c.site_id == UUID(str(site_id)))
    zone = uow.execute(chosen).scalar_one_or_none()
    if zone is None:
        raise FailedPrecondition(
            "SITE_NOT_YET_KNOWN",
            rule="the site's opening must have arrived; repeat the call with the same request_id",
            site_id=str(site_id),
        )
    return site_date(uow.clinic_time, zone)


def known_practitioner(uow: UnitOfWork, practitioner_id: UUID) -> Practitioner:
    """The practitioner with every site. FailedPrecondition PRACTITIONER_NOT_YET_KNOWN."""
    mine = practitioner.c.practitioner_id == practitioner_id
    row = uow.execute(select(practitioner.c.licence_expires_on).where(mine)).one_or_none()
    if row is None:
        raise FailedPrecondition(
            "PRACTITIONER_NOT_YET_KNOWN",
            rule="the practitioner must be on record and its word have arrived; repeat the call with the same request_id",
            practitioner_id=str(practitioner_id),
        )
    granted = uow.execute(select(practitioner_site).where(practitioner_site.c.practitioner_id == practitioner_id)).all()
    sites = {str(item.site_id): AtSite(frozenset(item.privileges), item.dea_expires_on) for item in granted}
    return Practitioner(row.licence_expires_on, sites)
