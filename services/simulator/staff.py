"""Who works at a simulated site, with licences, privileges and registrations that were drawn from the run and belong to nobody."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_LICENCE_HOLDS_UNTIL: Final = "2027-12-31"
_REGISTRATION_HOLDS_UNTIL: Final = "2027-06-30"


@dataclass(frozen=True)
class Post:
    """A post at a site: who holds it, and what they may do there."""

    name: str
    licence_type: str
    privileges: tuple[str, ...]

    @property
    def signs(self) -> bool:
        """Whether the post needs a DEA registration."""
        return "sign" in self.privileges


# A second nurse checks the bag, a witness the waste: never the one who prepared it.
POSTS: Final = (
    Post("prescriber", "MD", ("diagnose", "clear", "sign", "administer")),
    Post("clinician", "NP", ("diagnose", "clear")),
    Post("nurse", "RN", ("administer",)),
    Post("second_nurse", "RN", ("administer",)),
    Post("witness", "RN", ("administer",)),
    Post("charge_nurse", "RN", ("administer",)),
)


@dataclass(frozen=True)
class Papers:
    """Numbers of a practitioner; right by their check digits, drawn from an id."""

    licence_type: str
    licence_number: str
    licence_expires_on: str
    npi: str
    dea_number: str
    dea_expires_on: str


def papers_of(post: Post, practitioner_id: str) -> Papers:
    """The papers of whoever holds a post; the same id has the same numbers."""
    digits = str(int(sha256(practitioner_id.encode()).hexdigest(), 16))
    return Papers(
        licence_type=post.licence_type,
        licence_number=f"SYN-{digits[:6]}",
        licence_expires_on=_LICENCE_HOLDS_UNTIL,
        npi=_npi(f"1{digits[6:14]}"),
        dea_number=_dea(digits[14:20]) if post.signs else "",
        dea_expires_on=_REGISTRATION_HOLDS_UNTIL if post.signs else "",
    )


def _npi(nine: str) -> str:
    """Nine digits with the check digit of Luhn's formula over 80840 and them (ISO/IEC 7812, CMS NPI standard)."""
    total = 0
    for place, digit in enumerate(reversed(f"80840{nine}")):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{nine}{-total % 10}"


def _dea(six: str) -> str:
    """A number for a practitioner: odd places once, even places twice, the sum's last digit at the end (21 CFR 1301.35 practice)."""
    numbers = [int(digit) for digit in six]
    total = sum(numbers[0::2]) + 2 * sum(numbers[1::2])
    return f"FS{six}{total % 10}"
