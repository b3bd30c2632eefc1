"""Limits over the samples of one metric, vectorised: the work follows runs of breach, not samples.

House policy: a sustained condition needs every fresh sample over its length; a feed slower than the length is judged per sample.
A gap breaks the run, so that an alarm never rests on values that were not measured; an alarm that is on stays on until a fresh
sample lies inside the limit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from device_telemetry.domain.columns import Milliseconds
from device_telemetry.domain.policy import Limit

# A feed may lose two samples in a row before a run counts as broken: the gap is then more than three declared periods.
GAP_IN_PERIODS = 3


@dataclass(frozen=True)
class Run:
    """Consecutive fresh samples in breach: when the first and the latest were measured."""

    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class Crossing:
    """The alarm of a limit goes on or off at this measurement time."""

    on: bool
    at_ms: int


def follow(
    limit: Limit, run: Run | None, active: bool, at_ms: Milliseconds, values_e6: NDArray[np.int64], period_ms: int
) -> tuple[Run | None, tuple[Crossing, ...]]:
    """The run after these fresh samples (times never fall), and what the alarm did. `period_ms` is what the feed declares."""
    breach = limit.breached(values_e6)
    if run is None and not active and not bool(breach.any()):
        return None, ()
    per_sample = limit.confirm_ms == 0 and period_ms > limit.duration_ms
    gap_ms = limit.confirm_ms or GAP_IN_PERIODS * period_ms
    crossings = []
    for first, last in _stretches(breach, at_ms, gap_ms):
        start_ms, end_ms = int(at_ms[first]), int(at_ms[last])
        if not bool(breach[first]):
            if active:
                crossings.append(Crossing(False, start_ms))
            run, active = None, False
            continue
        goes_on = run is not None and start_ms - run.last_ms <= gap_ms
        first_ms = run.first_ms if run is not None and goes_on else start_ms
        if not active:
            hit_ms = start_ms if per_sample else _hit(limit, first_ms, goes_on, at_ms[first : last + 1])
            if hit_ms is not None:
                crossings.append(Crossing(True, hit_ms))
                active = True
        run = Run(first_ms, end_ms)
    return run, tuple(crossings)


def _stretches(breach: NDArray[np.bool_], at_ms: Milliseconds, gap_ms: int) -> Iterator[tuple[int, int]]:
    """First and last index of each stretch that is all in or all out of breach and holds no gap."""
    edges = np.flatnonzero((breach[1:] != breach[:-1]) | (np.diff(at_ms) > gap_ms)) + 1
    for start, end in pairwise([0, *edges.tolist(), len(breach)]):
        yield start, end - 1


def _hit(limit: Limit, first_ms: int, goes_on: bool, at_ms: Milliseconds) -> int | None:
    """When a stretch in breach becomes an alarm: at its second sample if it must be repeated, else when it has lasted."""
    if limit.confirm_ms:
        return int(at_ms[0]) if goes_on else int(at_ms[1]) if len(at_ms) > 1 else None
    index = int(np.searchsorted(at_ms, first_ms + limit.duration_ms))
    return int(at_ms[index]) if index < len(at_ms) else None
