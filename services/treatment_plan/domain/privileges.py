"""What a practitioner may do at a site on a day.

Licence, privileges and DEA registration are each needed and each checked: who prescribes a Schedule III substance is registered for the
place of practice (21 CFR 1301.12); the privileges are granted by site (house policy).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from chassis.errors import PermissionDenied

SIGN = "sign"
ADMINISTER = "administer"


@dataclass(frozen=True)
class AtSite:
    """What was granted at one site. `dea_expires_on`: last day of the registration there, None without one."""

    privileges: frozenset[str]
    dea_expires_on: date | None


@dataclass(frozen=True)
class Practitioner:
    """A practitioner as they stand. `licence_expires_on`: last day on which the licence holds; `sites` by site id."""

    licence_expires_on: date
    sites: Mapping[str, AtSite]


def require(practitioner: Practitioner, site_id: str, privilege: str, today: date) -> None:
    """PermissionDenied LICENCE_EXPIRED, PRIVILEGE_MISSING, or for signing DEA_REGISTRATION_MISSING. `today` is the site's day."""
    if practitioner.licence_expires_on < today:
        raise PermissionDenied("LICENCE_EXPIRED", rule="the licence must not be past its last day")
    granted = practitioner.sites.get(site_id)
    if granted is None or privilege not in granted.privileges:
        raise PermissionDenied("PRIVILEGE_MISSING", rule=f"the privilege to {privilege} must be granted at this site")
    if privilege == SIGN and (granted.dea_expires_on is None or granted.dea_expires_on < today):
        raise PermissionDenied(
            "DEA_REGISTRATION_MISSING",
            rule="signing needs a DEA registration for this site that is not past its last day",
        )
