"""Relay to Kafka: the outbox of a service emptied by its relay, beside a bare producer that sends the same bytes."""

import json
from collections.abc import Callable

from tests.bench.fair import Arrived, Details, Row, Side, Target, Turn, alternate
from tests.bench.house import House
from tests.bench.payments import Payment, on_topic, payments
from tests.bench.sizes import Sizes
from tests.bench.toy.app import TOPIC, index_of

TARGETS = (Target("value", 12_000, "events/s", at_least=True),)


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    index = index_of("bench1", set_wise=False)
    house.migrated(index)
    events = payments(sizes.relayed)
    sent = Arrived.of(event.payment_id for event in events)
    ours, bare, load = alternate(_relay(house, events, sent), _producer(house, events, sent), sizes.turns, say)
    return Row(
        "relay to Kafka", "events/s", ours, bare, "a bare kafka-python producer, same bytes, acks=all", TARGETS, load,
        notes="outbox filled beforehand; from the first row taken to the commit that empties it, in an eventlet process as a worker is",
    )  # fmt: skip


def _turn(house: House, sent: Arrived, seconds: float, details: Details) -> Turn:
    arrived, ordered = on_topic(house.kafka.bootstrap, TOPIC)
    return Turn(sent.count / seconds, sent, arrived, details, "" if ordered else "the order of a key was broken")


def _relay(house: House, events: list[Payment], sent: Arrived) -> Side:
    def side() -> Turn:
        house.fresh_topics([TOPIC])
        database = house.fresh("bench1")
        with house.connect(database) as connection, connection.cursor() as cursor:
            with cursor.copy("COPY outbox (event_id, topic, key, sequence, headers, value) FROM STDIN") as copy:
                for event in events:
                    row = (event.payment_id, TOPIC, event.key, event.sequence, json.dumps(event.headers), event.value)
                    copy.write_row(row)
            connection.execute("VACUUM ANALYZE outbox")
        child = house.bare("tests.bench.relay_process", house.kafka.bootstrap, dsn=house.dsn("bench1_worker", database))
        try:
            child.hear()
            before = house.cpu()
            child.tell()
            seconds = float(child.hear()["seconds"])
            details = house.spent(before, len(events))
        finally:
            child.end()
        house.drop(database)
        return _turn(house, sent, seconds, details)

    return side


def _producer(house: House, events: list[Payment], sent: Arrived) -> Side:
    def side() -> Turn:
        house.fresh_topics([TOPIC])
        child = house.bare("tests.bench.producer_process", house.kafka.bootstrap, str(len(events)))
        try:
            child.hear()
            before = house.cpu()
            child.tell()
            seconds = float(child.hear()["seconds"])
            details = house.spent(before, len(events))
        finally:
            child.end()
        return _turn(house, sent, seconds, details)

    return side
