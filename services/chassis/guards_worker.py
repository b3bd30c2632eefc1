"""What a worker's process must look like: eventlet patched it before anything else came, and its drivers fit that.

`patch()` is the first thing that a worker's command does; `chassis.guards.install("worker")` then runs `check`.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

from chassis import guards
from chassis.guards import Refusal

NOT_BEFORE_PATCHING = (
    "concurrent.futures.thread", "kafka", "nameko", "opentelemetry.sdk", "prometheus_client", "psycopg", "requests",
    "sqlalchemy", "structlog", "urllib3",
)  # fmt: skip
"""Libraries that take sockets, locks, threads or clocks at import: loaded before the patch, they keep the native ones."""

PATCHED = ("os", "select", "socket", "thread", "time")
"""What eventlet must have patched."""

WAIT_FUNCTION = "wait_selector"
"""How psycopg waits: it does not see eventlet by itself, and its wait_poll and wait_epoll crash under it."""

_loaded_when_patched: tuple[str, ...] | None = None


def patch() -> None:
    """Make this process a worker's: patched by eventlet, psycopg told how to wait. Imports nothing else before."""
    global _loaded_when_patched
    os.environ["PSYCOPG_WAIT_FUNC"] = WAIT_FUNCTION
    _loaded_when_patched = tuple(sys.modules)
    with warnings.catch_warnings():
        # That eventlet is in maintenance is known and decided: only this module and the worker's stand on it.
        warnings.simplefilter("ignore")
        import eventlet  # noqa: PLC0415

        eventlet.monkey_patch()


def check(on_refusal: Callable[[Refusal], None]) -> None:
    """Refuse an unpatched or late patched process, a psycopg that waits otherwise, and Kafka checksums in Python."""

    def refuse(rule: str, advice: str) -> None:
        on_refusal(Refusal("worker", "", __name__, rule, advice))

    patcher = sys.modules.get("eventlet.patcher")
    missing = [name for name in PATCHED if patcher is None or not patcher.is_monkey_patched(name)]
    if missing:
        refuse(
            f"a worker starts only when eventlet has patched its process, and {', '.join(missing)} is not patched",
            "call chassis.guards_worker.patch() before any other import",
        )
        return
    early = [name for name in NOT_BEFORE_PATCHING if name in _before_patching()]
    if early:
        refuse(
            f"a worker patches first and imports later, and {', '.join(early)} came before eventlet's patch",
            "call chassis.guards_worker.patch() before any other import",
        )
        return
    _check_psycopg(refuse)
    guards.require_fast_checksum("worker", on_refusal)


def _before_patching() -> set[str]:
    """What was loaded before the patch; where another patched, what was loaded before eventlet itself."""
    if _loaded_when_patched is not None:
        return set(_loaded_when_patched)
    order = list(sys.modules)
    return set(order[: order.index("eventlet")])


def _check_psycopg(refuse: Callable[[str, str], None]) -> None:
    """psycopg reads PSYCOPG_WAIT_FUNC once, at its import."""
    waiting = sys.modules.get("psycopg.waiting")
    if waiting is None:
        os.environ["PSYCOPG_WAIT_FUNC"] = WAIT_FUNCTION
    elif getattr(waiting, "wait", None) is not getattr(waiting, WAIT_FUNCTION, None):
        refuse(
            f"psycopg was imported before PSYCOPG_WAIT_FUNC={WAIT_FUNCTION} was set",
            "call chassis.guards_worker.patch() before any other import",
        )
