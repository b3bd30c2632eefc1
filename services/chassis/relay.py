"""The relay: brings the outbox to Kafka, in order, by one leader at a time.

One transaction deletes rows, publishes them, waits for every acknowledgement and commits; on a failure nothing is lost, at
worst repeated. A record that the broker refuses for good goes to `outbox_refused` with every later row of its key, and the
others go on.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from chassis import logs, metrics
from chassis.fields import event_spec
from chassis.index import Service
from chassis.outbox import RELAY_CHANNEL
from chassis.relay_publisher import BrokerAway, Publisher, Refused, Row

log = logs.get_logger(component="relay")

BATCH_ROWS = 1_000
_LEADER_LOCK = 7_263_002
# A leader that hangs in the middle of its transaction loses its connection, and with it the lead, after this long.
_LEADER_SILENT_S = 120

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
        # What this process wrote into relay_idle last; None when it does not know what stands there.
        self._asked: bool | None = None
        self.leads = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Relays until `stopping` says so. Trouble is logged, waited out and tried again."""
        pause = 0.05
        while not stopping():
            try:
                self._turn()
                pause = 0.05
            except Refused as refused:
                self._refuse(refused)
            except (psycopg.Error, BrokerAway) as error:
                log.warning("relay waits", error_type=type(error).__name__, delay_s=pause)
                self._drop_connection()
                time.sleep(pause)
                pause = min(pause * 2, 2.0)
        self._publisher.close()
        self._drop_connection()

    def _turn(self) -> None:
        """Relays a batch; with nothing to do it asks to be woken, looks once more, and only then sleeps."""
        if self.once():
            self._ask_to_be_woken(False)
        elif self.leads and not self._asked:
            self._ask_to_be_woken(True)
        else:
            self._sleep_until_woken()

    def once(self) -> bool:
        """Relays one batch. True when there may be more."""
        connection = self._connected()
        with connection.transaction():
            row = connection.execute(
                "SELECT pg_try_advisory_xact_lock(%s), clock_timestamp()", (_LEADER_LOCK,)
            ).fetchone()
            self._lead(bool(row and row[0]))
            if not self.leads or row is None:
                return False
            refused = {item[0] for item in connection.execute("SELECT DISTINCT topic FROM outbox_refused").fetchall()}
            if refused:
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
            self._watermark(row[1], refused)
        return bool(rows)

    def _watermark(self, complete_until: datetime, refused: set[str]) -> None:
        """What was committed before the batch was taken has been sent, as the batch was not full.

        A topic of which the broker refuses an event is not complete, and its copies grow old until an operator has looked.
        """
        now = time.monotonic()
        if now >= self._next_watermark:
            topics = [topic for topic in self._topics if topic not in refused]
            self._publisher.publish_watermarks(self.index.name, topics, complete_until)
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
        """Until a commit wakes it or the time is over: who wrote before it asked, and commits after it looked, does not wake it."""
        for _ in self._connected().notifies(timeout=self._idle_seconds if self.leads else 1.0, stop_after=1):
            pass

    def _ask_to_be_woken(self, idle: bool) -> None:
        """Written only where it changes: under load a commit wakes nobody, and a quiet network writes nothing."""
        if self._asked is not idle:
            self._connected().execute("UPDATE relay_idle SET idle = %s WHERE idle <> %s", (idle, idle))
            self._asked = idle

    def _connected(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
            self._connection.autocommit = True
            # A commit of the relay that a crash forgets only means that what was sent is sent again.
            self._connection.execute("SET synchronous_commit = off")
            self._connection.execute(f"SET idle_in_transaction_session_timeout = '{_LEADER_SILENT_S}s'")
            self._connection.execute(f"LISTEN {RELAY_CHANNEL}")
        return self._connection

    def _lead(self, leads: bool) -> None:
        if leads is not self.leads:
            # Another one may have led meanwhile.
            self._asked = None
        self.leads = leads
        metrics.RELAY_LEADER.set(leads)

    def _drop_connection(self) -> None:
        self._lead(False)
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
