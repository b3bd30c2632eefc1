"""Sends the benchmark's payments with a bare kafka-python producer; prints how long that took."""

import json
import sys
import time

from chassis.kafka_client import make_producer
from tests.bench.payments import payments
from tests.bench.toy.app import TOPIC


def main() -> None:
    """Arguments: Kafka's address, how many, optionally how many a second (paced)."""
    bootstrap, number = sys.argv[1], int(sys.argv[2])
    producer = make_producer(bootstrap, "bench-bare")()
    events = [(event.key.encode(), event.value, event.wire()) for event in payments(number)]
    producer.partitions_for(TOPIC)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    wall, began = time.time(), time.perf_counter()
    sent = [producer.send(TOPIC, key=key, value=value, headers=headers) for key, value, headers in events]
    producer.flush()
    for future in sent:
        future.get(timeout=30)
    print(json.dumps({"seconds": time.perf_counter() - began, "began": wall}), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
