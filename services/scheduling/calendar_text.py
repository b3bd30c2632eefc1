"""Appointments as iCalendar (RFC 5545): wall time of the site with its VTIMEZONE, no name of anybody.

The clocks' changes are written as RFC 5545 section 3.6.5 asks: the onset in the wall time that ends with it. A time that
the clocks repeat means its first occurrence there (section 3.3.5), so the second is written in UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard

from scheduling.domain.visit import Span
from scheduling.domain.zone_changes import Change, changes, first_state


@dataclass(frozen=True)
class Appointment:
    """One entry of a calendar."""

    # A session's or consultation's opaque id.
    appointment_id: str
    # "Infusion" or "Consultation": a literal, never a name.
    title: str
    site_code: str
    # Codes of chair, room and the like; empty in a person's calendar.
    resources: Sequence[str]
    time_zone: str
    span: Span
    changed_at: datetime
    # RFC 5545 SEQUENCE: how often it was moved.
    moves: int


def calendar_text(appointments: Iterable[Appointment], time_zones: Iterable[str], window: Span) -> str:
    """The calendar, UTF-8 with CRLF. Every zone of `time_zones` is described for all of the window."""
    calendar = Calendar()
    calendar.add("prodid", "-//Saguaro//Scheduling//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for name in sorted(set(time_zones)):
        calendar.add_component(_zone(name, window))
    for appointment in appointments:
        calendar.add_component(_event(appointment))
    text: str = calendar.to_ical().decode()
    return text


def _zone(name: str, window: Span) -> Timezone:
    # A day more at both ends: who reads it may look beside the window.
    start, end = window.start - timedelta(days=1), window.end + timedelta(days=1)
    zone = Timezone()
    zone.add("tzid", name)
    zone.add_component(_observance(first_state(name, start.replace(second=0, microsecond=0))))
    for change in changes(name, start, end):
        zone.add_component(_observance(change))
    return zone


def _observance(change: Change) -> TimezoneDaylight | TimezoneStandard:
    part = TimezoneDaylight() if change.daylight else TimezoneStandard()
    part.add("dtstart", (change.at.astimezone(UTC) + change.before).replace(tzinfo=None))
    part.add("tzoffsetfrom", change.before)
    part.add("tzoffsetto", change.after)
    part.add("tzname", change.name)
    return part


def _event(one: Appointment) -> Event:
    event = Event()
    event.add("uid", f"{one.appointment_id}@saguaro.health")
    event.add("dtstamp", one.changed_at.astimezone(UTC))
    event.add("dtstart", _wall(one.span.start, one.time_zone))
    event.add("dtend", _wall(one.span.end, one.time_zone))
    event.add("summary", one.title)
    event.add("location", one.site_code)
    if one.resources:
        event.add("description", ", ".join(one.resources))
    event.add("status", "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("sequence", one.moves)
    return event


def _wall(moment: datetime, time_zone: str) -> datetime:
    local = moment.astimezone(ZoneInfo(time_zone))
    return moment.astimezone(UTC) if local.fold else local
