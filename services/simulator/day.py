"""The appointments of a simulated day: each booked patient has a lane and a time before anything is called, so that nobody races."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from simulator.places import Lane, Place, Run, places
from simulator.scripts import Script, scripts
from simulator.series import Series

# A summer Tuesday: Phoenix is at UTC-7, Window Rock at UTC-6.
SCREENING_DAY: Final = date(2026, 7, 13)
INFUSION_DAY: Final = date(2026, 7, 14)
_OPENS: Final = time(7)
_SERIES_AT: Final = time(9)
_CLOSES_MIN: Final = 13 * 60
# Preparation, pauses and recovery of a first session with room to spare.
_AROUND_INFUSION_MIN: Final = 160


@dataclass(frozen=True)
class Visit:
    """An appointment: where, when (aware, UTC), and which place among the lane's visits it has, from 0."""

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
    # By the script's index, oldest first; who is never booked has none.
    visits: dict[int, tuple[Visit, ...]]
    lanes: tuple[Lane, ...]

    def days_of(self, lane: Lane) -> tuple[date, ...]:
        """On which days of the site somebody is treated in a lane."""
        zone = ZoneInfo(lane.place.time_zone)
        days = {
            visit.starts_at.astimezone(zone).date()
            for visits in self.visits.values()
            for visit in visits
            if visit.lane == lane
        }
        return tuple(sorted(days))


def plan_day(run_id: UUID, seed: int, patients: int, sites: int) -> Day:
    """Plans the day. ValueError for no patients or a number of sites that there is not."""
    if patients < 1:
        raise ValueError("patients: must be at least 1")
    run = Run(run_id)
    at = places(run, sites)
    drawn = scripts(seed, patients, sites)
    visits: dict[int, tuple[Visit, ...]] = {}
    ends: dict[int, list[int]] = {place.index: [] for place in at}
    turns: Counter[Lane] = Counter()
    for script in drawn:
        if not script.booked or script.series or script.way == "moved":
            continue
        place, takes_min = at[script.treated_at], script.duration_min + _AROUND_INFUSION_MIN
        number, begins_min = _next_free(ends[place.index], takes_min)
        starts_at = site_moment(place, INFUSION_DAY, _OPENS) + timedelta(minutes=begins_min)
        visits[script.index] = (_visit(Lane(place, number + 1), starts_at, turns),)
    # Who comes again and again has a chair of their own at each site: nobody waits for another's week.
    lanes_used = Counter({place.index: len(ends[place.index]) for place in at})
    for script in drawn:
        if script.series is not None:
            visits[script.index] = _visits_of(script.series, at, script.home, lanes_used, turns)
        elif script.way == "moved":
            # Booked for the first day, and moved to this time on the next.
            lanes_used[script.home] += 1
            starts_at = site_moment(at[script.home], INFUSION_DAY + timedelta(days=1), _SERIES_AT)
            visits[script.index] = (_visit(Lane(at[script.home], lanes_used[script.home]), starts_at, turns),)
    lanes = tuple(Lane(place, number + 1) for place in at for number in range(lanes_used[place.index]))
    return Day(run, seed, at, drawn, visits, lanes)


def _visits_of(
    series: Series, at: Sequence[Place], home: int, lanes_used: Counter[int], turns: Counter[Lane]
) -> tuple[Visit, ...]:
    """Every third infusion of a course is given at the next site. The maintenance infusion, if there is one, comes last."""
    lanes: dict[int, Lane] = {}
    days = (*series.days, *(() if series.maintenance_day is None else (series.maintenance_day,)))
    found = []
    for number, day in enumerate(days):
        place = at[(home + 1) % len(at) if number % 3 == 2 else home]
        if place.index not in lanes:
            lanes_used[place.index] += 1
            lanes[place.index] = Lane(place, lanes_used[place.index])
        starts_at = site_moment(place, INFUSION_DAY + timedelta(days=day), _SERIES_AT)
        found.append(_visit(lanes[place.index], starts_at, turns))
    return tuple(found)


def _visit(lane: Lane, starts_at: datetime, turns: Counter[Lane]) -> Visit:
    turns[lane] += 1
    return Visit(lane, starts_at, turns[lane] - 1)


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
