"""Stretches of time put together: is this one covered, is that one free."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime

from scheduling.domain.visit import Span


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as few spans in order: those that overlap or touch become one."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start <= result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


class Covered:
    """Time in which somebody is there, asked many times; two shifts that touch cover what runs over both."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = merged(spans)

    def covers(self, wanted: Span) -> bool:
        """True when every moment of `wanted` is covered."""
        place = bisect_right(self._spans, wanted.start, key=lambda span: span.start) - 1
        return place >= 0 and wanted.end <= self._spans[place].end


class Busy:
    """The taken time of one resource, asked many times."""

    def __init__(self, spans: Iterable[Span]) -> None:
        found = merged(spans)
        self._starts: list[datetime] = [span.start for span in found]
        self._ends: list[datetime] = [span.end for span in found]

    def free(self, wanted: Span) -> bool:
        """True when nothing of `wanted` is taken."""
        return bisect_right(self._ends, wanted.start) == bisect_left(self._starts, wanted.end)
