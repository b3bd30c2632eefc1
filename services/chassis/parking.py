"""Events that could not be applied, in order for each key.

Kept sealed, and let go on when what they wait for has come or an operator says so.
"""

import json
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chassis import metrics
from chassis.database import Database, is_transient
from chassis.envelope import Envelope, read_envelope, text_headers
from chassis.errors import Early, Poison
from chassis.index import Service
from chassis.parked_rows import (
    SEAL_SUBJECT,
    first_parked,
    key_of_record,
    promote,
    record_act,
    rule_of,
    sequence_of_torn,
    words,
)
from chassis.records import Record, lock_keys, plumbing_context, sequence_mark
from chassis.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from chassis.consumer import Reader

# One turn of a reader retries so many keys, for so long at most: thousands may wait, and reading must go on beside.
_DUE_ROWS = 200
_DUE_SECONDS = 0.25

# The first parked event of a key, if it is early: what stands behind another one has to wait for that in any case.
_WAITING = """
SELECT topic, key FROM parked p
WHERE reason = 'early' AND waits_for IS NOT NULL
  AND NOT EXISTS (SELECT FROM parked e WHERE e.topic = p.topic AND e.key = p.key
                  AND (e.sequence, e.record_offset) < (p.sequence, p.record_offset))
"""
# Its arrival wakes an early event. Some arrivals are missed (it came while the event was being parked, or a process ended), so
# each event is tried again by the clock too: after 1, 2, 4 ... 64 s, then about each minute, without a column for it.
_IS_DUE = """
  AND clock_timestamp() >= parked_at
      + make_interval(secs => CASE WHEN attempts < 7 THEN power(2, attempts - 1) ELSE 64.0 * (attempts - 6) END)
ORDER BY attempts, parked_id LIMIT %s
"""


