"""Who may act: licence, privilege and registration at a site, from the copy of what intake recorded.

House policy: diagnosing, clearing, signing and administering are separate privileges, by site; a licence holds to the end of its last
day on the site's wall; who signs needs a DEA registration for the site (21 CFR 1301.12: one for each place).
"""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import FailedPrecondition, PermissionDenied
from chassis.unit_of_work import UnitOfWork
from chassis.values import site_date
from device_telemetry.care_tables import practitioner, practitioner_site, site

TOPIC = "saguaro.intake.practitioner"


def require_privilege(uow: UnitOfWork, site_id: UUID, privilege: str) -> None:
    """The actor has it at this site and time. FailedPrecondition while not yet known here; PermissionDenied names what is missing."""
    actor_id = uow.context.actor_id
    uow.refuse_if_parked(TOPIC, str(actor_id))
    found = uow.execute(
        select(practitioner.c.licence_expires_on, practitioner_site.c.privileges, practitioner_site.c.dea_expires_on)
        .outerjoin(
            practitioner_site,
            (practitioner_site.c.practitioner_id == practitioner.c.practitioner_id)
            & (practitioner_site.c.site_id == site_id),
        )
        .where(practitioner.c.practitioner_id == actor_id)
    ).one_or_none()
    if found is None:
        raise FailedPrecondition(
            "PRACTITIONER_NOT_YET_KNOWN", field="actor_id", rule="must be a practitioner on record; repeat the call"
        )
    zone = uow.execute(select(site.c.time_zone).where(site.c.site_id == site_id)).scalar_one_or_none()
    if zone is None:
        raise FailedPrecondition(
            "SITE_NOT_YET_KNOWN", field="site_id", rule="must be a site that was opened; repeat the call"
        )
    today = site_date(uow.clinic_time, zone)
    if found.licence_expires_on < today:
        raise PermissionDenied("LICENCE_EXPIRED", rule="the licence must not have expired at the site's date")
    if privilege not in (found.privileges or ()):
        raise PermissionDenied("PRIVILEGE_MISSING", rule=f"needs the privilege {privilege} at this site")
    if privilege == "sign" and (found.dea_expires_on is None or found.dea_expires_on < today):
        raise PermissionDenied("DEA_REGISTRATION_MISSING", rule="needs a DEA registration for this site, not expired")
