"""A record sent with acks=all to a consumer that polls, in one process, at a steady rate. Arguments: Kafka's address, records, a second."""

import json
import sys
import threading
import time

from kafka import KafkaConsumer, TopicPartition

from chassis.kafka_client import make_producer
from tests.bench.toy.app import TOPIC


def main() -> None:
    """Says when it is ready, waits for a line, prints what arrived and how long each was under way."""
    bootstrap, number, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    producer = make_producer(bootstrap, "bench-bare")()
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(TOPIC, place) for place in sorted(producer.partitions_for(TOPIC))])
    consumer.seek_to_beginning()
    consumer.poll(timeout_ms=500)
    arrived: list[str] = []
    each: list[float] = []

    def read() -> None:
        until = time.monotonic() + number / rate + 30
        while len(arrived) < number and time.monotonic() < until:
            for records in consumer.poll(timeout_ms=500).values():
                now = time.perf_counter()
                for record in records:
                    name, sent = record.value[:40].decode().split()
                    arrived.append(name)
                    each.append(now - float(sent))

    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    reader = threading.Thread(target=read)
    reader.start()
    began = time.perf_counter()
    for place in range(number):
        time.sleep(max(0.0, began + place / rate - time.perf_counter()))
        value = f"{place} {time.perf_counter():.9f}".ljust(40).encode() + bytes(1_100)
        producer.send(TOPIC, key=str(place % 200).encode(), value=value)
    producer.flush()
    reader.join()
    print(json.dumps({"arrived": arrived, "each": each}), flush=True)


if __name__ == "__main__":
    main()
