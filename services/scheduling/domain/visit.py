"""A visit and the stretch of time that it takes of each resource.

    starts_at        infusion_starts_at      infusion_ends_at        ends_at
        |   preparation     |        infusion        |    recovery      |
        |---------- chair, nurse, monitor -----------------------------|
        |------------------ pump ---------------------|
                            |---------------- person ------------------------ ... 24 h after the infusion's end --|

The person's claim runs from the start of the infusion to its end plus the hard interval (24 h). Two such half-open
claims of a person do not overlap exactly when the later infusion starts at least the interval after the end of the
earlier one: the exclusion constraint *is* the rule, to the minute, with one row. It also keeps the visits themselves
apart: the later visit starts at most one preparation before its infusion, the earlier ends one recovery after its own,
and the policy table refuses an interval shorter than the longest preparation and the longest recovery that it admits
together (360 >= 120 + 240 minutes). A widening to the left, from the start of the preparation, would have asked 24 h
and one preparation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from scheduling.domain import words
from scheduling.domain.policy import BookingPolicy


class Span(NamedTuple):
    """A half-open stretch of time: `start` belongs to it, `end` does not. Both aware, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Visit:
    """The times of one booked session, all aware and in UTC."""

    starts_at: datetime
    infusion_starts_at: datetime
    infusion_ends_at: datetime
    ends_at: datetime
    person_free_at: datetime

    def span_of(self, kind: str) -> Span:
        """What the visit takes of a resource of this kind."""
        if kind == words.PERSON:
            return Span(self.infusion_starts_at, self.person_free_at)
        if kind == words.PUMP:
            return Span(self.starts_at, self.infusion_ends_at)
        return Span(self.starts_at, self.ends_at)


def plan_visit(starts_at: datetime, infusion_min: int, recovery_min: int, policy: BookingPolicy) -> Visit:
    """The visit that begins at `starts_at` (aware, UTC) with an infusion of `infusion_min` whole minutes."""
    infusion_starts_at = starts_at + timedelta(minutes=policy.preparation_min)
    infusion_ends_at = infusion_starts_at + timedelta(minutes=infusion_min)
    return Visit(
        starts_at=starts_at,
        infusion_starts_at=infusion_starts_at,
        infusion_ends_at=infusion_ends_at,
        ends_at=infusion_ends_at + timedelta(minutes=recovery_min),
        person_free_at=infusion_ends_at + timedelta(minutes=policy.infusion_interval_min),
    )
