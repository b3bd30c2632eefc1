"""The sites that a journey brings with it, and who and what is at them. All ids follow from the run: many journeys fit on one network."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

# Name, short code, IANA zone. Most of Arizona keeps MST all year; the Navajo Nation observes daylight saving time.
PLACES: Final = (
    ("Phoenix", "PHX", "America/Phoenix"),
    ("Scottsdale", "SCT", "America/Phoenix"),
    ("Window Rock", "WRK", "America/Denver"),
    ("Mesa", "MSA", "America/Phoenix"),
    ("Tucson", "TUS", "America/Phoenix"),
    ("Flagstaff", "FLG", "America/Phoenix"),
)


@dataclass(frozen=True)
class Run:
    """One journey. Ids are UUIDv5 of the run and a name."""

    run_id: UUID

    def id(self, *name: object) -> str:
        """The id of something of this run."""
        return str(uuid5(self.run_id, "/".join(str(part) for part in name)))

    @property
    def mark(self) -> str:
        """Eight characters that make codes of this run unique."""
        return self.run_id.hex[:8].upper()


@dataclass(frozen=True)
class Place:
    """One site with its people."""

    run: Run
    index: int

    @property
    def site_id(self) -> str:
        """The site's id."""
        return self.run.id("site", self.code)

    @property
    def name(self) -> str:
        """The town."""
        return PLACES[self.index][0]

    @property
    def code(self) -> str:
        """Short code, the same in every run."""
        return PLACES[self.index][1]

    @property
    def site_code(self) -> str:
        """Short code of this run's copy."""
        return f"{self.code}-{self.run.mark}"

    @property
    def time_zone(self) -> str:
        """IANA zone."""
        return PLACES[self.index][2]

    def staff(self, role: str) -> str:
        """The id of who acts in a role here."""
        return self.run.id("staff", self.code, role)


@dataclass(frozen=True)
class Lane:
    """A chair with the pump, the monitor and the nurse that stay with it all day."""

    place: Place
    number: int

    def id(self, kind: str) -> str:
        """The id of "chair", "pump", "monitor" or "nurse"."""
        return self.place.run.id(kind, self.place.code, self.number)

    def code(self, kind: str) -> str:
        """Its resource code."""
        return f"{self.place.code}-{kind.upper()}-{self.number}-{self.place.run.mark}"

    def equipment_id(self, kind: str) -> str:
        """How a device names itself in HL7 OBX-18."""
        return self.id(kind).replace("-", "")[:16].upper()


def places(run: Run, count: int) -> tuple[Place, ...]:
    """The first `count` sites, 1 to 6. ValueError otherwise."""
    if not 1 <= count <= len(PLACES):
        raise ValueError(f"sites: must be 1 to {len(PLACES)}")
    return tuple(Place(run, index) for index in range(count))
