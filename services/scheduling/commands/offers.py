"""A time became free: the first who waits for such a one and can come has it held for them.

An offer is a hold with the waiting entry on it. Who declined or let pass an offer of this site on that stretch is not
asked again for it; the next in line is. Offers keep every rule, the soft interval and opening hours as well.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, any_, func, select, update

from chassis.unit_of_work import UnitOfWork
from scheduling.commands.booking_statements import (
    Asked,
    give_back,
    infusions_near,
    person_lock,
    standing_session,
    take_hold,
)
from scheduling.commands.when import zone_of
from scheduling.domain import words
from scheduling.domain.free_times import Occupancy, free_sets
from scheduling.domain.policy import BookingPolicy, Phases
from scheduling.domain.site_time import grid_starts
from scheduling.domain.spans import Busy
from scheduling.domain.visit import Span, Visit, plan_visit
from scheduling.reading import Week, minutes, occupancy, open_for, phases_at, policy_at, taken_of, week_at
from scheduling.tables import hold, plan, waiting_entry

# So many in line are looked at for one freed time.
_LOOKED_AT = 20
_LONGEST = timedelta(hours=24)


class _Site:
    """What a site has and allows around the freed time, read once."""

    def __init__(self, uow: UnitOfWork, site_id: UUID, freed: Span) -> None:
        self.site_id = site_id
        self.zone: str = zone_of(uow, site_id)
        self.policy: BookingPolicy = policy_at(uow, site_id, freed.start)
        self.phases: Phases = phases_at(uow, words.INFUSION, site_id, freed.start)
        self.week: Week = week_at(uow, site_id, freed.start)
        self.has: Occupancy = occupancy(uow, site_id, Span(freed.start, freed.end + _LONGEST))

    def visits(self, entry: Row[Any], freed: Span, now: datetime) -> Iterator[Visit]:
        """The visits of this entry that start in the freed stretch, the freed start itself first."""
        first = max(freed.start, entry.earliest, now + timedelta(microseconds=1))
        until = min(freed.end, entry.latest)
        recovery = self.policy.recovery_of(ordinal=entry.ordinal, for_pain=entry.indication == words.PAIN)
        starts = [freed.start] if first <= freed.start < until else []
        for start in (*starts, *grid_starts(first, until, self.zone, self.policy.grid_min)):
            visit = plan_visit(start, entry.infusion_min, recovery, self.policy, self.phases)
            if open_for(visit, self.week, self.zone):
                yield visit


def offer_freed(uow: UnitOfWork, site_id: UUID, freed: Span) -> int:
    """Holds the freed time for the first in line who can have it; returns how many were offered it, 0 or 1."""
    entries = uow.execute(
        select(waiting_entry, plan.c.indication)
        .join(plan, plan.c.plan_id == waiting_entry.c.plan_id)
        .where(
            waiting_entry.c.state == words.WAITING,
            any_(waiting_entry.c.site_ids) == site_id,
            waiting_entry.c.earliest < freed.end,
            waiting_entry.c.latest > freed.start,
            plan.c.state == words.PLAN_SIGNED,
            ~_had_it_offered(site_id, freed),
        )
        .order_by(waiting_entry.c.joined_at, waiting_entry.c.waiting_id)
        .limit(_LOOKED_AT)
        .with_for_update(of=waiting_entry, skip_locked=True)
    ).all()
    if not entries or freed.end <= uow.clinic_time:
        return 0
    site = _Site(uow, site_id, freed)
    return 1 if any(_offer(uow, site, entry, freed) for entry in entries) else 0


def _had_it_offered(site_id: UUID, freed: Span) -> Any:
    return (
        select(hold.c.hold_id)
        .where(
            hold.c.waiting_id == waiting_entry.c.waiting_id,
            hold.c.site_id == site_id,
            func.tstzrange(hold.c.starts_at, hold.c.ends_at).op("&&")(func.tstzrange(freed.start, freed.end)),
        )
        .exists()
    )


def _offer(uow: UnitOfWork, site: _Site, entry: Row[Any], freed: Span) -> bool:
    # Never waited for: this runs inside other work, which may hold what the person's own booking waits for.
    mine = uow.driver.execute("SELECT pg_try_advisory_xact_lock(%s)", (person_lock(entry.person_id),)).fetchone()
    if not mine[0]:
        return False
    soft = site.policy.soft_interval_min
    reach = timedelta(minutes=soft) + _LONGEST
    around = func.tstzrange(freed.start - reach, freed.end + reach)
    busy = Busy(taken_of(uow, [entry.person_id], around).get(entry.person_id, []))
    visits = (visit for visit in site.visits(entry, freed, uow.clinic_time) if busy.free(visit.near(soft)))
    for free in free_sets(visits, site.has):
        asked = Asked(
            person_id=entry.person_id,
            site_id=site.site_id,
            plan_id=entry.plan_id,
            ordinal=entry.ordinal,
            starts_at=free.starts_at,
            infusion_min=entry.infusion_min,
            resources={kind: getattr(free, f"{kind}_id") for kind in words.INFUSION_KINDS},
        )
        return _hold_for(uow, site, entry, asked)
    return False


def _hold_for(uow: UnitOfWork, site: _Site, entry: Row[Any], asked: Asked) -> bool:
    hold_id = uow.new_id()
    if standing_session(uow, asked, hold_id) is not None:
        _set(uow, entry, words.BOOKED)
        return False
    recovery = site.policy.recovery_of(ordinal=entry.ordinal, for_pain=entry.indication == words.PAIN)
    visit = plan_visit(asked.starts_at, asked.infusion_min, recovery, site.policy, site.phases)
    near = visit.near(site.policy.soft_interval_min)
    expires_at = uow.clinic_time + timedelta(minutes=minutes(uow, "offer_min", site.site_id))
    # Nobody is offered a time that is over before they may answer.
    expires_at = min(expires_at, visit.starts_at)
    taken = take_hold(uow, asked, visit, hold_id, near, expires_at, entry.waiting_id)
    had = taken.all_had and not taken.sees_somebody
    if not had or (taken.near and infusions_near(uow, asked.person_id, near, [hold_id])):
        give_back(uow, hold_id)
        return False
    _set(uow, entry, words.OFFERED)
    return True


def _set(uow: UnitOfWork, entry: Row[Any], state: str) -> None:
    uow.execute(
        update(waiting_entry)
        .where(waiting_entry.c.waiting_id == entry.waiting_id)
        .values(state=state, changed_at=uow.clinic_time)
    )
