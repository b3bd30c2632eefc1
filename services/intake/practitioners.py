"""Practitioners on record: how they stand at a site, and the one check that every act of a licensed person passes."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from chassis.errors import Finding, PermissionDenied
from chassis.unit_of_work import UnitOfWork
from chassis.values import site_date, to_timestamp
from intake import policy
from intake.domain.practitioner import Standing, against
from intake.practitioner_tables import licence_privilege, practitioner, practitioner_revision, practitioner_site
from intake.record import zone_of
from saguaro.intake.v1 import types_pb2 as types

# The site's part of the revision that holds.
_AT_SITE = and_(
    practitioner_site.c.practitioner_id == practitioner.c.practitioner_id,
    practitioner_site.c.revision == practitioner.c.revision,
)


def standing(uow: UnitOfWork, practitioner_id: UUID, site_id: UUID) -> Standing | None:
    """How a practitioner stands at a site now; None for somebody who is not on record."""
    holds = and_(
        practitioner_revision.c.practitioner_id == practitioner.c.practitioner_id,
        practitioner_revision.c.revision == practitioner.c.revision,
    )
    joined = practitioner.join(practitioner_revision, holds).outerjoin(
        practitioner_site, and_(_AT_SITE, practitioner_site.c.site_id == site_id)
    )
    row = uow.execute(
        select(
            practitioner_revision.c.licence_type,
            practitioner_revision.c.licence_expires_on,
            practitioner_site.c.privileges,
            practitioner_site.c.dea_expires_on,
        )
        .select_from(joined)
        .where(practitioner.c.practitioner_id == practitioner_id)
    ).one_or_none()
    if row is None:
        return None
    return Standing(row.licence_type, row.licence_expires_on, frozenset(row.privileges or ()), row.dea_expires_on)


def allowed_privileges(uow: UnitOfWork, licence_type: str, site_id: UUID | str) -> list[str]:
    """What the policy lets a licence type hold at a site."""
    keys = ("licence_type", "privilege")
    found = policy.rows(uow, licence_privilege, keys, site_id, licence_type=licence_type)
    return [row.privilege for row in found if row.allowed]


def missing(uow: UnitOfWork, practitioner_id: UUID, site_id: UUID, privilege: str) -> list[Finding]:
    """Everything that stands against an act at a site, now. SITE_UNKNOWN for a site whose day cannot be told."""
    found = standing(uow, practitioner_id, site_id)
    today = site_date(uow.clinic_time, zone_of(uow, site_id))
    allowed = allowed_privileges(uow, found.licence_type, site_id) if found else []
    return against(found, allowed, privilege, today)


def require_privilege(uow: UnitOfWork, site_id: UUID, *any_of: str) -> None:
    """PermissionDenied unless the caller may do one of these at the site; every finding is named, the first is the reason."""
    found: dict[str, Finding] = {}
    for privilege in any_of:
        against_it = missing(uow, UUID(str(uow.context.actor_id)), site_id, privilege)
        if not against_it:
            return
        for finding in against_it:
            found.setdefault(finding.field, Finding(finding.field, finding.rule))
    findings = list(found.values())
    needed = " or ".join(any_of)
    rule = f"needs the privilege {needed} at this site: " + "; ".join(finding.field for finding in findings)
    raise PermissionDenied(findings[0].field, field="actor_id", rule=rule, findings=findings, site_id=str(site_id))


def at_site(uow: UnitOfWork, site_id: UUID) -> list[UUID]:
    """Practitioners who work at a site, by id."""
    query = (
        select(practitioner.c.practitioner_id)
        .join(practitioner_site, _AT_SITE)
        .where(practitioner_site.c.site_id == site_id)
    )
    return list(uow.execute(query.order_by(practitioner.c.practitioner_id)).scalars())


def message_of(uow: UnitOfWork, row: Any, sites: Sequence[Any]) -> types.Practitioner:
    """The message of a revision (a row of `practitioner_revision`) and of its sites, with its numbers opened."""
    subject = row.practitioner_id
    return types.Practitioner(
        practitioner_id=str(subject),
        revision=row.revision,
        licence_type=row.licence_type,
        licence_state=row.licence_state,
        licence_number=uow.open(subject, row.licence_number_sealed),
        licence_expires_on=row.licence_expires_on.isoformat(),
        npi=row.npi,
        recorded_at=to_timestamp(row.recorded_at),
        sites=[
            types.SitePractice(
                site_id=str(place.site_id),
                privileges=place.privileges,
                dea_number=uow.open(subject, place.dea_number_sealed) if place.dea_number_sealed else "",
                dea_expires_on=place.dea_expires_on.isoformat() if place.dea_expires_on else "",
            )
            for place in sites
        ],
    )
