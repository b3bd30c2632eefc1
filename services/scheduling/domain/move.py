"""What a session that moves needs beside what it has: the new stretch of each resource without its own old one.

Together with the old claims these pieces hold the old time and the new one, without a claim that overlaps another: the
exclusion constraint needs to know nothing of moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from scheduling.domain.visit import Span


@dataclass(frozen=True)
class Held:
    """A stretch of a resource."""

    resource_id: UUID
    span: Span


@dataclass(frozen=True)
class Piece:
    """A stretch of a resource that has to be claimed, before or after what the session holds of it."""

    kind: str
    resource_id: UUID
    span: Span
    earlier: bool


def pieces(old: Mapping[str, Held], new: Mapping[str, Held]) -> list[Piece]:
    """What of `new` is not in `old`, by kind; whole stretches where the resource is another or the times are apart."""
    found: list[Piece] = []
    for kind, wanted in new.items():
        had = old.get(kind)
        apart = (
            had is None
            or had.resource_id != wanted.resource_id
            or wanted.span.end <= had.span.start
            or had.span.end <= wanted.span.start
        )
        if had is None or apart:
            found.append(Piece(kind, wanted.resource_id, wanted.span, False))
            continue
        if wanted.span.start < had.span.start:
            found.append(Piece(kind, wanted.resource_id, Span(wanted.span.start, had.span.start), True))
        if had.span.end < wanted.span.end:
            found.append(Piece(kind, wanted.resource_id, Span(had.span.end, wanted.span.end), False))
    return found
