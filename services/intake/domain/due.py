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
