"""A visit and the stretch of time that it takes of each resource.

    starts_at        infusion_starts_at      infusion_ends_at        ends_at     cleaned_at
        |   preparation     |        infusion        |    recovery      |  cleaning  |
        |---------- nurse, monitor -----------------------------------|
        |---------- chair ---------------------------------------------------------|
        |------------------ pump ---------------------|
                            |---------------- person ------------------------ ... 24 h after the infusion's end --|

Which resource is taken from which of these moments until which is policy data (appointment_resource); the drawing shows
what ships. The person's claim runs from the start of the infusion to its end plus the hard interval (24 h). Two such
half-open claims of a person do not overlap exactly when the later infusion starts at least the interval after the end of
the earlier one: the exclusion constraint *is* the rule, to the minute, with one row. It also keeps the visits themselves
apart: the later visit starts at most one preparation before its infusion, the earlier ends one recovery after its own,
and the policy table refuses an interval shorter than the longest preparation and the longest recovery that it admits
together (360 >= 120 + 240 minutes). A widening to the left, from the start of the preparation, would have asked 24 h
and one preparation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from scheduling.domain import words
from scheduling.domain.policy import BookingPolicy, Phases


class Span(NamedTuple):
    """A half-open stretch of time: `start` belongs to it, `end` does not. Both aware, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Visit:
    """The times of one booked session, all aware and in UTC, and what it takes of each kind of resource."""

    starts_at: datetime
    infusion_starts_at: datetime
    infusion_ends_at: datetime
    ends_at: datetime
    cleaned_at: datetime
    person_free_at: datetime
    phases: Phases

    def moment(self, phase: str) -> datetime:
        """The moment that a phase of words.FROM_PHASES or words.UNTIL_PHASES names."""
        name = _FIELD_OF[phase]
        found: datetime = getattr(self, name)
        return found

    def span_of(self, kind: str) -> Span:
        """What the visit takes of a resource of this kind."""
        first, last = self.phases[kind]
        return Span(self.moment(first), self.moment(last))

    def near(self, soft_interval_min: int) -> Span:
        """An active claim of the person in this stretch is another infusion within the soft interval."""
        more = timedelta(minutes=soft_interval_min) - (self.person_free_at - self.infusion_ends_at)
        return Span(self.infusion_starts_at - more, self.person_free_at + more)


_FIELD_OF = {
    words.ARRIVAL: "starts_at",
    words.INFUSION_START: "infusion_starts_at",
    words.INFUSION_END: "infusion_ends_at",
    words.VISIT_END: "ends_at",
    words.CLEANING_END: "cleaned_at",
    words.INTERVAL_END: "person_free_at",
}


def plan_visit(
    starts_at: datetime, infusion_min: int, recovery_min: int, policy: BookingPolicy, phases: Phases
) -> Visit:
    """The visit that begins at `starts_at` (aware, UTC) with an infusion of `infusion_min` whole minutes."""
    infusion_starts_at = starts_at + timedelta(minutes=policy.preparation_min)
    infusion_ends_at = infusion_starts_at + timedelta(minutes=infusion_min)
    ends_at = infusion_ends_at + timedelta(minutes=recovery_min)
    return Visit(
        starts_at=starts_at,
        infusion_starts_at=infusion_starts_at,
        infusion_ends_at=infusion_ends_at,
        ends_at=ends_at,
        cleaned_at=ends_at + timedelta(minutes=policy.cleaning_min),
        person_free_at=infusion_ends_at + timedelta(minutes=policy.infusion_interval_min),
        phases=phases,
    )
