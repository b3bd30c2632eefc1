"""The appointments of a site or of a person as a calendar."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.errors import InvalidArgument
from chassis.index import Query
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.calendar_text import Appointment, calendar_text
from scheduling.commands.when import zone_of
from scheduling.domain.visit import Span
from scheduling.queries.bookings import window_of

_LONGEST = timedelta(days=400)

_OF_SITE = """
SELECT b.session_id::text, 'Infusion', s.site_code, s.time_zone, b.starts_at, b.ends_at, b.changed_at, b.moves,
       ARRAY(SELECT r.resource_code FROM resource r WHERE r.resource_id IN (b.chair_id, b.pump_id, b.monitor_id, b.nurse_id)
             ORDER BY r.kind)
FROM booking b JOIN site s USING (site_id)
WHERE b.site_id = %(id)s AND b.starts_at >= %(start)s AND b.starts_at < %(end)s
  AND b.state IN ('booked', 'arrived', 'fulfilled')
UNION ALL
SELECT c.consultation_id::text, 'Consultation', s.site_code, s.time_zone, lower(c.during), upper(c.during), c.changed_at, 0,
       ARRAY(SELECT r.resource_code FROM resource r WHERE r.resource_id IN (c.room_id, c.practitioner_id) ORDER BY r.kind)
FROM consultation c JOIN site s USING (site_id)
WHERE c.site_id = %(id)s AND c.during && tstzrange(%(start)s, %(end)s) AND lower(c.during) >= %(start)s
  AND c.state <> 'cancelled'
ORDER BY 5, 1
"""

# A person's sessions are found by the person's claims. Chairs and nurses are not the person's business.
_OF_PERSON = """
SELECT b.session_id::text, 'Infusion', s.site_code, s.time_zone, b.starts_at, b.ends_at, b.changed_at, b.moves,
       ARRAY[]::text[]
FROM claim p JOIN booking b ON b.session_id = p.session_id JOIN site s ON s.site_id = b.site_id
WHERE p.resource_id = %(id)s AND p.active AND p.during && tstzrange(%(start)s, %(end)s + interval '1 day')
  AND b.starts_at >= %(start)s AND b.starts_at < %(end)s
UNION ALL
SELECT c.consultation_id::text, 'Consultation', s.site_code, s.time_zone, lower(c.during), upper(c.during), c.changed_at, 0,
       ARRAY[]::text[]
FROM consultation c JOIN site s ON s.site_id = c.site_id
WHERE c.person_id = %(id)s AND c.during && tstzrange(%(start)s, %(end)s) AND lower(c.during) >= %(start)s
  AND c.state <> 'cancelled'
ORDER BY 5, 1
"""


def export_calendar(uow: UnitOfWork, request: pb.ExportCalendarRequest) -> pb.ExportCalendarResponse:
    """What stands from from_time to before until_time. InvalidArgument unless a site or a person is named, not both."""
    if bool(request.site_id) == bool(request.person_id):
        raise InvalidArgument("site_id", "must be given, or person_id, and not both")
    window = window_of(request)
    if window.end - window.start > _LONGEST:
        raise InvalidArgument("until_time", f"must lie at most {_LONGEST.days} days after from_time")
    named = request.site_id or request.person_id
    parameters = {"id": UUID(named), "start": window.start, "end": window.end}
    zones = [zone_of(uow, UUID(request.site_id))] if request.site_id else []
    rows = uow.driver.execute(_OF_SITE if request.site_id else _OF_PERSON, parameters).fetchall()
    found = [_appointment(row) for row in rows]
    zones += [one.time_zone for one in found]
    return pb.ExportCalendarResponse(calendar=calendar_text(found, zones, window))


def _appointment(row: Any) -> Appointment:
    appointment_id, title, site_code, time_zone, starts_at, ends_at, changed_at, moves, resources = row
    return Appointment(
        appointment_id, title, site_code, resources, time_zone, Span(starts_at, ends_at), changed_at, moves
    )


EXPORT_CALENDAR = Query("ExportCalendar", pb.ExportCalendarRequest, export_calendar)
