"""Why a time is not free: what stands against a visit, resource by resource, and never who."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from scheduling.domain import words
from scheduling.domain.spans import Covered
from scheduling.domain.visit import Span, Visit

PAST: Final = "past"
CLOSED: Final = "closed"
NO_SHIFT: Final = "no_shift"
BOOKED: Final = "booked"
HELD: Final = "held"
CLEANING: Final = "cleaning"
INTERVAL_HARD: Final = "interval_hard"
INTERVAL_SOFT: Final = "interval_soft"
PERSON_BUSY: Final = "person_busy"
NONE_AT_SITE: Final = "none_at_site"


@dataclass(frozen=True)
class Obstacle:
    """One thing that stands against the visit, as far as it meets it."""

    reason_code: str
    kind: str = ""
    resource_id: UUID | None = None
    span: Span | None = None
    # The rule that may be set aside, if it is one.
    override_rule: str = ""


@dataclass(frozen=True)
class Claimed:
    """Somebody's stretch of a resource. `visit_ends_at` is None where no visit is booked with it: it is held."""

    span: Span
    visit_ends_at: datetime | None


def of_resource(
    kind: str,
    resource_id: UUID,
    visit: Visit,
    claims: Iterable[Claimed],
    shifts: Sequence[Span] | None,
) -> Iterator[Obstacle]:
    """What stands against the visit's stretch of one resource; `shifts` is None for what needs none."""
    wanted = visit.span_of(kind)
    if shifts is not None and not Covered(shifts).covers(wanted):
        yield Obstacle(NO_SHIFT, kind, resource_id, wanted)
    for claim in claims:
        met = _meet(claim.span, wanted)
        if met is None:
            continue
        if claim.visit_ends_at is None:
            yield Obstacle(HELD, kind, resource_id, met)
        elif claim.visit_ends_at <= wanted.start or (kind == words.CHAIR and claim.span.start >= visit.ends_at):
            yield Obstacle(CLEANING, kind, resource_id, met, words.CLEANING)
        else:
            yield Obstacle(BOOKED, kind, resource_id, met)


def of_person(
    visit: Visit, soft_interval_min: int, infusions: Iterable[Span], busy: Iterable[Span]
) -> Iterator[Obstacle]:
    """The person's own intervals and consultations. `infusions` are the person's claims, `busy` other appointments."""
    wanted, near = visit.span_of(words.PERSON), visit.near(soft_interval_min)
    for span in infusions:
        hard, soft = _meet(span, wanted), _meet(span, near)
        if hard is not None:
            yield Obstacle(INTERVAL_HARD, words.PERSON, None, hard)
        elif soft is not None:
            yield Obstacle(INTERVAL_SOFT, words.PERSON, None, soft, words.SOFT_INTERVAL)
    for span in busy:
        met = _meet(span, Span(visit.starts_at, visit.ends_at))
        if met is not None:
            yield Obstacle(PERSON_BUSY, words.PERSON, None, met)


def one_of_each_is_free(asked: Mapping[str, Sequence[UUID]], found: Iterable[Obstacle]) -> bool:
    """True when nothing but resources is in the way and of each kind one has no obstacle."""
    blocked: set[UUID] = set()
    for obstacle in found:
        if obstacle.resource_id is None:
            return False
        blocked.add(obstacle.resource_id)
    return all(any(one not in blocked for one in ids) for ids in asked.values())


def _meet(one: Span, other: Span) -> Span | None:
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Span(start, end) if start < end else None
