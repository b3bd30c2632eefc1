"""The week of a site: on which days it is open, from when to when."""

from uuid import UUID

from sqlalchemy import insert

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.policy import DEFAULT
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.when import zone_of
from scheduling.tables import opening_hours

# A day that opens and closes at one time is closed.
_CLOSED = ("00:00", "00:00")


def handle(uow: UnitOfWork, request: pb.SetOpeningHoursRequest) -> Ids:
    """Keeps the whole week from effective_from on. Bookings that stand are not touched.

    InvalidArgument for a day that is named twice, or that closes before it opens; a week from one time is set once.
    """
    site_id = UUID(request.site_id)
    zone_of(uow, site_id)
    days: dict[int, tuple[str, str]] = {}
    for place, day in enumerate(request.days):
        if day.iso_weekday in days:
            raise InvalidArgument(f"days[{place}].iso_weekday", "must name each day once")
        if day.closes <= day.opens:
            raise InvalidArgument(f"days[{place}].closes", "must be later than opens")
        days[day.iso_weekday] = (day.opens, day.closes)
    for iso_weekday in range(1, 8):
        opens, closes = days.get(iso_weekday, _CLOSED)
        uow.execute(
            insert(opening_hours).values(
                iso_weekday=iso_weekday,
                opens=opens,
                closes=closes,
                scope=str(site_id),
                effective_from=from_timestamp(request.effective_from),
                source=request.source,
                review_state=DEFAULT,
            )
        )
    return {"site_id": str(site_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.SetOpeningHoursResponse:
    """The site."""
    return pb.SetOpeningHoursResponse(site_id=ids["site_id"])


COMMAND = Command(
    "SetOpeningHours",
    pb.SetOpeningHoursRequest,
    handle,
    answer,
    roles=frozenset({"operator", "charge_nurse", "medical_director"}),
)
