"""Synthetic patients, drawn from a seed. The same seed and index give the same person, however many are drawn.

Phones lie in 555-0100 to 555-0199, which the numbering plan keeps for fiction; e-mail domains end in `.example` (RFC 2606).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from saguaro.intake.v1 import types_pb2 as intake_types
from simulator.names import family_name, given_name, street_name

# City and postal code of each place, in the order of `simulator.places.PLACES`.
_TOWNS: Final = (
    ("Phoenix", "85004"),
    ("Scottsdale", "85251"),
    ("Window Rock", "86515"),
    ("Mesa", "85201"),
    ("Tucson", "85701"),
    ("Flagstaff", "86001"),
)
_AREA_CODES: Final = ("602", "480", "928", "623", "520")
_FIRST_BIRTH: Final = date(1946, 2, 3)
# Everybody drawn is of age on every clinic day.
_BIRTH_DAYS: Final = 20_800
_SEXES: Final = (
    intake_types.ADMINISTRATIVE_SEX_FEMALE,
    intake_types.ADMINISTRATIVE_SEX_MALE,
    intake_types.ADMINISTRATIVE_SEX_OTHER,
    intake_types.ADMINISTRATIVE_SEX_UNKNOWN,
)


@dataclass(frozen=True)
class SyntheticPerson:
    """Who a drawn person is. All text; `birth_date` is YYYY-MM-DD, `phone` E.164."""

    given_name: str
    family_name: str
    birth_date: str
    administrative_sex: "intake_types.AdministrativeSex.ValueType"
    phone: str
    email: str
    address_line: str
    city: str
    state: str
    postal_code: str
    # The record number at each site, by the site's index, begins with this.
    record_number: str
    # What a clinician would write about them.
    note: str

    def identity(self) -> intake_types.PersonIdentity:
        """As intake takes it."""
        return intake_types.PersonIdentity(
            given_name=self.given_name,
            family_name=self.family_name,
            birth_date=self.birth_date,
            administrative_sex=self.administrative_sex,
            phone=self.phone,
            email=self.email,
            address_line=self.address_line,
            city=self.city,
            state=self.state,
            postal_code=self.postal_code,
        )

    def identifying_values(self) -> tuple[str, ...]:
        """What must be found nowhere but in a sealed column. City, state and postal code are those of many, and are left out."""
        return (
            self.given_name,
            self.family_name,
            self.birth_date,
            self.phone,
            # What stands before the mark of a run.
            self.email.partition("+")[0],
            self.address_line,
            self.record_number,
            self.note,
        )


def person(seed: int, index: int, town: int = 0, mark: str = "") -> SyntheticPerson:
    """The person of this seed and index (from 0), living in the town of a place's index.

    `mark` is of the run and stands in the e-mail address alone: whoever looks the same was drawn by another run, and is less alike.
    """
    random = Random(f"saguaro synthetic person {seed}/{index}")
    given, family = given_name(random), family_name(random, index)
    born = _FIRST_BIRTH + timedelta(days=random.randrange(_BIRTH_DAYS))
    sex = random.choices(_SEXES, weights=(46, 46, 5, 3))[0]
    area = _AREA_CODES[index % len(_AREA_CODES)]
    city, postal_code = _TOWNS[town % len(_TOWNS)]
    code = "".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=6))
    return SyntheticPerson(
        given_name=given,
        family_name=family,
        birth_date=born.isoformat(),
        administrative_sex=sex,
        phone=f"+1{area}55501{index // len(_AREA_CODES) % 100:02d}",
        email=f"{given}.{family}+{mark or 'none'}@synthetic.example".lower(),
        address_line=f"{random.randrange(100, 9900)} {street_name(random)}",
        city=city,
        state="AZ",
        postal_code=postal_code,
        record_number=f"MRN-{code}-{index:04d}",
        note=f"Seen in person: {given} has no plan and no means, agrees to a safety plan with {given_name(random)}.",
    )


def seeded_identities(seed: int, patients: int) -> list[str]:
    """Every identifying value that a journey of this seed sends, sorted, each once: what a search for leaks looks for."""
    return sorted({value for index in range(patients) for value in person(seed, index).identifying_values()})
