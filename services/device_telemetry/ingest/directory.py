"""Which devices there are, and which session each belonged to when it measured: a copy, never older than milliseconds.

Each change of an attachment counts up one number in the database; that number is read again before the copy is used, at most
every few milliseconds, and throws the copy away when it moved. So a device that goes from one session to the next is followed at
once, also where clinic time runs faster than the clock.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from chassis.database import Database
from chassis.records import plumbing_context

_LOOK_AGAIN_S: Final = 0.003

_DEVICE = """
SELECT d.device_id::text, d.site_id, lower(a.during), upper(a.during), a.session_id::text
FROM device d LEFT JOIN attachment a ON a.device_id = d.device_id
WHERE d.device_id = %s ORDER BY lower(a.during) DESC NULLS LAST LIMIT 100
"""


@dataclass(frozen=True)
class Stay:
    """A device in a session, from and until in milliseconds since 1970."""

    from_ms: int
    until_ms: int | None
    session_id: str


class Directory:
    """Safe for many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._looked = 0.0
        self._version = -1
        self._stays: dict[str, tuple[Stay, ...] | None] = {}

    def knows(self, device_id: str) -> bool:
        """Whether the device is registered."""
        return self._of(device_id) is not None

    def session_at(self, device_id: str, at_ms: int) -> str | None:
        """The session that the device was attached to when it measured; None when to none."""
        for stay in self._of(device_id) or ():
            if stay.from_ms <= at_ms and (stay.until_ms is None or at_ms < stay.until_ms):
                return stay.session_id
        return None

    def _of(self, device_id: str) -> tuple[Stay, ...] | None:
        with self._lock:
            now = time.monotonic()
            if now - self._looked > _LOOK_AGAIN_S:
                self._look()
                self._looked = now
            # A device that is not known may be registered at any moment, which counts no version up.
            if self._stays.get(device_id) is None:
                self._stays[device_id] = self._read(device_id)
            return self._stays[device_id]

    def _look(self) -> None:
        with self._database.unit_of_work(plumbing_context()) as uow:
            row = uow.driver.execute("SELECT version FROM attachment_version").fetchone()
        if row[0] != self._version:
            self._stays.clear()
            self._version = row[0]

    def _read(self, device_id: str) -> tuple[Stay, ...] | None:
        with self._database.unit_of_work(plumbing_context()) as uow:
            rows = uow.driver.execute(_DEVICE, (UUID(device_id),)).fetchall()
        if not rows:
            return None
        return tuple(
            Stay(_ms(row[2]), _ms(row[3]) if row[3] is not None else None, row[4]) for row in rows if row[4] is not None
        )


def _ms(at: Any) -> int:
    moment: datetime = at.astimezone(UTC)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
