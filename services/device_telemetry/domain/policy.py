"""Limits that a medical director signs, as the rules take them: read from effective-dated rows, in millionths and milliseconds."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


class Side(StrEnum):
    """Which side of the bound is the breach."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class Limit:
    """A bound on one metric. With `duration_ms` a breach must last, with `confirm_ms` it must be repeated within that time."""

    kind: str
    metric: str
    side: Side
    bound_e6: int
    # True when the bound itself is a breach (">= 160"), False when only what lies beyond is ("< 40").
    inclusive: bool
    priority: int
    duration_ms: int = 0
    confirm_ms: int = 0

    def breached(self, values_e6: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the values are in breach."""
        if self.side is Side.HIGH:
            return values_e6 >= self.bound_e6 if self.inclusive else values_e6 > self.bound_e6
        return values_e6 <= self.bound_e6 if self.inclusive else values_e6 < self.bound_e6


@dataclass(frozen=True)
class SilenceLimit:
    """How long the metrics may give no fresh sample, all of them together.

    `required`: watched from the start of an infusion even if never seen.
    """

    kind: str
    metrics: tuple[str, ...]
    after_ms: int
    priority: int
    required: bool


@dataclass(frozen=True)
class Policy:
    """What holds for one site at one time."""

    limits: tuple[Limit, ...]
    silences: tuple[SilenceLimit, ...]
    # Added to twice the declared period of a feed; the silence limit is never below that sum.
    feed_slack_ms: int
    # How far a pump's clock may run behind the moment of the authorisation.
    clock_tolerance_ms: int

    @cached_property
    def by_metric(self) -> dict[str, "MetricLimits"]:
        """The limits of each metric, with the band in which none of them is broken."""
        metrics = {limit.metric for limit in self.limits}
        return {
            metric: MetricLimits(tuple(limit for limit in self.limits if limit.metric == metric)) for metric in metrics
        }


class MetricLimits:
    """All limits of one metric. Values strictly inside the band break none of them, which one look at a frame tells."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self.limits = limits
        self._kinds = frozenset(limit.kind for limit in limits)
        self._floor_e6 = max((limit.bound_e6 for limit in limits if limit.side is Side.LOW), default=-(2**62))
        self._ceiling_e6 = min((limit.bound_e6 for limit in limits if limit.side is Side.HIGH), default=2**62)

    def quiet(self, values_e6: NDArray[np.int64], runs: Collection[str], active: Collection[str]) -> bool:
        """True when nothing can change: every value inside the band, no run begun, no alarm on."""
        if not self._kinds.isdisjoint(runs) or not self._kinds.isdisjoint(active):
            return False
        return self._floor_e6 < int(values_e6.min()) and int(values_e6.max()) < self._ceiling_e6
