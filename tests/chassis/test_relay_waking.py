"""How the relay sleeps and wakes, what it does not write while nothing happens, and what it does not claim."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chassis.context import RequestContext
from chassis.database import Database
from chassis.relay import Relay
from chassis.relay_publisher import Refused, Row
from chassis.worker import driver_dsn
from saguaro.billing.v1 import events_pb2 as billing
from tests.chassis.toy.app import INDEX
from tests.chassis.toy.processes import until

TOPIC = "saguaro.billing.account"
NEVER_S = 3_600.0


class Sent:
    """A broker that takes everything at once and notes when."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.watermarks: list[list[str]] = []
        self.refuse = ""

    def publish(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.key == self.refuse:
                raise Refused(row, "the broker refuses it")
        self.rows.extend(rows)

    def publish_watermarks(self, _service: str, topics: Sequence[str], _until: datetime) -> None:
        self.watermarks.append(list(topics))

    def close(self) -> None:
        """Nothing to close."""


def relay_of(database: Database, sent: Any, **options: Any) -> Relay:
    """A relay that only a commit wakes."""
    dsn = driver_dsn(database.url)
    return Relay(
        INDEX,
        lambda: psycopg.connect(dsn, application_name="relay under test"),
        sent,
        **({"idle_seconds": NEVER_S} | options),
    )


@contextmanager
def running(database: Database, relay: Relay) -> Iterator[None]:
    """The relay in a thread of its own; ended by cutting its connection, as it sleeps for an hour."""
    stopping, dsn = Event(), driver_dsn(database.url)
    thread = Thread(target=relay.run, args=(stopping.is_set,))
    thread.start()
    yield
    stopping.set()
    with psycopg.connect(dsn, autocommit=True) as other:
        while thread.is_alive():
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'relay under test'"
            )
            thread.join(0.1)


def emit(database: Database, person: str) -> None:
    """Commits one event."""
    context = RequestContext(uuid4(), "biller", "", "payment", uuid4(), datetime(2026, 7, 15, tzinfo=UTC))
    with database.unit_of_work(context) as uow:
        uow.emit(billing.PaymentReceived(person_id=person, amount_usd="1"))


def idle(database: Database) -> bool:
    """What the relay asked for."""
    with database.engine.connect() as connection:
        return bool(connection.exec_driver_sql("SELECT idle FROM relay_idle").scalar_one())


def test_each_commit_wakes_a_relay_that_sleeps(toy_database: Callable[[], Database]) -> None:
    database, sent = toy_database(), Sent()
    with running(database, relay_of(database, sent)):
        for number in range(1, 6):
            until(lambda: idle(database), 30)
            began = time.monotonic()
            emit(database, "ada")
            until(lambda n=number: len(sent.rows) == n, 30)  # type: ignore[misc]
            assert time.monotonic() - began < 5
    assert [row.sequence for row in sent.rows] == [1, 2, 3, 4, 5]


def test_what_was_committed_before_it_asked_to_be_woken_is_found(toy_database: Callable[[], Database]) -> None:
    """The commit came after the relay had looked and before it asked: nobody notifies, so it has to look again."""
    database, sent = toy_database(), Sent()
    relay = relay_of(database, sent)
    real = relay._ask_to_be_woken

    def commit_slips_in(asked: bool) -> None:
        if asked and not sent.rows:
            emit(database, "ada")
        real(asked)

    relay._ask_to_be_woken = commit_slips_in  # type: ignore[method-assign]
    with running(database, relay):
        until(lambda: sent.rows, 30)
    assert [row.sequence for row in sent.rows] == [1]


def test_a_quiet_network_writes_nothing(toy_database: Callable[[], Database]) -> None:
    """Turn after turn without an event: the row that says "wake me" is written once."""
    database = toy_database()
    relay = relay_of(database, Sent(), idle_seconds=0.001)
    relay._turn()
    with database.engine.connect() as connection:
        asked = connection.exec_driver_sql("SELECT xmin::text, idle FROM relay_idle").one()
        connection.rollback()
        for _ in range(20):
            relay._turn()
        assert connection.exec_driver_sql("SELECT xmin::text, idle FROM relay_idle").one() == asked
    assert asked[1] is True
    relay._drop_connection()


def test_under_load_no_commit_notifies(toy_database: Callable[[], Database]) -> None:
    """As long as each look finds events, nobody is asked to wake."""
    database, sent = toy_database(), Sent()
    relay = relay_of(database, sent)
    relay._turn()
    assert idle(database)
    emit(database, "ada")
    relay._turn()
    assert not idle(database)
    relay._drop_connection()


def test_a_new_leader_does_not_trust_what_the_old_one_asked_for(toy_database: Callable[[], Database]) -> None:
    """The old leader died busy; the new one has asked long ago, before it lost the lead."""
    database = toy_database()
    relay = relay_of(database, Sent(), idle_seconds=0.001)
    relay._turn()
    with psycopg.connect(driver_dsn(database.url), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7263002)")
        assert not relay.once()
        assert not relay.leads
        other.execute("UPDATE relay_idle SET idle = false")
        other.execute("SELECT pg_advisory_unlock(7263002)")
    relay.once()
    relay._turn()
    assert idle(database)
    relay._drop_connection()
    assert not relay.leads


def test_a_leader_that_hangs_loses_the_lead(
    toy_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in its transaction, alive but silent: the server ends it, and another one sends the same events."""
    from chassis import relay as module

    monkeypatch.setattr(module, "_LEADER_SILENT_S", 1)
    database, sent = toy_database(), Sent()
    emit(database, "ada")
    second = relay_of(database, sent)

    class Hangs(Sent):
        def publish(self, rows: Sequence[Row]) -> None:
            assert not second.once()
            until(second.once, 20)

    with pytest.raises(psycopg.Error):
        relay_of(database, Hangs()).once()
    assert [row.key for row in sent.rows] == ["ada"]
    second._drop_connection()


def test_a_topic_with_a_refused_event_is_not_said_to_be_complete(toy_database: Callable[[], Database]) -> None:
    """A reader of it must not believe that its copy is young."""
    database, sent = toy_database(), Sent()
    sent.refuse = "ada"
    relay = relay_of(database, sent, watermark_seconds=0.0)
    relay.once()
    assert sent.watermarks.pop() == [TOPIC] == relay._topics
    emit(database, "ada")
    with pytest.raises(Refused) as refused:
        relay.once()
    relay._refuse(refused.value)
    emit(database, "bea")
    relay.once()
    assert [row.key for row in sent.rows] == ["bea"]
    assert sent.watermarks == [[]]
    relay._drop_connection()


def test_a_watermark_is_older_than_what_was_looked_at(toy_database: Callable[[], Database]) -> None:
    """An event that commits while the batch is on its way is committed after the time that the watermark tells."""
    database = toy_database()
    times: list[datetime] = []

    class Slow(Sent):
        def publish(self, rows: Sequence[Row]) -> None:
            super().publish(rows)
            if len(self.rows) == 1:
                emit(database, "bea")
                with database.engine.connect() as connection:
                    times.append(connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one())

        def publish_watermarks(self, service: str, topics: Sequence[str], until_: datetime) -> None:
            assert len(self.rows) == 1
            times.append(until_)

    emit(database, "ada")
    relay = relay_of(database, Slow(), watermark_seconds=0.0)
    relay.once()
    committed, told = times
    assert told < committed
    relay._drop_connection()
