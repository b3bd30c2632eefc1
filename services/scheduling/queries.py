"""Reads of bookings and of free times, paged."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain import words
from scheduling.domain.free_times import FreeSet, Occupancy, free_sets
from scheduling.domain.policy import BookingPolicy
from scheduling.domain.site_time import at_site, grid_starts
from scheduling.domain.visit import Span, plan_visit
from scheduling.tables import booking, booking_policy, claim, resource, shift, site

_STATES = {
    words.BOOKED: types.BOOKING_STATE_BOOKED,
    words.ARRIVED: types.BOOKING_STATE_ARRIVED,
    words.FULFILLED: types.BOOKING_STATE_FULFILLED,
    words.CANCELLED: types.BOOKING_STATE_CANCELLED,
    words.NO_SHOW: types.BOOKING_STATE_NO_SHOW,
}
# No visit is longer: one that starts in the window ends at most this long after it.
_LONGEST_VISIT = timedelta(hours=24)


def get_booking(uow: UnitOfWork, request: pb.GetBookingRequest) -> pb.GetBookingResponse:
    """One booking, whatever its state. NotFound for a session that nobody booked."""
    row = uow.execute(
        select(booking, site.c.time_zone)
        .join(site, site.c.site_id == booking.c.site_id)
        .where(booking.c.session_id == UUID(request.session_id))
    ).one_or_none()
    if row is None:
        raise NotFound("session_id", "must be a booked session", session_id=request.session_id)
    return pb.GetBookingResponse(booking=_booking(row))


def list_bookings(uow: UnitOfWork, request: pb.ListBookingsRequest) -> pb.ListBookingsResponse:
    """The bookings of a site that start from `from_time` to before `until_time`, by start, whatever their state."""
    start, end = _window(request)
    page = read_token(request)
    statement = (
        select(booking, site.c.time_zone)
        .join(site, site.c.site_id == booking.c.site_id)
        .where(booking.c.site_id == UUID(request.site_id), booking.c.starts_at >= start, booking.c.starts_at < end)
        .order_by(booking.c.starts_at, booking.c.session_id)
        .limit(page.size + 1)
    )
    if page.after is not None:
        after = (datetime.fromisoformat(page.after[0]), UUID(page.after[1]))
        statement = statement.where(tuple_(booking.c.starts_at, booking.c.session_id) > after)
    rows = uow.execute(statement).all()
    shown = rows[: page.size]
    last = (shown[-1].starts_at.isoformat(), shown[-1].session_id) if len(rows) > page.size else None
    return pb.ListBookingsResponse(bookings=[_booking(row) for row in shown], next_page_token=make_token(page, last))


def find_free_times(uow: UnitOfWork, request: pb.FindFreeTimesRequest) -> pb.FindFreeTimesResponse:
    """Starts at which a whole set is free for the longest visit that policy knows, on the grid of the site's wall time.

    The longest recovery is kept free, so that what is offered can be booked for any session of any plan. A set is the
    first free of each kind by code; each start is offered with one set.
    """
    start, end = _window(request)
    site_id = UUID(request.site_id)
    zone = uow.execute(select(site.c.time_zone).where(site.c.site_id == site_id)).scalar_one_or_none()
    if zone is None:
        raise NotFound("site_id", "must be an opened site", site_id=request.site_id)
    policy = _policy_at(uow, start)
    if end - start > timedelta(days=policy.search_max_days):
        raise InvalidArgument("until_time", f"must lie at most {policy.search_max_days} days after from_time")
    page = read_token(request)
    # Strictly in the future, as a booking has to be.
    first = max(start, uow.clinic_time + timedelta(microseconds=1))
    if page.after is not None:
        first = max(first, datetime.fromisoformat(page.after[0]) + timedelta(microseconds=1))
    visits = (
        plan_visit(moment, request.infusion_min, policy.longest_recovery_min, policy)
        for moment in grid_starts(first, end, zone, policy.grid_min)
    )
    found: list[FreeSet] = []
    for item in free_sets(visits, _occupancy(uow, site_id, Span(first, end + _LONGEST_VISIT))):
        found.append(item)
        if len(found) > page.size:
            break
    shown = found[: page.size]
    last = (shown[-1].starts_at.isoformat(),) if len(found) > page.size else None
    return pb.FindFreeTimesResponse(
        free_times=[_free_time(item) for item in shown], next_page_token=make_token(page, last)
    )


def _window(request: pb.ListBookingsRequest | pb.FindFreeTimesRequest) -> Span:
    window = Span(from_timestamp(request.from_time), from_timestamp(request.until_time))
    if window.end <= window.start:
        raise InvalidArgument("until_time", "must lie after from_time")
    return window


def _policy_at(uow: UnitOfWork, moment: datetime) -> BookingPolicy:
    columns = [column for column in booking_policy.c if column.name not in ("effective_from", "review_state")]
    row = uow.execute(
        select(*columns)
        .where(booking_policy.c.effective_from <= moment)
        .order_by(booking_policy.c.effective_from.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise FailedPrecondition("NO_BOOKING_POLICY", field="from_time", rule="must lie in a booking policy's time")
    return BookingPolicy(**row._mapping)


def _occupancy(uow: UnitOfWork, site_id: UUID, window: Span) -> Occupancy:
    """What the site has, who works there in the window, and what is taken of them anywhere."""
    during = func.tstzrange(window.start, window.end)
    ids: dict[str, list[UUID]] = defaultdict(list)
    for row in uow.execute(
        select(resource.c.kind, resource.c.resource_id)
        .where(resource.c.site_id == site_id, resource.c.kind != words.NURSE)
        .order_by(resource.c.resource_code)
    ):
        ids[row.kind].append(row.resource_id)
    shifts: dict[UUID, list[Span]] = defaultdict(list)
    for row in uow.execute(
        select(shift.c.nurse_id, func.lower(shift.c.during).label("start"), func.upper(shift.c.during).label("end"))
        .join(resource, resource.c.resource_id == shift.c.nurse_id)
        .where(shift.c.site_id == site_id, shift.c.during.op("&&")(during))
        .order_by(resource.c.resource_code)
    ):
        shifts[row.nurse_id].append(Span(row.start, row.end))
    ids[words.NURSE] = list(shifts)
    return Occupancy(ids, _claims(uow, [one for many in ids.values() for one in many], during), shifts)


def _claims(uow: UnitOfWork, resources: Sequence[UUID], during: Any) -> dict[UUID, list[Span]]:
    taken: dict[UUID, list[Span]] = defaultdict(list)
    for row in uow.execute(
        select(
            claim.c.resource_id, func.lower(claim.c.during).label("start"), func.upper(claim.c.during).label("end")
        ).where(claim.c.active, claim.c.resource_id.in_(resources), claim.c.during.op("&&")(during))
    ):
        taken[row.resource_id].append(Span(row.start, row.end))
    return taken


def _booking(row: Row[Any]) -> types.Booking:
    return types.Booking(
        session_id=str(row.session_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        plan_id=str(row.plan_id),
        ordinal=row.ordinal,
        state=_STATES[row.state],
        starts_at=to_timestamp(row.starts_at),
        ends_at=to_timestamp(row.ends_at),
        starts_at_site=at_site(row.starts_at, row.time_zone),
        chair_id=str(row.chair_id),
        pump_id=str(row.pump_id),
        monitor_id=str(row.monitor_id),
        nurse_id=str(row.nurse_id),
    )


def _free_time(item: FreeSet) -> pb.FreeTime:
    return pb.FreeTime(
        starts_at=to_timestamp(item.starts_at),
        chair_id=str(item.chair_id),
        pump_id=str(item.pump_id),
        monitor_id=str(item.monitor_id),
        nurse_id=str(item.nurse_id),
    )


GET_BOOKING = Query("GetBooking", pb.GetBookingRequest, get_booking)
LIST_BOOKINGS = Query("ListBookings", pb.ListBookingsRequest, list_bookings)
FIND_FREE_TIMES = Query("FindFreeTimes", pb.FindFreeTimesRequest, find_free_times)
