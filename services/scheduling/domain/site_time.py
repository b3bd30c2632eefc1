"""Wall time at a site: IANA zones, ISO 8601 with the offset of that date, the grid of starts, opening hours.

Most of Arizona keeps MST all year (America/Phoenix); the Navajo Nation observes daylight saving time (America/Denver).
Source: A.R.S. 1-242 and the IANA time zone database.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from chassis.errors import InvalidArgument
from scheduling.domain.visit import Span


def is_zone(name: str) -> bool:
    """True for the name of a zone in the IANA database."""
    return name in available_timezones()


def at_site(moment: datetime, time_zone: str) -> str:
    """The moment (aware) as wall time of the site, ISO 8601 with its offset: 2026-07-15T09:00:00-07:00."""
    return moment.astimezone(ZoneInfo(time_zone)).isoformat()


def moment_of_wall(wall: str, offset: str, time_zone: str, field: str) -> datetime:
    """The moment (UTC) of a wall time, ISO 8601 without a zone; `offset` is "-06:00" or empty.

    InvalidArgument WALL_TIME_DOES_NOT_EXIST where the clocks skip it, WALL_TIME_TWICE with both offsets where they repeat
    it and no offset is given, WALL_TIME_OFFSET for an offset that the site does not have then.
    """
    try:
        naive = datetime.fromisoformat(wall)
    except ValueError:
        raise InvalidArgument(field, "must be a date and time of the calendar", reason="WALL_TIME_INVALID") from None
    zone = ZoneInfo(time_zone)
    first, second = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    real = [one for one in (first, second) if one.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive]
    if not real:
        raise InvalidArgument(
            field, "does not exist at the site: the clocks are set forward over it", reason="WALL_TIME_DOES_NOT_EXIST"
        )
    by_offset = {offset_text(one): one for one in real}
    if offset:
        if offset not in by_offset:
            raise InvalidArgument(field, "must have an offset that the site has then", reason="WALL_TIME_OFFSET")
        return by_offset[offset].astimezone(UTC)
    if len(by_offset) > 1:
        earlier, later = by_offset
        raise InvalidArgument(
            field,
            f"exists twice at the site, at {earlier} and at {later}: say which by its offset",
            reason="WALL_TIME_TWICE",
            first_offset=earlier,
            second_offset=later,
        )
    return real[0].astimezone(UTC)


def offset_text(moment: datetime) -> str:
    """The offset of an aware moment as "-07:00"."""
    text = moment.strftime("%z")
    return f"{text[:3]}:{text[3:5]}"


def day_at_site(moment: datetime, time_zone: str, days_later: int) -> Span:
    """The calendar day of the site that lies so many days after that of `moment`, as a stretch in UTC."""
    zone = ZoneInfo(time_zone)
    day = moment.astimezone(zone).date() + timedelta(days=days_later)
    return Span(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def is_open(visit: Span, time_zone: str, opens: str, closes: str) -> bool:
    """True when the whole visit lies between two wall times ("08:00", "24:00") of the day on which it starts."""
    zone = ZoneInfo(time_zone)
    start, end = visit.start.astimezone(zone), visit.end.astimezone(zone)
    if f"{start:%H:%M}" < opens:
        return False
    if end.date() == start.date():
        return f"{end:%H:%M:%S}" <= f"{closes}:00"
    return closes == "24:00" and end.date() == start.date() + timedelta(days=1) and end.time() == time(0)


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


def weekday_at_site(moment: datetime, time_zone: str) -> int:
    """The ISO weekday (Monday is 1) of the moment at the site."""
    return moment.astimezone(ZoneInfo(time_zone)).isoweekday()
