"""Wall time at a site: IANA zones, ISO 8601 with the offset of that date, the grid of starts.

Most of Arizona keeps MST all year (America/Phoenix); the Navajo Nation observes daylight saving time (America/Denver).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones


def is_zone(name: str) -> bool:
    """True for the name of a zone in the IANA database."""
    return name in available_timezones()


def at_site(moment: datetime, time_zone: str) -> str:
    """The moment (aware) as wall time of the site, ISO 8601 with its offset: 2026-07-15T09:00:00-07:00."""
    return moment.astimezone(ZoneInfo(time_zone)).isoformat()


def grid_starts(first: datetime, until: datetime, time_zone: str, grid_min: int) -> Iterator[datetime]:
    """Moments (UTC) from `first` to before `until` whose wall time lies on the grid; `grid_min` divides 60.

    Steps are taken in UTC, so an hour that the clocks skip offers nothing and one that they repeat is offered twice.
    """
    grid = timedelta(minutes=grid_min)
    wall = first.astimezone(ZoneInfo(time_zone))
    into_hour = timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
    moment = first.astimezone(UTC) + (-into_hour) % grid
    while moment < until:
        yield moment
        moment += grid
