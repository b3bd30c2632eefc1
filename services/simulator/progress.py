"""A day's numbers while it runs, for whoever watches. Safe to use from several threads."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from simulator.calls import Calls
from simulator.patient import Outcome

Watcher = Callable[[dict[str, Any]], None]


class Progress:
    """Hears of every change of a patient's state and passes the numbers on."""

    def __init__(self, calls: Calls, patients: int, watcher: Watcher | None) -> None:
        self._calls, self._watcher = calls, watcher
        self._lock = threading.Lock()
        self._states: dict[int, str] = dict.fromkeys(range(patients), "expected")
        self._alarms: dict[int, Counter[str]] = {}

    def tell(self, outcome: Outcome) -> None:
        """Takes in where a patient is now."""
        if self._watcher is None:
            return
        with self._lock:
            self._states[outcome.script.index] = outcome.state
            self._alarms[outcome.script.index] = outcome.alarms
            states = Counter(self._states.values())
            alarms = sum(self._alarms.values(), Counter[str]())
            self._watcher(
                {
                    "patients": dict(sorted(states.items())),
                    "sessions_running": states["in session"],
                    "alarms": dict(sorted(alarms.items())),
                    "calls_answered": self._calls.measured.calls,
                    "calls_repeated": self._calls.measured.repeated,
                }
            )
