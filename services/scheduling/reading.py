"""What commands and queries read alike: policy in force, opening hours, what a site has and what is taken of it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from chassis.errors import FailedPrecondition
from chassis.policy import in_force, number
from chassis.unit_of_work import UnitOfWork
from scheduling.domain import words
from scheduling.domain.booking_rules import PlanFacts
from scheduling.domain.free_times import Occupancy
from scheduling.domain.policy import POLICY_COLUMNS, BookingPolicy, Phases
from scheduling.domain.site_time import is_open, weekday_at_site
from scheduling.domain.visit import Span, Visit
from scheduling.tables import (
    appointment_resource,
    booking_policy,
    checklist_policy,
    claim,
    hold,
    opening_hours,
    plan,
    policy_number,
    resource,
    shift,
)

# By ISO weekday: opens and closes, as wall times.
Week = dict[int, tuple[str, str]]


def policy_at(uow: UnitOfWork, site_id: UUID, moment: datetime) -> BookingPolicy:
    """The site's booking policy of a moment. FailedPrecondition NO_BOOKING_POLICY outside of every policy's time."""
    row = uow.execute(in_force(booking_policy, ("type_code",), site_id, moment)).one_or_none()
    if row is None:
        raise FailedPrecondition("NO_BOOKING_POLICY", field="from_time", rule="must lie in a booking policy's time")
    return BookingPolicy(*(row._mapping[name] for name in POLICY_COLUMNS))


def phases_at(uow: UnitOfWork, type_code: str, site_id: UUID, moment: datetime) -> Phases:
    """What an appointment of the type takes at the site, by kind of resource."""
    table = appointment_resource
    rows = uow.execute(
        in_force(table, ("type_code", "resource_kind"), site_id, moment).where(table.c.type_code == type_code)
    )
    return {row.resource_kind: (row.from_phase, row.until_phase) for row in rows}


def minutes(uow: UnitOfWork, code: str, site_id: UUID) -> int:
    """A whole number of policy at the site, in the unit that its code names."""
    return int(number(uow, policy_number, code, site_id))


def week_at(uow: UnitOfWork, site_id: UUID, moment: datetime) -> Week:
    """The opening hours in force; empty where nobody set any."""
    rows = uow.execute(in_force(opening_hours, ("iso_weekday",), site_id, moment))
    return {row.iso_weekday: (row.opens, row.closes) for row in rows}


def open_for(visit: Visit, week: Week, time_zone: str) -> bool:
    """True when the visit lies in the opening hours, or there are none."""
    hours = week.get(weekday_at_site(visit.starts_at, time_zone))
    return hours is None or is_open(Span(visit.starts_at, visit.ends_at), time_zone, *hours)


def required_items(uow: UnitOfWork, site_id: UUID) -> list[str]:
    """What has to be confirmed before an arrival at the site, in the order of the codes."""
    rows = uow.execute(in_force(checklist_policy, ("item_code",), site_id, uow.clinic_time))
    return sorted(row.item_code for row in rows if row.required)


def occupancy(uow: UnitOfWork, site_id: UUID, window: Span) -> Occupancy:
    """What the site has, who works there in the window, and what is taken of them anywhere."""
    during = func.tstzrange(window.start, window.end)
    ids: dict[str, list[UUID]] = defaultdict(list)
    for row in uow.execute(
        select(resource.c.kind, resource.c.resource_id)
        .where(resource.c.site_id == site_id, resource.c.kind.not_in(words.STAFF_KINDS))
        .order_by(resource.c.resource_code)
    ):
        ids[row.kind].append(row.resource_id)
    shifts: dict[UUID, list[Span]] = defaultdict(list)
    for row in uow.execute(
        select(
            resource.c.kind,
            shift.c.nurse_id,
            func.lower(shift.c.during).label("start"),
            func.upper(shift.c.during).label("end"),
        )
        .join(resource, resource.c.resource_id == shift.c.nurse_id)
        .where(shift.c.site_id == site_id, shift.c.during.op("&&")(during))
        .order_by(resource.c.resource_code)
    ):
        if row.nurse_id not in shifts:
            ids[row.kind].append(row.nurse_id)
        shifts[row.nurse_id].append(Span(row.start, row.end))
    return Occupancy(ids, taken_of(uow, [one for many in ids.values() for one in many], during), shifts)


def taken_of(uow: UnitOfWork, resources: Sequence[UUID], during: Any) -> dict[UUID, list[Span]]:
    """The active claims of resources or people in a range; a hold that is over by clinic time takes nothing."""
    taken: dict[UUID, list[Span]] = defaultdict(list)
    for row in uow.execute(
        select(claim.c.resource_id, func.lower(claim.c.during).label("start"), func.upper(claim.c.during).label("end"))
        .outerjoin(hold, and_(hold.c.hold_id == claim.c.session_id, hold.c.state == words.HELD))
        .where(
            claim.c.active,
            claim.c.resource_id.in_(resources),
            claim.c.during.op("&&")(during),
            or_(hold.c.hold_id.is_(None), hold.c.expires_at > uow.clinic_time),
        )
    ):
        taken[row.resource_id].append(Span(row.start, row.end))
    return taken


def plan_facts(uow: UnitOfWork, plan_id: UUID) -> PlanFacts | None:
    """The copy of a plan; None while nothing is known of it."""
    row = uow.execute(select(plan).where(plan.c.plan_id == plan_id)).one_or_none()
    return None if row is None else PlanFacts(row.person_id, row.state, row.sessions_planned, row.indication)
