"""Bookings: one, and those of a site, paged."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, tuple_

from chassis.errors import InvalidArgument, NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain import words
from scheduling.domain.site_time import at_site
from scheduling.domain.visit import Span
from scheduling.reading import required_items
from scheduling.tables import booking, rule_override, session_change, site, visit_check

_STATES = {
    words.BOOKED: types.BOOKING_STATE_BOOKED,
    words.ARRIVED: types.BOOKING_STATE_ARRIVED,
    words.FULFILLED: types.BOOKING_STATE_FULFILLED,
    words.CANCELLED: types.BOOKING_STATE_CANCELLED,
    words.NO_SHOW: types.BOOKING_STATE_NO_SHOW,
}


def get_booking(uow: UnitOfWork, request: pb.GetBookingRequest) -> pb.GetBookingResponse:
    """One booking, whatever its state. NotFound for a session that nobody booked."""
    session_id = UUID(request.session_id)
    row = uow.execute(
        select(booking, site.c.time_zone)
        .join(site, site.c.site_id == booking.c.site_id)
        .where(booking.c.session_id == session_id)
    ).one_or_none()
    if row is None:
        raise NotFound("session_id", "must be a booked session", session_id=request.session_id)
    found = _booking(row)
    found.overrides.extend(overrides_of(uow, session_id))
    pending = uow.execute(
        select(session_change.c.change_id).where(
            session_change.c.session_id == session_id, session_change.c.state == words.PROPOSED
        )
    ).scalar_one_or_none()
    found.pending_change_id = "" if pending is None else str(pending)
    if row.state == words.BOOKED:
        found.checklist_missing.extend(missing_items(uow, row.site_id, [session_id])[session_id])
    return pb.GetBookingResponse(booking=found)


def overrides_of(uow: UnitOfWork, session_id: UUID) -> list[types.OverrideRecord]:
    """Every rule that was set aside for the session, oldest first."""
    rows = uow.execute(
        select(rule_override)
        .where(rule_override.c.session_id == session_id)
        .order_by(rule_override.c.overridden_at, rule_override.c.rule)
    )
    return [
        types.OverrideRecord(
            rule=row.rule,
            reason_code=row.reason_code,
            overridden_by=str(row.overridden_by),
            role=row.role,
            overridden_at=to_timestamp(row.overridden_at),
        )
        for row in rows
    ]


def missing_items(uow: UnitOfWork, site_id: UUID, sessions: Iterable[UUID]) -> dict[UUID, list[str]]:
    """What is not confirmed yet of the checklist of each session, all of one site, in the order of the codes."""
    asked = list(sessions)
    done: dict[UUID, set[str]] = defaultdict(set)
    for row in uow.execute(
        select(visit_check.c.session_id, visit_check.c.item_code).where(visit_check.c.session_id.in_(asked))
    ):
        done[row.session_id].add(row.item_code)
    required = required_items(uow, site_id)
    return {session: [item for item in required if item not in done[session]] for session in asked}


def list_bookings(uow: UnitOfWork, request: pb.ListBookingsRequest) -> pb.ListBookingsResponse:
    """The bookings of a site that start from `from_time` to before `until_time`, by start, whatever their state."""
    start, end = window_of(request)
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


def window_of(request: Any) -> Span:
    """`from_time` and `until_time` of a request. InvalidArgument when the second is not later."""
    window = Span(from_timestamp(request.from_time), from_timestamp(request.until_time))
    if window.end <= window.start:
        raise InvalidArgument("until_time", "must lie after from_time")
    return window


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
        infusion_starts_at=to_timestamp(row.infusion_starts_at),
        infusion_ends_at=to_timestamp(row.infusion_ends_at),
        moves=row.moves,
    )


GET_BOOKING = Query("GetBooking", pb.GetBookingRequest, get_booking)
LIST_BOOKINGS = Query("ListBookings", pb.ListBookingsRequest, list_bookings)
