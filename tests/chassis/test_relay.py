"""The relay between real PostgreSQL and real Kafka: order, leadership, refusal, watermarks."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chassis.context import RequestContext
from chassis.database import Database
from chassis.envelope import WATERMARK_TYPE, text_headers
from chassis.kafka_client import make_producer
from chassis.relay import BrokerAway, Publisher, Refused, Relay, refused_rows, release_refused
from chassis.worker import driver_dsn
from network.kafka import Kafka
from network.topics import TopicSpec, ensure_topics
from saguaro.billing.v1 import events_pb2 as billing
from tests.chassis.toy.app import INDEX

TOPIC = "saguaro.billing.account"


@pytest.fixture(scope="module")
def topic(broker: Kafka) -> str:
    """The toy's topic, whose broker refuses records over 20,000 bytes."""
    ensure_topics(broker.bootstrap, [TopicSpec(TOPIC, 2, {"max.message.bytes": "20000"})])
    return TOPIC


def relay_of(database: Database, bootstrap: str, **options: Any) -> Relay:
    """A relay as a worker makes it."""
    dsn = driver_dsn(database.url)
    publisher = Publisher(make_producer(bootstrap, "test-relay"))
    return Relay(INDEX, lambda: psycopg.connect(dsn), publisher, **options)


def emit(database: Database, person: str, amount: str, padding: int = 0) -> UUID:
    """Commits one event of a person; `padding` makes it large."""
    context = RequestContext(uuid4(), "biller", "", "payment", uuid4(), datetime(2026, 7, 15, tzinfo=UTC))
    with database.unit_of_work(context) as uow:
        return uow.emit(billing.PaymentReceived(payment_id="x" * padding, person_id=person, amount_usd=amount))


def outbox_rows(database: Database) -> int:
    """How many rows wait."""
    with database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one())


def read_all(bootstrap: str, people: set[str]) -> list[tuple[str, str, dict[str, str]]]:
    """(person, amount, headers) of every business event of these people on the topic, partition by partition."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    places = [TopicPartition(TOPIC, number) for number in consumer.partitions_for_topic(TOPIC)]
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    found = []
    consumer.seek_to_beginning()
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                headers = text_headers(record.headers)
                if headers["ce_type"] != WATERMARK_TYPE and record.key.decode() in people:
                    event = billing.PaymentReceived.FromString(record.value)
                    found.append((event.person_id, event.amount_usd, headers))
    consumer.close()
    return found


def test_events_go_out_in_order_with_their_versions(
    toy_database: Callable[[], Database], broker: Kafka, topic: str
) -> None:
    """Each key's events arrive in the order of their commits, numbered from 1; the outbox is empty afterwards."""
    database = toy_database()
    people = [str(uuid4()) for _ in range(3)]
    for number in range(1, 6):
        for person in people:
            emit(database, person, str(number))
    relay = relay_of(database, broker.bootstrap)
    assert relay.once()
    assert outbox_rows(database) == 0
    found = read_all(broker.bootstrap, set(people))
    for person in people:
        mine = [(amount, headers["ce_sequence"]) for who, amount, headers in found if who == person]
        assert mine == [(str(number), str(number)) for number in range(1, 6)]


def test_commits_in_another_order_than_they_began_keep_the_order_of_commits(
    toy_database: Callable[[], Database], broker: Kafka, topic: str
) -> None:
    """The second writer of a key waits for the first, so that no later number commits before an earlier one."""
    database, person = toy_database(), str(uuid4())
    context = RequestContext(uuid4(), "biller", "", "payment", uuid4(), datetime(2026, 7, 15, tzinfo=UTC))
    with database.unit_of_work(context) as first:
        first.emit(billing.PaymentReceived(person_id=person, amount_usd="first"))
        second = Thread(target=emit, args=(database, person, "second"))
        second.start()
        with database.engine.connect() as look:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            while look.exec_driver_sql(waiting).scalar_one() == 0:
                look.rollback()
    second.join()
    relay_of(database, broker.bootstrap).once()
    assert [amount for _, amount, _ in read_all(broker.bootstrap, {person})] == ["first", "second"]


def test_one_leader_at_a_time(toy_database: Callable[[], Database], broker: Kafka, topic: str) -> None:
    """A second relay does nothing while the first holds the lock."""
    database = toy_database()
    emit(database, str(uuid4()), "1")
    with psycopg.connect(driver_dsn(database.url)) as leader:
        leader.execute("SELECT pg_advisory_xact_lock(7263002)")
        second = relay_of(database, broker.bootstrap)
        assert not second.once()
        assert not second.leads
        assert outbox_rows(database) == 1
    assert second.once()
    assert second.leads