class Parking:
    """The parked table of one service."""

    def __init__(self, index: Service, database: Database, reader: "Reader") -> None:
        self.index = index
        self.database = database
        self.reader = reader

    def park(self, record: Record, expected: int, error: BaseException) -> str:
        """Parks one record in a transaction of its own that also moves the offset over it. Returns "early" or "poison"."""
        headers = text_headers(record.headers)
        try:
            envelope: Envelope | None = read_envelope(record.key, headers)
        except Poison:
            envelope = None
        reason = "early" if isinstance(error, Early) and envelope is not None else "poison"
        with self.database.unit_of_work(plumbing_context()) as uow:
            self.reader.move_offset(uow, record.topic, record.partition, expected, record.offset + 1)
            lock_keys(uow, record.topic, [key_of_record(record, envelope)])
            waits_for = error.waits_for if isinstance(error, Early) else None
            self.keep(uow, record, envelope, reason=reason, rule=rule_of(error), waits_for=waits_for)
        return reason

    def keep(
        self,
        uow: UnitOfWork,
        record: Record,
        envelope: Envelope | None,
        *,
        reason: str,
        rule: str,
        waits_for: str | None = None,
    ) -> None:
        """Writes the row. A record that came before (the same topic, partition and offset) is kept once."""
        headers = text_headers(record.headers)
        key = key_of_record(record, envelope)
        sequence = sequence_of_torn(uow, record.topic, key, headers) if envelope is None else envelope.sequence
        uow.driver.execute(
            "INSERT INTO parked (topic, partition, record_offset, key, sequence, event_id, type, headers, value_sealed, reason,"
            " waits_for, rule) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (
                record.topic,
                record.partition,
                record.offset,
                key,
                sequence,
                headers.get("ce_id", ""),
                headers.get("ce_type", ""),
                json.dumps(headers),
                uow.seal(SEAL_SUBJECT, record.value or b""),
                reason,
                None if waits_for is None else words(waits_for),
                words(rule),
            ),
        )

    def rows(self, topic: str, key: str) -> list[str]:
        """The ids of a key's parked events, in order."""
        with self.database.unit_of_work(plumbing_context(), read_only=True) as uow:
            found = uow.driver.execute(
                "SELECT event_id FROM parked WHERE topic = %s AND key = %s ORDER BY sequence, record_offset",
                (topic, key),
            ).fetchall()
        return [row[0] for row in found]

    def waiting_keys(self, arrivals: Sequence[str] | None) -> list[tuple[str, str]]:
        """The (topic, key) whose first parked event is early: all of them, or those that wait for one of `arrivals`."""
        if arrivals is None:
            return self._keys(f"{_WAITING} ORDER BY topic, key", ())
        return self._keys(
            f"{_WAITING} AND waits_for = ANY(%s) ORDER BY topic, key", ([words(what) for what in arrivals],)
        )

    def _keys(self, query: str, values: tuple[Any, ...]) -> list[tuple[str, str]]:
        with self.database.unit_of_work(plumbing_context(), read_only=True) as uow:
            return [(row[0], row[1]) for row in uow.driver.execute(query, values).fetchall()]

    def retry_due(self) -> int:
        """Tries those again whose time has come, a bounded part of them each time. Returns how many events were applied."""
        until = time.monotonic() + _DUE_SECONDS
        applied = 0
        for topic, key in self._keys(_WAITING + _IS_DUE, (_DUE_ROWS,)):
            arrived: list[str] = []
            applied += self.drain(topic, key, arrived, until=until)
            if arrived:
                applied += self.retry_waiting(arrived, until=until)
            if time.monotonic() >= until:
                break
        return applied

    def retry_waiting(self, arrivals: Sequence[str] | None, *, until: float = math.inf) -> int:
        """Drains the keys whose wait may be over, and again for what they in turn let go on. Returns how many events were applied.

        What is not reached before `until` (time.monotonic) is left for `retry_due`.
        """
        applied = 0
        todo = self.waiting_keys(arrivals)
        while todo and time.monotonic() < until:
            arrived: list[str] = []
            for topic, key in todo:
                applied += self.drain(topic, key, arrived, until=until)
            todo = self.waiting_keys(arrived) if arrived else []
        return applied

    def drain(
        self,
        topic: str,
        key: str,
        arrived: list[str] | None = None,
        *,
        actor: str | None = None,
        until: float = math.inf,
    ) -> int:
        """Applies the parked events of a key in order, each in its own transaction, until one cannot be. Returns how many were."""
        arrivals = [] if arrived is None else arrived
        count = 0
        while time.monotonic() < until and self._drain_one(topic, key, arrivals, actor):
            count += 1
        return count

    def _drain_one(self, topic: str, key: str, arrivals: list[str], actor: str | None) -> bool:
        parked_id = None
        try:
            with self.database.unit_of_work(plumbing_context()) as uow:
                lock_keys(uow, topic, [key])
                row = first_parked(uow, topic, key)
                if row is None:
                    return False
                parked_id, record = row
                self._apply_parked(uow, record, arrivals)
                uow.driver.execute("DELETE FROM parked WHERE parked_id = %s", (parked_id,))
                promote(uow, topic, key)
                if actor is not None:
                    record_act(uow, actor, "retry", record, "")
            metrics.event_handled(self.index.name, topic, "unparked")
            return True
        except Exception as error:  # noqa: BLE001
            if parked_id is not None and not is_transient(error):
                self._failed_again(parked_id, error)
            return False

    def _apply_parked(self, uow: UnitOfWork, record: Record, arrivals: list[str]) -> None:
        envelope = read_envelope(record.key, text_headers(record.headers))
        last = uow.driver.execute(
            "SELECT last FROM inbox_position WHERE topic = %s AND key = %s", (record.topic, envelope.key)
        ).fetchone()
        position = 0 if last is None else int(last[0])
        if envelope.sequence <= position:
            return
        if envelope.sequence > position + 1:
            raise Early(sequence_mark(record.topic, envelope.key, envelope.sequence - 1))
        uow.driver.execute("INSERT INTO inbox (event_id) VALUES (%s) ON CONFLICT DO NOTHING", (envelope.event_id,))
        self.reader.react(uow, envelope, record, arrivals, retry=True)
        self.reader.keep_position(uow, record.topic, envelope.key, envelope.sequence)

    def _failed_again(self, parked_id: int, error: BaseException) -> None:
        early = isinstance(error, Early)
        with self.database.unit_of_work(plumbing_context()) as uow:
            uow.driver.execute(
                "UPDATE parked SET attempts = attempts + 1, reason = %s, rule = %s, waits_for = %s WHERE parked_id = %s",
                (
                    "early" if early else "poison",
                    words(rule_of(error)),
                    words(error.waits_for) if isinstance(error, Early) else None,
                    parked_id,
                ),
            )

    def skip(self, topic: str, key: str, *, actor: str, reason_code: str) -> bool:
        """Gives up the first parked event of a key for a stated reason, and lets its followers go on. False when there is none."""
        with self.database.unit_of_work(plumbing_context()) as uow:
            lock_keys(uow, topic, [key])
            row = first_parked(uow, topic, key, opened=False)
            if row is None:
                return False
            parked_id, record = row
            skipped = uow.driver.execute(
                "DELETE FROM parked WHERE parked_id = %s RETURNING sequence", (parked_id,)
            ).fetchone()[0]
            following = promote(uow, topic, key)
            # A torn event does not say which version it was: then it was what stands before the next one.
            position = skipped or (0 if following is None else following - 1)
            if position > 0:
                uow.driver.execute(
                    "INSERT INTO inbox_position (topic, key, last) VALUES (%s, %s, %s) ON CONFLICT (topic, key)"
                    " DO UPDATE SET last = greatest(inbox_position.last, excluded.last)",
                    (topic, key, position),
                )
            record_act(uow, actor, "skip", record, reason_code)
        self.drain(topic, key)
        return True
