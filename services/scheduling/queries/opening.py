"""When a site is open."""

from uuid import UUID

from chassis.index import Query
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.commands.when import zone_of
from scheduling.reading import week_at


def get_opening_hours(uow: UnitOfWork, request: pb.GetOpeningHoursRequest) -> pb.GetOpeningHoursResponse:
    """The open days in force at the clinic time; none where nobody set hours, or every day is closed."""
    site_id = UUID(request.site_id)
    zone_of(uow, site_id)
    week = week_at(uow, site_id, uow.clinic_time)
    return pb.GetOpeningHoursResponse(
        days=[
            types.OpeningDay(iso_weekday=day, opens=opens, closes=closes)
            for day, (opens, closes) in sorted(week.items())
            if opens < closes
        ]
    )


GET_OPENING_HOURS = Query("GetOpeningHours", pb.GetOpeningHoursRequest, get_opening_hours)
