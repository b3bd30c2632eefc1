"""Health in three parts: started (once), ready (can do its work now), live (its loops still turn; never a peer).

A check is a function that returns None when all is well, or a short reason in the form of an id (`"NOT_ASSIGNED"`). An
exception is a failed check, named by its type. Each runs in a thread of its own with a short time-out, at most one at a time,
and its result holds about a second: a database that hangs cannot hang the page, nor does a fast prober load the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Check = Callable[[], str | None]

HOLD_S = 1.0
TIMEOUT_S = 0.8


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: `reason` is empty when it is ok."""

    name: str
    ok: bool
    reason: str = ""

    def as_json(self) -> dict[str, object]:
        """For the health page and `saguaro status`."""
        return {"name": self.name, "ok": self.ok} | ({"reason": self.reason} if self.reason else {})


@dataclass
class _Cached:
    check: Check
    finding: Finding
    at: float = float("-inf")
    running: threading.Event | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Health:
    """What one process says of itself. All methods may be called from any thread."""

    def __init__(self, *, hold_s: float = HOLD_S, timeout_s: float = TIMEOUT_S) -> None:
        self._hold_s = hold_s
        self._timeout_s = timeout_s
        self._checks: dict[str, _Cached] = {}
        self._beats: dict[str, tuple[float, float]] = {}
        self._started = False
        self._draining = False

    def register(self, name: str, check: Check) -> None:
        """Add a check to `ready`: database, schema, broker, partitions, outbox_age."""
        self._checks[name] = _Cached(check, Finding(name, False, "NOT_YET_CHECKED"))

    def watch(self, loop: str, bound_s: float) -> None:
        """From now on this loop must beat at least every `bound_s` seconds for the process to be live."""
        self._beats[loop] = (time.monotonic(), bound_s)

    def beat(self, loop: str) -> None:
        """The loop went round. Cheap enough for every poll."""
        _, bound_s = self._beats[loop]
        self._beats[loop] = (time.monotonic(), bound_s)

    def beat_age_s(self, loop: str) -> float:
        """Seconds since the loop went round last."""
        return time.monotonic() - self._beats[loop][0]

    def loops(self) -> list[str]:
        """The names of the watched loops."""
        return sorted(self._beats.copy())

    def unwatch(self, loop: str) -> None:
        """The loop has ended as it should."""
        self._beats.pop(loop, None)

    def mark_started(self) -> None:
        """Everything is built and listens."""
        self._started = True

    def mark_draining(self) -> None:
        """The process ends: not ready from now on, but still live."""
        self._draining = True

    def started(self) -> list[Finding]:
        """Whether the process has come up."""
        return [Finding("started", self._started, "" if self._started else "STARTING")]

    def live(self) -> list[Finding]:
        """Whether every watched loop has turned lately."""
        now = time.monotonic()
        return [
            Finding(loop, ok := now - at <= bound_s, "" if ok else "LATE")
            for loop, (at, bound_s) in sorted(self._beats.copy().items())
        ]

    def ready(self) -> list[Finding]:
        """Whether the process can do its work now. Takes at most the time-out, whatever hangs."""
        if self._draining:
            return [Finding("process", False, "DRAINING")]
        pending = [(cached, self._start(cached)) for cached in self._checks.copy().values()]
        until = time.monotonic() + self._timeout_s
        for _, done in pending:
            if done is not None:
                done.wait(max(0.0, until - time.monotonic()))
        found = [
            Finding(cached.finding.name, False, "TIMED_OUT")
            if done is not None and not done.is_set()
            else cached.finding
            for cached, done in pending
        ]
        return self.started() + sorted(found, key=lambda finding: finding.name)

    def _start(self, cached: _Cached) -> threading.Event | None:
        """Start a check whose result is stale; the event that ends it, or None if the result still holds."""
        with cached.lock:
            if cached.running is not None:
                return cached.running
            if time.monotonic() - cached.at < self._hold_s:
                return None
            done = cached.running = threading.Event()
        threading.Thread(target=self._run, args=(cached, done), name="health-check", daemon=True).start()
        return done

    @staticmethod
    def _run(cached: _Cached, done: threading.Event) -> None:
        name = cached.finding.name
        try:
            reason = cached.check()
            finding = Finding(name, reason is None, reason or "")
        except Exception as error:  # noqa: BLE001
            finding = Finding(name, False, type(error).__qualname__)
        with cached.lock:
            cached.finding, cached.at, cached.running = finding, time.monotonic(), None
        done.set()
