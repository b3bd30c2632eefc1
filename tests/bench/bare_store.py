"""A throw-away store: what was polled goes to one table by COPY, with the offset, in one transaction. No rules."""

import json
import os
import sys

import psycopg
from kafka import KafkaConsumer, TopicPartition

from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.bench.toy.app import TOPIC

_OFFSET = (
    "INSERT INTO consumer_offset (topic, partition, next) VALUES (%s, %s, %s)"
    " ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next"
)


def main() -> None:
    """Argument: Kafka's address. BENCH_DSN is the database."""
    connection = psycopg.connect(os.environ["BENCH_DSN"], prepare_threshold=1)
    consumer = KafkaConsumer(
        bootstrap_servers=sys.argv[1], enable_auto_commit=False, auto_offset_reset="earliest", max_poll_records=2_000,
        max_partition_fetch_bytes=4_000_000, fetch_max_wait_ms=250,
    )  # fmt: skip
    consumer.assign([TopicPartition(TOPIC, place) for place in range(4)])
    consumer.poll(timeout_ms=100)
    print(json.dumps({"ready": True}), flush=True)
    while True:
        for place, found in consumer.poll(timeout_ms=500).items():
            with connection.transaction(), connection.cursor() as cursor:
                with cursor.copy("COPY bare_frame (device_id, sequence, payload) FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(("text", "int8", "bytea"))
                    for record in found:
                        frame = types.Frame.FromString(record.value)
                        copy.write_row((frame.device_id, frame.sequence, record.value))
                cursor.execute(_OFFSET, (place.topic, place.partition, found[-1].offset + 1))


if __name__ == "__main__":
    main()
