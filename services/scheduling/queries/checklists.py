"""Sessions of tomorrow of which something is not confirmed, and how often somebody did not come."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, tuple_

from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.when import zone_of
from scheduling.domain import words
from scheduling.domain.site_time import at_site, day_at_site
from scheduling.queries.bookings import missing_items
from scheduling.reading import required_items
from scheduling.tables import booking, no_show, visit_check


def list_checklists_due(uow: UnitOfWork, request: pb.ListChecklistsDueRequest) -> pb.ListChecklistsDueResponse:
    """Booked sessions of the day after the clinic time's day at the site, by start, with what is missing of each."""
    site_id = UUID(request.site_id)
    zone = zone_of(uow, site_id)
    tomorrow = day_at_site(uow.clinic_time, zone, 1)
    required = required_items(uow, site_id)
    page = read_token(request)
    statement = (
        select(booking.c.session_id, booking.c.person_id, booking.c.starts_at)
        .where(
            booking.c.site_id == site_id,
            booking.c.state == words.BOOKED,
            booking.c.starts_at >= tomorrow.start,
            booking.c.starts_at < tomorrow.end,
        )
        .order_by(booking.c.starts_at, booking.c.session_id)
        .limit(page.size + 1)
    )
    confirmed = (
        select(func.count())
        .select_from(visit_check)
        .where(visit_check.c.session_id == booking.c.session_id, visit_check.c.item_code.in_(required))
        .correlate(booking)
        .scalar_subquery()
    )
    statement = statement.where(confirmed < len(required))
    if page.after is not None:
        after = (datetime.fromisoformat(page.after[0]), UUID(page.after[1]))
        statement = statement.where(tuple_(booking.c.starts_at, booking.c.session_id) > after)
    rows = uow.execute(statement).all()
    shown = rows[: page.size]
    missing = missing_items(uow, site_id, [row.session_id for row in shown])
    last = (shown[-1].starts_at.isoformat(), shown[-1].session_id) if len(rows) > page.size else None
    return pb.ListChecklistsDueResponse(
        due=[
            pb.ChecklistDue(
                session_id=str(row.session_id),
                person_id=str(row.person_id),
                starts_at=to_timestamp(row.starts_at),
                starts_at_site=at_site(row.starts_at, zone),
                missing=missing[row.session_id],
            )
            for row in shown
        ],
        next_page_token=make_token(page, last),
    )


def count_no_shows(uow: UnitOfWork, request: pb.CountNoShowsRequest) -> pb.CountNoShowsResponse:
    """How many sessions the person missed, at every site."""
    count = uow.execute(
        select(func.count()).select_from(no_show).where(no_show.c.person_id == UUID(request.person_id))
    ).scalar_one()
    return pb.CountNoShowsResponse(no_shows=count)


LIST_CHECKLISTS_DUE = Query("ListChecklistsDue", pb.ListChecklistsDueRequest, list_checklists_due)
COUNT_NO_SHOWS = Query("CountNoShows", pb.CountNoShowsRequest, count_no_shows)
