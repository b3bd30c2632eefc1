"""Applies records of a topic's partition to the service's database, whatever brought them. The four outcomes of a failed event live here.

A polled batch is one transaction: next offset (fencing a zombie), inbox, positions, state and the service's own outbox
rows. Where the batch fails it is rolled back; a transient failure is tried again as it is, anything else is replayed one
event a transaction, so that one bad event stops only its own key: *early* waits for what another topic brings, *poison* is
parked for an operator, and both with every later event of their key.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from chassis import metrics, tracing
from chassis.database import Database, is_transient
from chassis.envelope import WATERMARK_TYPE, Envelope, read_envelope, read_value, text_headers
from chassis.errors import Early, Fenced, Poison, Transient
from chassis.fields import spec_of
from chassis.index import EventIn, Service
from chassis.parking import Parking
from chassis.records import Record, plumbing_context, sequence_mark
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.chassis.v1 import events_pb2 as chassis_events

# How long a batch may keep its reader from the next poll for the sake of what it let go on; the rest goes on later.
_WAKE_SECONDS = 5.0

_TAKE = """
WITH moved AS (
    UPDATE consumer_offset SET next = %s, moved_at = clock_timestamp() WHERE topic = %s AND partition = %s AND next = %s
    RETURNING 1
)
SELECT (SELECT count(*) FROM moved),
       (SELECT count(pg_advisory_xact_lock(hashtext(%s), hashtext(k)))
        FROM (SELECT k FROM unnest(%s::text[]) AS k ORDER BY hashtext(k)) AS sorted)
