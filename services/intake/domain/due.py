"""When something is due."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def due_at(raised_at: datetime, minutes: int | None, time_zone: str) -> datetime:
    """So many minutes later; without minutes, the midnight that ends the day at the site. UTC."""
    if minutes is not None:
        return raised_at + timedelta(minutes=minutes)
    zone = ZoneInfo(time_zone)
    tomorrow = raised_at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, tzinfo=zone).astimezone(UTC)


def day_begins(moment: datetime, time_zone: str) -> datetime:
    """The midnight with which a moment's day at the site began. UTC."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(moment.astimezone(zone).date(), time.min, tzinfo=zone).astimezone(UTC)


def years_before(moment: datetime, years: int) -> datetime:
    """The same day and time so many years earlier; the day before where there was none (29 February)."""
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:
        return (moment - timedelta(days=1)).replace(year=moment.year - years)
