"""How far a device's clock may be ahead of its own message: the network's policy row, remembered for a moment.

A site's own row is judged by the worker, which knows the session; the api needs the number before it knows whose the message is.
"""

import time
from datetime import datetime, timedelta
from typing import Final

from chassis.database import Database
from chassis.records import plumbing_context

_REMEMBERED_S: Final = 10.0
_MOST_DAYS: Final = 100
# The row in force at that time; for a message that is older than every row, the newest.
_ROW: Final = """
SELECT seconds FROM telemetry_policy WHERE name = 'clock_tolerance' AND scope = 'network'
AND (effective_until IS NULL OR effective_until > %s) ORDER BY effective_from <= %s DESC, effective_from DESC LIMIT 1
"""


class ClockTolerance:
    """Safe for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._days: dict[str, tuple[float, timedelta]] = {}

    def at(self, sent: datetime) -> timedelta:
        """The tolerance in force when a message was sent. LookupError where there is no policy at all."""
        day, now = sent.date().isoformat(), time.monotonic()
        known = self._days.get(day)
        if known is not None and now - known[0] < _REMEMBERED_S:
            return known[1]
        with self._database.unit_of_work(plumbing_context()) as uow:
            row = uow.driver.execute(_ROW, (sent, sent)).fetchone()
        if row is None:
            raise LookupError("clock_tolerance")
        if len(self._days) >= _MOST_DAYS:
            self._days.clear()
        tolerance = timedelta(seconds=int(row[0]))
        self._days[day] = (now, tolerance)
        return tolerance
