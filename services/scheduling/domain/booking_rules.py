"""What must hold before a session may be booked, apart from who holds what (that the database decides).

Each refusal is typed once here and names its field and rule; ids alone go with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from scheduling.domain import words
from scheduling.domain.spans import Covered
from scheduling.domain.visit import Span, Visit


@dataclass(frozen=True)
class PlanFacts:
    """The copy of a plan, as the last event about it said."""

    person_id: UUID
    state: str
    sessions_planned: int
    indication: str

    @property
    def for_pain(self) -> bool:
        """True for a plan of the pain library."""
        return self.indication == words.PAIN


@dataclass(frozen=True)
class ResourceFacts:
    """What a resource is and whose it is."""

    kind: str
    site_id: UUID


def require_future(starts_at: datetime, clinic_time: datetime) -> None:
    """A session is booked before it begins, by clinic time. InvalidArgument otherwise."""
    if starts_at <= clinic_time:
        raise InvalidArgument("starts_at", "must lie after the clinic time of the booking")


def require_plan(plan: PlanFacts | None, plan_id: UUID, person_id: UUID, ordinal: int) -> PlanFacts:
    """The plan is known here, signed, of this person, and has such a session. FailedPrecondition otherwise."""
    if plan is None:
        raise FailedPrecondition(
            "PLAN_NOT_YET_KNOWN",
            field="plan_id",
            plan_id=str(plan_id),
            rule="the plan must be signed, and its signature known to scheduling; try again in a moment",
        )
    if plan.person_id != person_id:
        raise FailedPrecondition(
            "PLAN_OF_ANOTHER_PERSON", field="plan_id", plan_id=str(plan_id), rule="the plan must be of this person"
        )
    if plan.state != words.PLAN_SIGNED:
        raise FailedPrecondition(
            "PLAN_NOT_SIGNED",
            field="plan_id",
            plan_id=str(plan_id),
            rule="the plan must be signed, neither suspended nor completed",
        )
    if ordinal > plan.sessions_planned:
        raise FailedPrecondition(
            "ORDINAL_NOT_PLANNED",
            field="ordinal",
            plan_id=str(plan_id),
            rule="must not be greater than the sessions that the plan has",
        )
    return plan


def require_resources(asked: Mapping[str, UUID], known: Mapping[str, ResourceFacts | None], site_id: UUID) -> None:
    """Every resource exists, is of the kind asked for and stands at the site; staff is at a site by shift instead."""
    for kind, resource_id in asked.items():
        field, facts = f"{kind}_id", known[kind]
        if facts is None:
            raise NotFound(field, f"must be a {kind} on record", resource_id=str(resource_id))
        if facts.kind != kind:
            raise InvalidArgument(field, f"must be a {kind}", reason="RESOURCE_KIND", resource_id=str(resource_id))
        if kind not in words.STAFF_KINDS and facts.site_id != site_id:
            raise FailedPrecondition(
                "RESOURCE_NOT_AT_SITE",
                field=field,
                rule="must stand at the site of the session",
                resource_id=str(resource_id),
            )


def require_shift(shifts: Sequence[Span], visit: Visit, nurse_id: UUID) -> None:
    """The nurse is on shift at the site for the whole of the visit. FailedPrecondition otherwise."""
    require_on_shift(shifts, visit.span_of(words.NURSE), words.NURSE, nurse_id)


def require_on_shift(shifts: Sequence[Span], span: Span, kind: str, staff_id: UUID) -> None:
    """The nurse or practitioner is on shift at the site for all of the span. FailedPrecondition NURSE_NOT_ON_SHIFT."""
    if not Covered(shifts).covers(span):
        raise FailedPrecondition(
            f"{kind.upper()}_NOT_ON_SHIFT",
            field=f"{kind}_id",
            resource_id=str(staff_id),
            rule="must be on shift at the site for the whole of the visit",
        )
