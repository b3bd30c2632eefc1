"""Limits that a medical director signs, as the rules take them: read from effective-dated rows, in millionths and milliseconds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
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
    # Above 0: the limit is relative, in millionths of a percent of the person's baseline; `bound_e6` follows from that.
    percent_e6: int = 0

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
class PumpPolicy:
    """What a pump's volumes and reserves are judged by. Sources stand in the rows."""

    # Rate times time and the counter: further apart than the larger of the two is a discrepancy.
    discrepancy_percent: Decimal
    discrepancy_ml: Decimal
    # Out of the larger tolerance in each stretch, for longer than the window: the pump runs too fast or too slow.
    flow_percent: Decimal
    flow_ml: Decimal
    flow_stretch_ms: int
    flow_window_ms: int
    reservoir_low_ml: Decimal
    reservoir_empty_ml: Decimal
    battery_low_min: Decimal
    # More than this out of a pump that stands is free flow; nothing where this should have gone in is no flow.
    free_flow_ml: Decimal
    no_flow_ml: Decimal


@dataclass(frozen=True)
class Step:
    """An alarm that nobody acknowledged is told again, this long after it was raised, to these."""

    after_ms: int
    who: str


@dataclass(frozen=True)
class Policy:
    """What holds for one site at one time."""

    limits: tuple[Limit, ...]
    silences: tuple[SilenceLimit, ...]
    # Added to twice the declared period of a feed; the silence limit is never below that sum.
    feed_slack_ms: int
    # How far a pump's clock may run behind the moment of the authorisation, and a sample before its sending.
    clock_tolerance_ms: int
    # None: nothing of the kind is judged.
    pump: PumpPolicy | None = None
    # (priority, its steps in their order).
    escalations: tuple[tuple[int, tuple[Step, ...]], ...] = ()
    # Alarms of this priority and above stay until they are acknowledged.
    latching_priority: int | None = None
    # How long a pump that infuses may say nothing.
    pump_silence: SilenceLimit | None = None

    def for_person(self, baseline: Mapping[str, Decimal]) -> "Policy":
        """The same with the relative limits made absolute; those of a metric without a baseline fall away."""
        limits = []
        for limit in self.limits:
            if limit.percent_e6 == 0:
                limits.append(limit)
            elif limit.metric in baseline:
                bound = baseline[limit.metric] * limit.percent_e6 / 100
                limits.append(replace(limit, bound_e6=int(bound)))
        return replace(self, limits=tuple(limits))

    @cached_property
    def steps(self) -> dict[int, tuple[Step, ...]]:
        """The steps of escalation by priority."""
        return dict(self.escalations)

    def latches(self, priority: int) -> bool:
        """Whether an alarm of this priority stays until it is acknowledged."""
        return self.latching_priority is not None and priority >= self.latching_priority

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