def test_a_refused_record_stops_only_its_key_and_goes_out_in_order_once_mended(
    toy_database: Callable[[], Database], broker: Kafka, topic: str
) -> None:
    """Too large for the broker: the row and its followers wait for an operator, other keys go on; after mending all go in order."""
    database, large, other = toy_database(), str(uuid4()), str(uuid4())
    emit(database, large, "1")
    emit(database, large, "2", padding=30_000)
    emit(database, large, "3")
    emit(database, other, "1")
    relay = relay_of(database, broker.bootstrap)
    with pytest.raises(Refused) as refused:
        relay.once()
    relay._refuse(refused.value)
    relay.once()
    emit(database, large, "4")
    emit(database, other, "2")
    relay.once()
    assert outbox_rows(database) == 0
    with psycopg.connect(driver_dsn(database.url)) as connection:
        rules = [(row["sequence"], row["rule"].split(":")[0]) for row in refused_rows(connection)]
    assert rules == [(2, "the broker refuses it"), *[(n, "follows a refused event of its key") for n in (3, 4)]]
    assert [amount for who, amount, _ in read_all(broker.bootstrap, {other})][-1] == "2"

    ensure_topics(broker.bootstrap, [TopicSpec(TOPIC, 2, {"max.message.bytes": "200000"})])
    with psycopg.connect(driver_dsn(database.url), autocommit=True) as connection:
        assert release_refused(connection, TOPIC, large, "operator") == 3
    assert relay.once()
    seen: list[str] = []
    for _, amount, _headers in read_all(broker.bootstrap, {large}):
        if amount not in seen:
            seen.append(amount)
    assert seen == ["1", "2", "3", "4"]
    ensure_topics(broker.bootstrap, [TopicSpec(TOPIC, 2, {"max.message.bytes": "20000"})])


def test_without_a_broker_nothing_is_lost(toy_database: Callable[[], Database], broker: Kafka, topic: str) -> None:
    """The rows stay; the same relay sends them when the broker answers."""

    class Away:
        def send(self, *_: Any, **__: Any) -> None:
            raise ConnectionError

        def close(self, timeout: float = 0) -> None:
            """Nothing to close."""

    database, person = toy_database(), str(uuid4())
    emit(database, person, "1")
    relay = relay_of(database, broker.bootstrap)
    relay._publisher._producer = Away()
    with pytest.raises(BrokerAway):
        relay.once()
    assert outbox_rows(database) == 1
    assert relay.once()
    assert [amount for _, amount, _ in read_all(broker.bootstrap, {person})] == ["1"]


def test_headers_hold_the_envelope_and_nothing_of_the_value(
    toy_database: Callable[[], Database], broker: Kafka, topic: str
) -> None:
    """CloudEvents 1.0 in binary mode, readable by its own library."""
    from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
    from cloudevents.core.formats.json import JSONFormat

    database, person = toy_database(), str(uuid4())
    event_id = emit(database, person, "31415.92")
    relay_of(database, broker.bootstrap).once()
    [(_, _, headers)] = read_all(broker.bootstrap, {person})
    assert headers["ce_id"] == str(event_id)
    assert headers["ce_partitionkey"] == person
    assert headers["ce_fieldclass"] == "clinical"
    assert "31415" not in json.dumps(headers)
    message = KafkaMessage({name: value.encode() for name, value in headers.items()}, person.encode(), b"{}")
    event = from_binary_event(message, JSONFormat())
    assert event.get_type() == "saguaro.billing.v1.PaymentReceived"
    assert event.get_extension("sequence") == "1"


def test_a_watermark_reaches_every_partition(toy_database: Callable[[], Database], broker: Kafka, topic: str) -> None:
    """A reader that has applied it knows how old its copy is."""
    from tests.chassis.toy.harness import Log

    database = toy_database()
    relay = relay_of(database, broker.bootstrap, watermark_seconds=0.0)
    before = datetime.now(UTC)
    relay.once()
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
    places = [TopicPartition(TOPIC, number) for number in (0, 1)]
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    log = Log(database)
    for place in places:
        consumer.seek(place, ends[place] - 1)
    left = set(places)
    while left:
        for place, records in consumer.poll(timeout_ms=500).items():
            record = records[-1]
            log.reader.ensure_offset(place.topic, place.partition, record.offset)
            from chassis.records import Record

            item = Record(
                place.topic, place.partition, record.offset, record.key, record.value, tuple(record.headers), 0
            )
            assert log.reader.apply(place.topic, place.partition, [item], expected=record.offset) == ["ignored"]
            left.discard(place)
    consumer.close()
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT complete_until FROM consumer_offset").scalars().all()
    assert len(found) == 2
    assert all(before <= until <= datetime.now(UTC) for until in found)