"""
_LOOK = """
WITH fresh AS (
    INSERT INTO inbox (event_id) SELECT DISTINCT * FROM unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT 'fresh', event_id, 0::bigint FROM fresh
UNION ALL SELECT 'position', key, last FROM inbox_position WHERE topic = %s AND key = ANY(%s)
UNION ALL SELECT 'parked', key, min(sequence) FROM parked WHERE topic = %s AND key = ANY(%s) GROUP BY key
"""
# What came early looks by itself again within a second or two, so a row that is parked just now is not lost.
_KEEP = """
WITH kept AS (
    INSERT INTO inbox_position (topic, key, last) SELECT %s, * FROM unnest(%s::text[], %s::bigint[])
    ON CONFLICT (topic, key) DO UPDATE SET last = excluded.last
)
SELECT EXISTS (SELECT FROM parked WHERE waits_for = ANY(%s::text[]))
"""


@dataclass
class _Seen:
    """What one transaction knows of the keys of its batch."""

    positions: dict[str, int]
    # The lowest parked sequence of each key that has any.
    parked: dict[str, int]


class Reader:
    """Applies batches for one service."""

    def __init__(self, index: Service, database: Database) -> None:
        self.index = index
        self.database = database
        self._events: dict[str, EventIn] = {}
        for row in index.events_in:
            self._events[row.message.DESCRIPTOR.full_name] = row
        self.topics = sorted({spec_of(row.message()).topic for row in index.events_in})
        self.parking = Parking(index, database, self)

    # -- offsets

    def ensure_offset(self, topic: str, partition: int, beginning: int) -> int:
        """The next offset to read, from this service's own database; begins at `beginning` the first time."""
        with self.database.unit_of_work(plumbing_context()) as uow:
            uow.driver.execute(
                "INSERT INTO consumer_offset (topic, partition, next) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (topic, partition, beginning),
            )
            row = uow.driver.execute(
                "SELECT next FROM consumer_offset WHERE topic = %s AND partition = %s", (topic, partition)
            ).fetchone()
            return int(row[0])

    def move_offset(self, uow: UnitOfWork, topic: str, partition: int, expected: int, following: int) -> None:
        """Moves the offset in this transaction. Fenced when it is not where this process left it."""
        moved = uow.driver.execute(
            "UPDATE consumer_offset SET next = %s, moved_at = clock_timestamp() WHERE topic = %s AND partition = %s AND next = %s",
            (following, topic, partition, expected),
        )
        if moved.rowcount != 1:
            raise Fenced(f"{topic}[{partition}] is read by another process")

    # -- batches

    def apply(self, topic: str, partition: int, records: Sequence[Record], *, expected: int) -> list[str]:
        """Applies records that follow each other. Returns what became of each: applied, duplicate, ignored, early, poison, follower.

        Raises Transient (nothing was kept, try the same again) or Fenced (another process reads this partition).
        """
        if not records:
            return []
        try:
            results, arrivals = self._together(topic, partition, records, expected)
        except Fenced:
            raise
        except Exception as error:
            if is_transient(error):
                raise Transient(type(error).__name__) from error
            results, arrivals = self._one_by_one(topic, partition, records, expected)
        for result in results:
            metrics.event_handled(self.index.name, topic, result)
        if arrivals:
            self._wake(arrivals)
        return results

    def _wake(self, arrivals: Sequence[str]) -> None:
        """Lets go on what waited. The batch is on record already: what fails here is tried again when it is due."""
        try:
            self.parking.retry_waiting(arrivals, until=time.monotonic() + _WAKE_SECONDS)
        except Exception as error:
            if not is_transient(error):
                raise

    def _together(
        self, topic: str, partition: int, records: Sequence[Record], expected: int, *, retry: bool = False
    ) -> tuple[list[str], list[str]]:
        """The whole batch in one transaction; any trouble with an event raises."""
        envelopes = [self._envelope(record) for record in records]
        events = [item for item in envelopes if item is not None]
        # Opened in the first event's context: where events come one by one, that spares setting it again.
        with self.database.unit_of_work(events[0].context if events else plumbing_context()) as uow:
            self._take(uow, topic, partition, expected, records[-1].offset + 1, [item.key for item in events])
            seen, fresh = self._look(uow, topic, events)
            before = dict(seen.positions)
            arrivals: list[str] = []
            results = []
            for record, envelope in zip(records, envelopes, strict=True):
                results.append(self._step(uow, record, envelope, seen, fresh, arrivals, retry))
            wanted = self._keep_positions(uow, topic, before, seen.positions, arrivals)
            return results, arrivals if wanted else []

    def _one_by_one(
        self, topic: str, partition: int, records: Sequence[Record], expected: int
    ) -> tuple[list[str], list[str]]:
        """Each event in a transaction of its own; what cannot be applied is parked and the others go on."""
        results: list[str] = []
        arrivals: list[str] = []
        for record in records:
            try:
                result, arrived = self._together(topic, partition, [record], expected, retry=True)
                results += result
                arrivals += arrived
            except Fenced:
                raise
            except Exception as error:
                if is_transient(error):
                    raise Transient(type(error).__name__) from error
                results.append(self.parking.park(record, expected, error))
            expected = record.offset + 1
        return results, arrivals

    def _envelope(self, record: Record) -> Envelope | None:
        """None for a watermark."""
        headers = text_headers(record.headers)
        if headers.get("ce_type") == WATERMARK_TYPE:
            return None
        return read_envelope(record.key, headers)

    def _step(
        self,
        uow: UnitOfWork,
        record: Record,
        envelope: Envelope | None,
        seen: _Seen,
        fresh: set[str],
        arrivals: list[str],
        retry: bool,
    ) -> str:
        if envelope is None:
            self._watermark(uow, record)
            return "ignored"
        first_parked = seen.parked.get(envelope.key)
        # What comes before the parked ones may be just what they wait for.
        if first_parked is not None and envelope.sequence >= first_parked:
            uow.driver.execute("DELETE FROM inbox WHERE event_id = %s", (envelope.event_id,))
            self.parking.keep(uow, record, envelope, reason="follower", rule="an earlier event of its key is parked")
            return "follower"
        last = seen.positions.get(envelope.key, 0)
        if envelope.event_id not in fresh or envelope.sequence <= last:
            return "duplicate"
        if envelope.sequence > last + 1:
            raise Early(sequence_mark(record.topic, envelope.key, envelope.sequence - 1))
        fresh.discard(envelope.event_id)
        applied = self.react(uow, envelope, record, arrivals, retry=retry)
        seen.positions[envelope.key] = envelope.sequence
        if first_parked is not None:
            arrivals.append(sequence_mark(record.topic, envelope.key, envelope.sequence))
        return "applied" if applied else "ignored"

    def react(
        self, uow: UnitOfWork, envelope: Envelope, record: Record, arrivals: list[str], *, retry: bool = False
    ) -> bool:
        """Runs the reaction to one event in the open transaction; False when this service has none."""
        row = self._events.get(envelope.type_name)
        if row is None:
            return False
        event: Message = read_value(row.message, record.value)
        with tracing.process_span(
            envelope.type_name,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            traceparent=envelope.context.traceparent,
            correlation_id=str(envelope.context.correlation_id),
            causation_id=envelope.event_id,
            retry=retry,
        ):
            context = envelope.context.caused_by(envelope.event_id, tracing.current_traceparent())
            own = UnitOfWork(self.database, uow.connection, context, read_only=False)
            own.begin_within(uow)
            row.react(own, event)
            arrivals.extend(own.arrivals)
        metrics.commit_to_effect(self.index.name, envelope.headers.get("ce_recordedtime"))
        return True

    def _take(
        self, uow: UnitOfWork, topic: str, partition: int, expected: int, following: int, keys: Sequence[str]
    ) -> None:
        """Moves the offset and locks the keys, sorted, in one round trip. Fenced when the offset is not where we left it."""
        row = uow.driver.execute(_TAKE, (following, topic, partition, expected, topic, sorted(set(keys))), prepare=True)
        if row.fetchone()[0] != 1:
            raise Fenced(f"{topic}[{partition}] is read by another process")

    def _look(self, uow: UnitOfWork, topic: str, events: Sequence[Envelope]) -> tuple[_Seen, set[str]]:
        """After the locks: what is known of the keys, and the ids that were not in the inbox before, which are now."""
        seen, fresh = _Seen({}, {}), set[str]()
        if not events:
            return seen, fresh
        keys = sorted({item.key for item in events})
        ids = [item.event_id for item in events]
        for what, name, number in uow.driver.execute(_LOOK, (ids, topic, keys, topic, keys), prepare=True):
            if what == "fresh":
                fresh.add(name)
            else:
                (seen.positions if what == "position" else seen.parked)[name] = number
        return seen, fresh

    def _keep_positions(
        self, uow: UnitOfWork, topic: str, before: dict[str, int], after: dict[str, int], arrivals: Sequence[str] = ()
    ) -> bool:
        """Writes the positions that moved. Whether anything parked waits for one of `arrivals`."""
        moved = {key: last for key, last in after.items() if before.get(key) != last}
        if not moved:
            return bool(arrivals)
        row = uow.driver.execute(_KEEP, (topic, list(moved), list(moved.values()), list(arrivals)), prepare=True)
        return bool(row.fetchone()[0])

    def keep_position(self, uow: UnitOfWork, topic: str, key: str, sequence: int) -> None:
        """Records that a key's events are applied up to `sequence`."""
        self._keep_positions(uow, topic, {}, {key: sequence})

    def _watermark(self, uow: UnitOfWork, record: Record) -> None:
        watermark = read_value(chassis_events.Watermark, record.value)
        if not isinstance(watermark, chassis_events.Watermark):
            raise Poison("value: must be a watermark")
        until = from_timestamp(watermark.complete_until)
        uow.driver.execute(
            "UPDATE consumer_offset SET complete_until = greatest(complete_until, %s) WHERE topic = %s AND partition = %s",
            (until, record.topic, record.partition),
        )
        metrics.copy_complete_until(self.index.name, record.topic, record.partition, until)

    # -- set-wise streams

    def apply_stream(self, topic: str, partition: int, records: Sequence[Record], *, expected: int) -> None:
        """Hands a batch of a stream topic to its handler, in one transaction with the offset. Transient or Fenced as `apply`.

        A handler that is Early gets the same batch again: there is no parked table for frames.
        """
        handler = next(stream.handle_batch for stream in self.index.streams if stream.topic == topic)
        try:
            with self.database.unit_of_work(plumbing_context()) as uow:
                self.move_offset(uow, topic, partition, expected, records[-1].offset + 1)
                handler(uow, records)
        except Fenced:
            raise
        except Exception as error:
            if is_transient(error) or isinstance(error, Early):
                raise Transient(type(error).__name__) from error
            raise

    def retry_due(self) -> int:
        """Lets events go on whose time has come, a bounded part of them; returns how many were applied."""
        return self.parking.retry_due()

    def retry_waiting(self) -> int:
        """Lets every event go on whose wait may be over; returns how many were applied."""
        return self.parking.retry_waiting(None)
