"""When a zone's clocks change: found in the IANA rules themselves, to the second."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Nobody changes clocks twice within so long a time.
_STEP = timedelta(days=7)


@dataclass(frozen=True)
class Change:
    """From `at` (UTC) on, the offset is `after` and was `before`; `name` is the zone's abbreviation from then on."""

    at: datetime
    before: timedelta
    after: timedelta
    name: str
    daylight: bool


def first_state(time_zone: str, moment: datetime) -> Change:
    """What holds at a moment, as a change that changes nothing."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return Change(moment, _offset(local), _offset(local), local.tzname() or "", bool(local.dst()))


def changes(time_zone: str, start: datetime, end: datetime) -> Iterator[Change]:
    """Each change of the offset after `start` and up to `end`, both aware, in order."""
    zone = ZoneInfo(time_zone)
    moment = start.astimezone(UTC)
    while moment < end:
        later = min(moment + _STEP, end.astimezone(UTC))
        if _offset(moment.astimezone(zone)) != _offset(later.astimezone(zone)):
            at = _first_with(zone, moment, later)
            after = at.astimezone(zone)
            before = (at - timedelta(seconds=1)).astimezone(zone)
            yield Change(at, _offset(before), _offset(after), after.tzname() or "", bool(after.dst()))
        moment = later


def _first_with(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second that has the offset of `after`."""
    wanted = _offset(after.astimezone(zone))
    low, high = before, after
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if _offset(middle.astimezone(zone)) == wanted:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()
