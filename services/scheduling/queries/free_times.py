"""Starts at which a whole set of chair, pump, monitor and nurse is free."""

from datetime import datetime, timedelta
from uuid import UUID

from chassis.errors import InvalidArgument
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.when import zone_of
from scheduling.domain import words
from scheduling.domain.free_times import FreeSet, free_sets
from scheduling.domain.site_time import grid_starts
from scheduling.domain.visit import Span, plan_visit
from scheduling.queries.bookings import window_of
from scheduling.reading import occupancy, open_for, phases_at, policy_at, week_at

# No visit is longer: one that starts in the window ends at most this long after it.
LONGEST_VISIT = timedelta(hours=24)


def find_free_times(uow: UnitOfWork, request: pb.FindFreeTimesRequest) -> pb.FindFreeTimesResponse:
    """Starts at which a whole set is free for the longest visit that policy knows, on the grid of the site's wall time.

    The longest recovery is kept free, so that what is offered can be booked for any session of any plan. A set is the
    first free of each kind by code; each start is offered with one set. Outside of opening hours nothing is offered.
    """
    start, end = window_of(request)
    site_id = UUID(request.site_id)
    zone = zone_of(uow, site_id)
    policy = policy_at(uow, site_id, start)
    if end - start > timedelta(days=policy.search_max_days):
        raise InvalidArgument("until_time", f"must lie at most {policy.search_max_days} days after from_time")
    page = read_token(request)
    # Strictly in the future, as a booking has to be.
    first = max(start, uow.clinic_time + timedelta(microseconds=1))
    if page.after is not None:
        first = max(first, datetime.fromisoformat(page.after[0]) + timedelta(microseconds=1))
    phases, week = phases_at(uow, words.INFUSION, site_id, start), week_at(uow, site_id, start)
    visits = (
        plan_visit(moment, request.infusion_min, policy.longest_recovery_min, policy, phases)
        for moment in grid_starts(first, end, zone, policy.grid_min)
    )
    open_visits = (visit for visit in visits if open_for(visit, week, zone))
    found: list[FreeSet] = []
    for item in free_sets(open_visits, occupancy(uow, site_id, Span(first, end + LONGEST_VISIT))):
        found.append(item)
        if len(found) > page.size:
            break
    shown = found[: page.size]
    last = (shown[-1].starts_at.isoformat(),) if len(found) > page.size else None
    return pb.FindFreeTimesResponse(
        free_times=[_free_time(item) for item in shown], next_page_token=make_token(page, last)
    )


def _free_time(item: FreeSet) -> pb.FreeTime:
    return pb.FreeTime(
        starts_at=to_timestamp(item.starts_at),
        chair_id=str(item.chair_id),
        pump_id=str(item.pump_id),
        monitor_id=str(item.monitor_id),
        nurse_id=str(item.nurse_id),
    )


FIND_FREE_TIMES = Query("FindFreeTimes", pb.FindFreeTimesRequest, find_free_times)
