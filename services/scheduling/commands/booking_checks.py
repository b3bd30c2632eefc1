"""What bookings, holds and moves have in common: every check before anything is taken, and the taking."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from chassis.unit_of_work import UnitOfWork
from scheduling.commands.booking_statements import (
    PLAN_TOPIC,
    Asked,
    Holder,
    Taken,
    claims_of,
    give_back,
    holders,
    infusions_near,
    read_facts,
    standing_session,
)
from scheduling.commands.release import expire
from scheduling.domain import overrides, words
from scheduling.domain.booking_rules import require_future, require_plan, require_resources, require_shift
from scheduling.domain.site_time import is_open
from scheduling.domain.visit import Span, Visit, plan_visit


@dataclass(frozen=True)
class Planned:
    """A visit against which only other people's bookings and soft rules can stand."""

    visit: Visit
    # Another infusion of the person in here is nearer than the soft interval.
    near: Span
    broken: tuple[overrides.Broken, ...]
    override: overrides.Asked


def asked_of(request: Any, starts_at: datetime) -> Asked:
    """The ids and numbers of a BookSession or HoldTime request."""
    return Asked(
        person_id=UUID(request.person_id),
        site_id=UUID(request.site_id),
        plan_id=UUID(request.plan_id),
        ordinal=request.ordinal,
        starts_at=starts_at,
        infusion_min=request.infusion_min,
        resources={kind: UUID(getattr(request, f"{kind}_id")) for kind in words.INFUSION_KINDS},
    )


def override_of(uow: UnitOfWork, request: Any) -> overrides.Asked:
    """The rules that the request sets aside. PermissionDenied OVERRIDE_ROLE when the caller may not."""
    if not request.HasField("override"):
        return overrides.NOTHING
    asked = overrides.Asked(frozenset(request.override.rules), request.override.reason_code)
    overrides.require_privilege(asked, uow.context.role)
    return asked


def plan_booking(uow: UnitOfWork, asked: Asked, override: overrides.Asked) -> Planned:
    """The visit, when every hard rule but others' bookings holds. Takes the person's lock."""
    require_future(asked.starts_at, uow.clinic_time)
    facts = read_facts(uow, asked)
    if facts.time_zone is None:
        raise NotFound("site_id", "must be an opened site", site_id=str(asked.site_id))
    require_resources(asked.resources, facts.resources, asked.site_id)
    if facts.plan_uncertain:
        uow.refuse_if_parked(PLAN_TOPIC, str(asked.person_id))
    plan = require_plan(facts.plan, asked.plan_id, asked.person_id, asked.ordinal)
    if facts.policy is None or len(facts.phases) <= len(asked.resources):
        raise FailedPrecondition("NO_BOOKING_POLICY", field="starts_at", rule="must lie in a booking policy's time")
    recovery_min = facts.policy.recovery_of(ordinal=asked.ordinal, for_pain=plan.for_pain)
    visit = plan_visit(asked.starts_at, asked.infusion_min, recovery_min, facts.policy, facts.phases)
    require_shift(facts.shifts, visit, asked.resources[words.NURSE])
    closed = facts.opening is not None and not is_open(
        Span(visit.starts_at, visit.ends_at), facts.time_zone, *facts.opening
    )
    near = visit.near(facts.policy.soft_interval_min)
    if words.CLEANING in override.rules:
        visit = replace(visit, cleaned_at=visit.ends_at)
    return Planned(visit, near, (overrides.CLOSED,) if closed else (), override)


@dataclass(frozen=True)
class Attempt:
    """How something is taken, and how it is undone when only a part was to be had."""

    take: Callable[[], Taken]
    undo: Callable[[], None]
    holders: Callable[[], list[Holder]]
    # Ids whose claims are no other infusion: the one that is made, the one that is moved.
    own: tuple[UUID, ...]


def attempt_of(uow: UnitOfWork, asked: Asked, visit: Visit, session_id: UUID, take: Callable[[], Taken]) -> Attempt:
    """The attempt at a new booking or hold of this id."""
    return Attempt(
        take,
        lambda: give_back(uow, session_id),
        lambda: holders(uow, claims_of(asked, visit, session_id)),
        (session_id,),
    )


