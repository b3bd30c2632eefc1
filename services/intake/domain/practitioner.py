"""Licences, registrations and privileges: the check digits of their numbers, and what stands against an act.

NPI: Luhn over the digits with the prefix 80840 (45 CFR 162.406; ISO/IEC 7812). DEA number: two letters and seven digits, the last one
the last digit of (1st + 3rd + 5th) + 2 x (2nd + 4th + 6th) (DEA registration number format). Who may do what: house policy after the
Arizona boards.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from chassis.errors import Finding

DIAGNOSE, CLEAR, SIGN, ADMINISTER = "diagnose", "clear", "sign", "administer"
PRIVILEGES = (DIAGNOSE, CLEAR, SIGN, ADMINISTER)

NOT_RECORDED = "PRACTITIONER_NOT_RECORDED"
LICENCE_EXPIRED = "LICENCE_EXPIRED"
LICENCE_TYPE_EXCLUDES = "LICENCE_TYPE_EXCLUDES"
PRIVILEGE_MISSING = "PRIVILEGE_MISSING"
DEA_MISSING = "DEA_REGISTRATION_MISSING"

_NPI_PREFIX = "80840"


@dataclass(frozen=True)
class Standing:
    """What holds for a practitioner at one site. `privileges` is empty where they do not work there; `dea_expires_on` may be None."""

    licence_type: str
    licence_expires_on: date
    privileges: frozenset[str]
    dea_expires_on: date | None


def npi_is_valid(npi: str) -> bool:
    """Ten digits whose last one is the check digit."""
    if len(npi) != 10 or not npi.isascii() or not npi.isdigit():
        return False
    total = 0
    for place, digit in enumerate(reversed(_NPI_PREFIX + npi)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def dea_number_is_valid(number: str) -> bool:
    """Two letters (the second may be a 9) and seven digits whose last one is the check digit."""
    letters, digits = number[:2], number[2:]
    if len(number) != 9 or not number.isascii() or not digits.isdigit():
        return False
    if not (letters[0].isupper() and (letters[1].isupper() or letters[1] == "9")):
        return False
    values = [int(digit) for digit in digits]
    return (sum(values[0:6:2]) + 2 * sum(values[1:6:2])) % 10 == values[6]


def against(standing: Standing | None, allowed: Collection[str], privilege: str, today: date) -> list[Finding]:
    """Everything that stands against an act that needs a privilege, at the site's date. Empty: it may be done.

    `allowed`: the privileges that the policy lets this licence type hold. Each finding's field is a stable code.
    """
    if standing is None:
        return [Finding(NOT_RECORDED, "the practitioner must be on record")]
    found = []
    if standing.licence_expires_on < today:
        found.append(Finding(LICENCE_EXPIRED, "the licence must hold on the day at the site"))
    if privilege not in standing.privileges:
        found.append(Finding(PRIVILEGE_MISSING, f"the privilege {privilege} must be held at this site"))
    elif privilege not in allowed:
        found.append(Finding(LICENCE_TYPE_EXCLUDES, f"the licence must be of a type that may {privilege}"))
    if privilege == SIGN and (standing.dea_expires_on is None or standing.dea_expires_on < today):
        found.append(Finding(DEA_MISSING, "signing needs a DEA registration that holds at this site on this day"))
    return found
