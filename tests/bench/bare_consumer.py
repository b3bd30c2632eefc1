"""A consumer without a chassis: poll, write, keep the offset, commit; an event at a time or a batch at once."""

import json
import os
import sys
from decimal import Decimal

import psycopg
from kafka import KafkaConsumer

from chassis.values import from_timestamp
from saguaro.billing.v1 import events_pb2 as events
from tests.bench.toy.app import SET_WISE, TOPIC, columns_of

_ONE = (
    "INSERT INTO effect (payment_id, person_id, amount_usd, received_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
_OFFSET = (
    "INSERT INTO consumer_offset (topic, partition, next) VALUES (%s, %s, %s)"
    " ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next"
)


def main() -> None:
    """Arguments: Kafka's address, group, 1 for set-wise. BENCH_DSN is the database."""
    bootstrap, group, set_wise = sys.argv[1:4]
    connection = psycopg.connect(os.environ["BENCH_DSN"], prepare_threshold=1)
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=250,
        max_partition_fetch_bytes=4_000_000,
        max_poll_records=2_000 if set_wise == "1" else 500,
    )
    while not consumer.assignment():
        consumer.poll(timeout_ms=50)
    print(json.dumps({"ready": True}), flush=True)
    while True:
        for place, found in consumer.poll(timeout_ms=500).items():
            with connection.transaction():
                if set_wise == "1":
                    connection.execute(SET_WISE, columns_of([record.value for record in found]))
                else:
                    for record in found:
                        event = events.PaymentReceived.FromString(record.value)
                        row = (
                            event.payment_id,
                            event.person_id,
                            Decimal(event.amount_usd),
                            from_timestamp(event.received_at),
                        )
                        connection.execute(_ONE, row)
                connection.execute(_OFFSET, (place.topic, place.partition, found[-1].offset + 1))


if __name__ == "__main__":
    main()
