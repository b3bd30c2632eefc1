"""A fair comparison: both sides alternately in one run, the arrivals of each counted and summed, no ratio without them.

Three rules hold for every row. A side that lost or doubled anything takes part in no ratio. Where the ranges of the two sides
overlap there is no ratio either, because another run could turn it round. The load of the machine stands beside each figure.
"""

import os
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

Details = dict[str, float | str]


@dataclass(frozen=True)
class Arrived:
    """How many things there are, and an order-free checksum of what they are."""

    count: int
    checksum: int

    @classmethod
    def of(cls, items: Iterable[str]) -> "Arrived":
        """Counts and sums the items; a lost, doubled or changed one shows in one of the two."""
        count = total = 0
        for item in items:
            count += 1
            total = (total + (crc32(item.encode()) << 16 | len(item))) % 2**64
        return cls(count, total)

    def __str__(self) -> str:
        return f"{self.count} ({self.checksum:016x})"


@dataclass(frozen=True)
class Turn:
    """One side's go: the figure that is compared, what was sent and what arrived, and what else is worth telling."""

    value: float
    sent: Arrived
    arrived: Arrived
    details: Details = field(default_factory=dict)
    broken: str = ""

    @property
    def whole(self) -> bool:
        """True when everything arrived once."""
        return self.sent == self.arrived and not self.broken


Side = Callable[[], Turn]


@dataclass(frozen=True)
class Target:
    """A detail (or the figure itself, "value") and what it should not be below (or above)."""

    name: str
    bound: float
    unit: str
    at_least: bool

    def met(self, found: float) -> bool:
        """Whether the figure is on the right side."""
        return found >= self.bound if self.at_least else found <= self.bound


@dataclass
class Row:
    """What one row of the table says."""

    name: str
    unit: str
    ours: list[Turn]
    bare: list[Turn]
    yardstick: str
    targets: tuple[Target, ...]
    load: list[float]
    notes: str = ""

    def median(self, turns: list[Turn]) -> float:
        """The middle of the figures."""
        return statistics.median(turn.value for turn in turns)

    def why_no_ratio(self) -> str:
        """Empty when the ratio may be printed."""
        for who, turns in (("ours", self.ours), ("the yardstick", self.bare)):
            for turn in turns:
                if not turn.whole:
                    return f"{who}: {turn.broken or f'sent {turn.sent}, arrived {turn.arrived}'}"
        low, high = sorted((self.ours, self.bare), key=self.median)
        if max(turn.value for turn in low) >= min(turn.value for turn in high):
            return "the ranges overlap"
        return ""

    def ratio(self) -> float | None:
        """Ours to the yardstick, or None."""
        return None if self.why_no_ratio() else self.median(self.ours) / self.median(self.bare)

    def found(self, name: str) -> float:
        """The median over our turns of the figure or of a detail."""
        if name == "value":
            return self.median(self.ours)
        return statistics.median(float(turn.details[name]) for turn in self.ours)

    def as_json(self) -> dict[str, Any]:
        """Everything, for --json."""
        return {
            "name": self.name,
            "unit": self.unit,
            "yardstick": self.yardstick,
            "ratio": self.ratio(),
            "why_no_ratio": self.why_no_ratio(),
            "ours": [_turn_json(turn) for turn in self.ours],
            "bare": [_turn_json(turn) for turn in self.bare],
            "targets": [
                {
                    "name": t.name,
                    "bound": t.bound,
                    "unit": t.unit,
                    "found": self.found(t.name),
                    "met": t.met(self.found(t.name)),
                }
                for t in self.targets
                if all(turn.whole for turn in self.ours)
            ],
            "load_average": self.load,
            "notes": self.notes,
        }


def alternate(
    ours: Side, bare: Side, turns: int, say: Callable[[str], None]
) -> tuple[list[Turn], list[Turn], list[float]]:
    """Runs the sides in turn, each going first as often as the other, and notes the load average before each pair."""
    found: dict[str, list[Turn]] = {"ours": [], "yardstick": []}
    load = []
    for number in range(turns):
        load.append(round(os.getloadavg()[0], 1))
        order = [("ours", ours), ("yardstick", bare)]
        for name, side in order if number % 2 == 0 else reversed(order):
            turn = side()
            found[name].append(turn)
            more = " ".join(f"{key}={_short(value)}" for key, value in turn.details.items())
            say(
                f"  turn {number + 1} {name}: {_short(turn.value)} {more}"
                + ("" if turn.whole else f" NOT WHOLE {turn}")
            )
    return found["ours"], found["yardstick"], load


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latencies(seconds: Iterable[float]) -> Details:
    """p50, p99 and the worst, in milliseconds."""
    ms = [value * 1000 for value in seconds]
    return {"p50_ms": percentile(ms, 0.5), "p99_ms": percentile(ms, 0.99), "max_ms": max(ms)}


def _short(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _turn_json(turn: Turn) -> dict[str, Any]:
    return {
        "value": turn.value,
        "sent": {"count": turn.sent.count, "checksum": f"{turn.sent.checksum:016x}"},
        "arrived": {"count": turn.arrived.count, "checksum": f"{turn.arrived.checksum:016x}"},
        "whole": turn.whole,
        "broken": turn.broken,
        **turn.details,
    }
