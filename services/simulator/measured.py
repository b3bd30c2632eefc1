"""How long calls and effects took, by the wall. Safe to use from several threads."""

import threading
from collections import defaultdict
from typing import Any


class Measured:
    """Seconds by name, told in milliseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, list[float]] = defaultdict(list)
        self._effects: dict[str, list[float]] = defaultdict(list)
        self.repeated = 0

    def call(self, rpc: str, seconds: float) -> None:
        """One answered call."""
        with self._lock:
            self._calls[rpc].append(seconds)

    def effect(self, name: str, seconds: float) -> None:
        """From a decision's answer to the moment at which its effect was seen elsewhere."""
        with self._lock:
            self._effects[name].append(seconds)

    def again(self) -> None:
        """A call had to be repeated because nobody answered."""
        with self._lock:
            self.repeated += 1

    @property
    def calls(self) -> int:
        """How many calls were answered so far."""
        with self._lock:
            return sum(len(times) for times in self._calls.values())

    def summary(self) -> dict[str, Any]:
        """{"calls": {rpc: {count, p50_ms, p99_ms}}, "effects": the same, "repeated_calls": n}."""
        with self._lock:
            return {
                "calls": {name: _quantiles(times) for name, times in sorted(self._calls.items())},
                "effects": {name: _quantiles(times) for name, times in sorted(self._effects.items())},
                "repeated_calls": self.repeated,
            }


def _quantiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {"count": len(ordered), "p50_ms": _at(ordered, 0.50), "p99_ms": _at(ordered, 0.99)}


def _at(ordered: list[float], share: float) -> float:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000, 2)
