"""Which starts have a whole set of chair, pump, monitor and nurse free."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from scheduling.domain import words
from scheduling.domain.spans import Busy, Covered
from scheduling.domain.visit import Span, Visit


class FreeSet(NamedTuple):
    """A start and the resources that are free for the whole of its visit."""

    starts_at: datetime
    chair_id: UUID
    pump_id: UUID
    monitor_id: UUID
    nurse_id: UUID


@dataclass(frozen=True)
class Occupancy:
    """What a site has and what is taken of it. Ids are in the order in which they are to be offered."""

    ids: Mapping[str, Sequence[UUID]]
    claims: Mapping[UUID, Sequence[Span]]
    shifts: Mapping[UUID, Sequence[Span]]


def free_sets(visits: Iterable[Visit], occupancy: Occupancy) -> Iterator[FreeSet]:
    """One free set for each visit that has one, in the order of the visits."""
    busy = {resource: Busy(spans) for resource, spans in occupancy.claims.items()}
    on_shift = {nurse: Covered(spans) for nurse, spans in occupancy.shifts.items()}

    def first_free(kind: str, visit: Visit) -> UUID | None:
        span = visit.span_of(kind)
        for resource in occupancy.ids.get(kind, ()):
            if kind == words.NURSE and not (resource in on_shift and on_shift[resource].covers(span)):
                continue
            if resource not in busy or busy[resource].free(span):
                return resource
        return None

    for visit in visits:
        found: list[UUID] = []
        for kind in (words.CHAIR, words.PUMP, words.MONITOR, words.NURSE):
            resource = first_free(kind, visit)
            if resource is None:
                break
            found.append(resource)
        else:
            yield FreeSet(visit.starts_at, *found)
