"""The relay: brings the outbox to Kafka, in order, by one leader at a time.

One transaction deletes rows, publishes them, waits for every acknowledgement and commits; on a failure nothing is lost, at
worst repeated. A record that the broker refuses for good goes to `outbox_refused` with every later row of its key, and the
others go on. After any error in sending the producer is thrown away: one refused record makes the same producer fail every
later send.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from uuid_utils.compat import uuid7

from chassis import logs, metrics
from chassis.envelope import watermark_headers, wire_headers
from chassis.fields import event_spec
from chassis.index import Service
from chassis.outbox import RELAY_CHANNEL
from chassis.values import to_timestamp
from saguaro.chassis.v1 import events_pb2 as chassis_events

log = logs.get_logger(component="relay")

BATCH_ROWS = 1_000
_LEADER_LOCK = 7_263_002
_ACK_TIMEOUT_S = 30.0
_CLOSE_TIMEOUT_S = 3.0

_TAKE = """
WITH taken AS (
    DELETE FROM outbox WHERE id IN (
        SELECT o.id FROM outbox o
        WHERE NOT EXISTS (SELECT FROM outbox_refused r WHERE r.topic = o.topic AND r.key = o.key AND r.id < o.id)
        ORDER BY o.id LIMIT %s
    )
    RETURNING id, event_id, topic, key, sequence, headers, value, recorded_at
)
SELECT id, topic, key, sequence, headers, value, recorded_at FROM taken ORDER BY id
"""
# Whatever belongs to a key of which an earlier event is refused has to wait behind it.
_HOLD_FOLLOWERS = """
WITH behind AS (
    DELETE FROM outbox o USING (SELECT topic, key, min(id) AS first FROM outbox_refused GROUP BY topic, key) r
    WHERE o.topic = r.topic AND o.key = r.key AND o.id > r.first
    RETURNING o.*
)
INSERT INTO outbox_refused (id, event_id, topic, key, sequence, headers, value, recorded_at, rule)
SELECT id, event_id, topic, key, sequence, headers, value, recorded_at, 'follows a refused event of its key' FROM behind
"""
_REFUSE = """
WITH refused AS (DELETE FROM outbox WHERE id = %s RETURNING *)
INSERT INTO outbox_refused (id, event_id, topic, key, sequence, headers, value, recorded_at, rule)
SELECT id, event_id, topic, key, sequence, headers, value, recorded_at, %s FROM refused
"""


@dataclass(frozen=True)
class Row:
    """One row of the outbox."""

    row_id: int
    topic: str
    key: str
    sequence: int
    headers: dict[str, str]
    value: bytes
    recorded_at: datetime


class Refused(Exception):
    """The broker refuses one record for good."""

    def __init__(self, row: Row, rule: str) -> None:
        super().__init__(rule)
        self.row = row
        self.rule = rule


class BrokerAway(Exception):
    """The broker does not take records now; the same ones are sent again later."""


class Publisher:
    """What the relay needs of a Kafka producer: send in order and wait for every acknowledgement."""

    def __init__(self, make_producer: Callable[[], Any]) -> None:
        self._make_producer = make_producer
        self._producer: Any = None

    def _current(self) -> Any:
        if self._producer is None:
            self._producer = self._make_producer()
        return self._producer

    def throw_away(self) -> None:
        """Drops the producer after an error; the next send makes a new one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=_CLOSE_TIMEOUT_S)
            except Exception as error:  # noqa: BLE001
                log.warning("producer did not close", error_type=type(error).__name__)

    def publish(self, rows: Sequence[Row]) -> None:
        """Sends all rows and returns when the broker has all of them. Refused or BrokerAway otherwise.

        A record that is too large makes kafka-python split its batch, after which the broker may answer for the whole of it with
        another error. So where the broker itself said no, the rows go again one at a time: then the error is of its row.
        """
        from kafka.errors import BrokerResponseError  # noqa: PLC0415

        try:
            self._send(rows)
        except Refused:
            if len(rows) == 1:
                raise
        except BrokerResponseError as error:
            if len(rows) == 1:
                raise BrokerAway(type(error).__name__) from None
        except Exception as error:  # noqa: BLE001
            raise BrokerAway(type(error).__name__) from None
        else:
            return
        for row in rows:
            try:
                self._send([row])
            except Refused:
                raise
            except Exception as error:  # noqa: BLE001
                raise BrokerAway(type(error).__name__) from None

    def _send(self, rows: Sequence[Row]) -> None:
        """One attempt; the producer is thrown away after any error."""
        from kafka import errors as kafka_errors  # noqa: PLC0415

        lasting = (
            kafka_errors.MessageSizeTooLargeError,
            kafka_errors.RecordListTooLargeError,
            kafka_errors.InvalidTopicError,
            kafka_errors.CorruptRecordError,
        )
        try:
            producer = self._current()
            sent = []
            for row in rows:
                headers = wire_headers({**row.headers, "ce_sequence": str(row.sequence)})
                sent.append(producer.send(row.topic, value=row.value, key=row.key.encode(), headers=headers))
            producer.flush(timeout=_ACK_TIMEOUT_S)
            for future in sent:
                future.get(timeout=_ACK_TIMEOUT_S)
        except lasting as error:
            self.throw_away()
            raise Refused(rows[0], f"the broker refuses it: {type(error).__name__}") from None
        except Exception:
            self.throw_away()
            raise

    def publish_watermarks(self, service: str, topics: Sequence[str], until: datetime) -> None:
        """Tells every partition of the topics up to when it is complete. BrokerAway when it cannot."""
        value = chassis_events.Watermark(service=service, complete_until=to_timestamp(until)).SerializeToString()
        headers = wire_headers(watermark_headers(service, uuid7(), until))
        try:
            producer = self._current()
            for topic in topics:
                for partition in producer.partitions_for(topic) or ():
                    producer.send(topic, value=value, partition=partition, headers=headers)
            producer.flush(timeout=_ACK_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001
            self.throw_away()
            raise BrokerAway(type(error).__name__) from None

    def close(self) -> None:
        """Waits for what is under way and closes."""
        if self._producer is not None:
            self._producer.close(timeout=5)
            self._producer = None


def topics_out(index: Service) -> list[str]:
    """The topics that the service's events go to."""
    from importlib import import_module  # noqa: PLC0415

    module = import_module(index.events_module)
    specs = (event_spec(message) for message in module.DESCRIPTOR.message_types_by_name.values())
    return sorted({spec.topic for spec in specs if spec is not None})


class Relay:
    """The loop of one process; at most one process of a service is the leader at a time."""

    def __init__(
        self,
        index: Service,
        connect: Callable[[], "psycopg.Connection[Any]"],
        publisher: Publisher,
        *,
        watermark_seconds: float = 5.0,
        idle_seconds: float = 0.25,
    ) -> None:
        self.index = index
        self._connect = connect
        self._publisher = publisher
        self._watermark_seconds = watermark_seconds
        self._idle_seconds = idle_seconds
        self._topics = topics_out(index)
        self._connection: psycopg.Connection[Any] | None = None
        self._next_watermark = 0.0
        self.leads = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Relays until `stopping` says so. Trouble is logged, waited out and tried again."""
        pause = 0.05
        while not stopping():
            try:
                busy = self.once()
                pause = 0.05
                if not busy:
                    self._sleep_until_woken()
            except Refused as refused:
                self._refuse(refused)
            except (psycopg.Error, BrokerAway) as error:
                log.warning("relay waits", error_type=type(error).__name__, delay_s=pause)
                self._drop_connection()
                time.sleep(pause)
                pause = min(pause * 2, 2.0)
        self._publisher.close()
        self._drop_connection()

    def once(self) -> bool:
        """Relays one batch. True when there may be more."""
        connection = self._connected()
        with connection.transaction():
            row = connection.execute(
                "SELECT pg_try_advisory_xact_lock(%s), clock_timestamp()", (_LEADER_LOCK,)
            ).fetchone()
            self.leads = bool(row and row[0])
            metrics.RELAY_LEADER.set(self.leads)
            if not self.leads or row is None:
                return False
            connection.execute(_HOLD_FOLLOWERS)
            taken = connection.execute(_TAKE, (BATCH_ROWS,), prepare=True).fetchall()
            rows = [
                Row(item[0], item[1], item[2], item[3], json.loads(item[4]), bytes(item[5]), item[6]) for item in taken
            ]
            if rows:
                self._publisher.publish(rows)
                for topic, count in Counter(item.topic for item in rows).items():
                    metrics.RELAY_PUBLISHED.labels(topic).inc(count)
        if len(rows) < BATCH_ROWS:
            self._watermark(row[1])
        return bool(rows)

    def _watermark(self, complete_until: datetime) -> None:
        """What was committed before the batch was taken has been sent, as the batch was not full."""
        now = time.monotonic()
        if now >= self._next_watermark:
            self._publisher.publish_watermarks(self.index.name, self._topics, complete_until)
            self._next_watermark = now + self._watermark_seconds

    def _refuse(self, refused: Refused) -> None:
        log.error("event refused by the broker", topic=refused.row.topic, event_id=refused.row.headers.get("ce_id"))
        metrics.RELAY_REFUSED.labels(refused.row.topic).inc()
        try:
            connection = self._connected()
            with connection.transaction():
                connection.execute(_REFUSE, (refused.row.row_id, refused.rule))
                connection.execute(_HOLD_FOLLOWERS)
        except psycopg.Error:
            self._drop_connection()

    def _sleep_until_woken(self) -> None:
        """Asks to be woken, looks once more, and sleeps until a commit wakes it or the time is over."""
        connection = self._connected()
        self._set_idle(connection, True)
        try:
            for _ in connection.notifies(timeout=self._idle_seconds if self.leads else 1.0, stop_after=1):
                pass
        finally:
            if not connection.closed:
                self._set_idle(connection, False)

    def _set_idle(self, connection: "psycopg.Connection[Any]", idle: bool) -> None:
        if self.leads:
            connection.execute("UPDATE relay_idle SET idle = %s WHERE idle <> %s", (idle, idle))

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
            self._connection.autocommit = True
            # A commit of the relay that a crash forgets only means that what was sent is sent again.
            self._connection.execute("SET synchronous_commit = off")
            self._connection.execute(f"LISTEN {RELAY_CHANNEL}")
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def release_refused(connection: "psycopg.Connection[Any]", topic: str, key: str, actor: str) -> int:
    """Puts a key's refused events back into the outbox, in order, after the cause is mended. Returns how many.

    They take new row numbers in the old order. The relay stands still meanwhile, and later events of the key, which wait for its
    version, come behind them.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LEADER_LOCK,))
        connection.execute("SELECT last FROM event_sequence WHERE topic = %s AND key = %s FOR UPDATE", (topic, key))
        connection.execute(_HOLD_FOLLOWERS)
        moved = connection.execute(
            "WITH back AS (DELETE FROM outbox_refused WHERE topic = %s AND key = %s RETURNING *)"
            " INSERT INTO outbox (event_id, topic, key, sequence, headers, value, recorded_at)"
            " SELECT event_id, topic, key, sequence, headers, value, recorded_at FROM back ORDER BY id",
            (topic, key),
        ).rowcount
        connection.execute(
            "INSERT INTO operator_act (actor, act, topic, key, event_id, reason_code) VALUES (%s, 'release', %s, %s, '', '')",
            (actor, topic, key),
        )
    return moved


def refused_rows(connection: "psycopg.Connection[Any]") -> list[dict[str, Any]]:
    """What the broker refused, for an operator: places and rules, never content."""
    rows = connection.execute(
        "SELECT topic, key, sequence, event_id, rule, refused_at FROM outbox_refused ORDER BY topic, key, id"
    ).fetchall()
    names = ("topic", "key", "sequence", "event_id", "rule", "refused_at")
    return [
        {name: str(value) if isinstance(value, UUID) else value for name, value in zip(names, row, strict=True)}
        for row in rows
    ]
