"""The series of infusions that a result belongs to, told from plans and infusions in whatever order they became known (house policy).

The current plan at a time is the one that was signed last, up to then. A series begins with the first infusion of the current plan. The
baseline of an instrument is the latest scorable result of the same instrument and version that was completed before that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Plan:
    """A signed plan."""

    plan_id: UUID
    signed_at: datetime


@dataclass(frozen=True)
class Infusion:
    """An infusion that began. `plan_id` is None until the session's closing names it."""

    started_at: datetime
    plan_id: UUID | None


def first_infusion(plans: Sequence[Plan], infusions: Sequence[Infusion], at: datetime) -> datetime | None:
    """When the current plan's first infusion began, if that was before `at`."""
    begun = _plans(plans, infusions)
    current = max((plan for plan in begun if plan.signed_at <= at), key=_order, default=None)
    if current is None:
        return None
    starts = [one.started_at for one in infusions if one.started_at < at and _belongs(one, current, begun)]
    return min(starts, default=None)


def last_infusion_before(plans: Sequence[Plan], infusions: Sequence[Infusion], at: datetime) -> datetime | None:
    """When the last infusion of the plans before the current one began. None where there was none."""
    begun = _plans(plans, infusions)
    current = max((plan for plan in begun if plan.signed_at <= at), key=_order, default=None)
    if current is None:
        return None
    earlier = [one.started_at for one in infusions if one.started_at < at and not _belongs(one, current, begun)]
    return max((started_at for started_at in earlier if started_at < current.signed_at), default=None)


def _plans(plans: Sequence[Plan], infusions: Sequence[Infusion]) -> list[Plan]:
    """Every known plan. One whose signature is not known yet was signed at its first infusion at the latest."""
    known = {plan.plan_id for plan in plans}
    heard_of: dict[UUID, datetime] = {}
    for one in infusions:
        if one.plan_id is not None and one.plan_id not in known:
            heard_of[one.plan_id] = min(one.started_at, heard_of.get(one.plan_id, one.started_at))
    return [*plans, *(Plan(plan_id, at) for plan_id, at in heard_of.items())]


def _belongs(infusion: Infusion, plan: Plan, plans: Sequence[Plan]) -> bool:
    """An infusion whose plan is not named yet belongs to the plan that was current when it began."""
    if infusion.plan_id is not None:
        return infusion.plan_id == plan.plan_id
    signed = (one for one in plans if one.signed_at <= infusion.started_at)
    return max(signed, key=_order, default=None) == plan


def _order(plan: Plan) -> tuple[datetime, UUID]:
    return plan.signed_at, plan.plan_id
