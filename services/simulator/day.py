"""The appointments of a simulated day: each booked patient has a lane and a time before anything is called, so that nobody races."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from simulator.places import Lane, Place, Run, places
from simulator.scripts import Script, scripts

# A summer Tuesday: Phoenix is at UTC-7, Window Rock at UTC-6.
SCREENING_DAY: Final = date(2026, 7, 13)
INFUSION_DAY: Final = date(2026, 7, 14)
_OPENS: Final = time(7)
_CLOSES_MIN: Final = 13 * 60
# Preparation, pauses and recovery of a first session with room to spare.
_AROUND_INFUSION_MIN: Final = 160


@dataclass(frozen=True)
class Visit:
    """An appointment: where, when (aware, UTC), and which place in the lane's day it has, from 0."""

    lane: Lane
    starts_at: datetime
    turn: int


@dataclass(frozen=True)
class Day:
    """Everything that is planned."""

    run: Run
    seed: int
    places: tuple[Place, ...]
    scripts: tuple[Script, ...]
    # By the script's index; who is never booked has none.
    visits: dict[int, Visit]
    lanes: tuple[Lane, ...]


def plan_day(run_id: UUID, seed: int, patients: int, sites: int) -> Day:
    """Plans the day. ValueError for no patients or a number of sites that there is not."""
    if patients < 1:
        raise ValueError("patients: must be at least 1")
    run = Run(run_id)
    at = places(run, sites)
    drawn = scripts(seed, patients, sites)
    visits: dict[int, Visit] = {}
    ends: dict[int, list[int]] = {place.index: [] for place in at}
    turns: dict[tuple[int, int], int] = {}
    for script in drawn:
        if not script.booked:
            continue
        place, takes_min = at[script.treated_at], script.duration_min + _AROUND_INFUSION_MIN
        number, begins_min = _next_free(ends[place.index], takes_min)
        turn = turns[place.index, number] = turns.get((place.index, number), -1) + 1
        starts_at = site_moment(place, INFUSION_DAY, _OPENS) + timedelta(minutes=begins_min)
        visits[script.index] = Visit(Lane(place, number + 1), starts_at, turn)
    lanes = tuple(Lane(place, number + 1) for place in at for number in range(len(ends[place.index])))
    return Day(run, seed, at, drawn, visits, lanes)


def _next_free(ends: list[int], takes_min: int) -> tuple[int, int]:
    """Lane and minute after opening at which a visit fits; a new lane where none has room."""
    for number, end in enumerate(ends):
        if end + takes_min <= _CLOSES_MIN:
            ends[number] = end + takes_min
            return number, end
    ends.append(takes_min)
    return len(ends) - 1, 0


def site_moment(place: Place, day: date, at: time) -> datetime:
    """A wall time of a site as an aware datetime in UTC."""
    return datetime.combine(day, at, ZoneInfo(place.time_zone)).astimezone(UTC)