def secure(uow: UnitOfWork, asked: Asked, planned: Planned, attempt: Attempt) -> list[str]:
    """Takes everything or raises; returns the rules that were set aside for it. Holds that are over let go first.

    AlreadyExists names each held kind with its resource and the session or hold that has it.
    """
    used = []
    if words.CLEANING in planned.override.rules and _cut_cleaning(uow, asked, planned.visit):
        used.append(words.CLEANING)
    taken = attempt.take()
    if not taken.all_had:
        held = attempt.holders()
        over = {holder for _kind, _resource, holder, is_over in held if is_over}
        if over:
            attempt.undo()
            expire(uow, over)
            taken = attempt.take()
            held = [] if taken.all_had else attempt.holders()
        if not taken.all_had:
            raise _refusal(uow, asked, held, attempt.own[0])
    if taken.sees_somebody:
        raise AlreadyExists(
            "PERSON_HAS_CONSULTATION", field="starts_at", rule="the person must not have a consultation meanwhile"
        )
    broken = list(planned.broken)
    # Rarely near: the exact question, without holds that are over, is asked only then.
    if taken.near and infusions_near(uow, asked.person_id, planned.near, attempt.own):
        broken.append(overrides.SOFT_INTERVAL)
    return used + overrides.settle(broken, planned.override)


def _cut_cleaning(uow: UnitOfWork, asked: Asked, visit: Visit) -> bool:
    """Ends the claim of the visit before where the new one starts, when only its cleaning reaches that far.

    The new visit's own chair is claimed without cleaning, so that the next visit may follow at once.
    """
    found = uow.driver.execute(
        "UPDATE claim SET during = tstzrange(lower(claim.during), %(start)s) FROM booking"
        " WHERE booking.session_id = claim.session_id AND claim.kind = 'chair' AND claim.resource_id = %(chair)s"
        " AND claim.active AND claim.during && tstzrange(%(start)s, %(end)s) AND booking.ends_at <= %(start)s",
        {"start": visit.starts_at, "end": visit.ends_at, "chair": asked.resources[words.CHAIR]},
    )
    return bool(found.rowcount) or visit.cleaned_at == visit.ends_at


def _refusal(uow: UnitOfWork, asked: Asked, held: list[Holder], session_id: UUID) -> AlreadyExists:
    """When the holder let go between the two reads there is nobody to name; the same call may simply be made again."""
    ids: dict[str, str | int] = {}
    for kind, resource_id, holder, _over in held:
        if f"{kind}_id" not in ids:
            ids[f"{kind}_id"], ids[f"{kind}_held_by_session_id"] = str(resource_id), str(holder)
    if not held:
        standing = standing_session(uow, asked, session_id)
        if standing is not None:
            return ordinal_booked(asked, standing)
    return AlreadyExists(
        "SLOT_TAKEN", field="starts_at", rule="every resource and the person must be free", findings=(), **ids
    )


def ordinal_booked(asked: Asked, standing: UUID) -> AlreadyExists:
    """The ordinal of the plan has a session that stands."""
    return AlreadyExists(
        "ORDINAL_BOOKED",
        field="ordinal",
        plan_id=str(asked.plan_id),
        held_by_session_id=str(standing),
        rule="each session of a plan is booked once; cancel the other first",
    )


def keep_overrides(
    uow: UnitOfWork, rules: list[str], override: overrides.Asked, session_id: UUID, person_id: UUID, site_id: UUID
) -> None:
    """Keeps who set which rule aside for the session, in which role and why."""
    for rule in rules:
        uow.driver.execute(
            "INSERT INTO rule_override (session_id, rule, overridden_at, person_id, site_id, reason_code, overridden_by,"
            " role) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                session_id,
                rule,
                uow.clinic_time,
                person_id,
                site_id,
                override.reason_code,
                uow.context.actor_id,
                uow.context.role,
            ),
        )
