"""Runs the relay as a worker does, patched by eventlet, until the outbox is empty; prints how long that took."""

from chassis import guards_worker


def main() -> None:
    """Arguments: Kafka's address, optionally a file for a profile. BENCH_DSN is the database."""
    guards_worker.patch()
    import json
    import os
    import sys
    import time

    import psycopg

    from chassis.kafka_client import make_producer
    from chassis.relay import Publisher, Relay
    from tests.bench.toy.app import TOPIC, index_of

    dsn, bootstrap = os.environ["BENCH_DSN"], sys.argv[1]
    make = make_producer(bootstrap, "bench-relay")
    publisher = Publisher(make)
    publisher._current().partitions_for(TOPIC)
    relay = Relay(index_of("bench1", set_wise=False), lambda: psycopg.connect(dsn), publisher, watermark_seconds=3600)
    relay._next_watermark = time.monotonic() + 3600
    relay._connected()
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    if len(sys.argv) > 2:
        _profiled(relay.once, sys.argv[2])
        return
    began = time.perf_counter()
    while relay.once():
        pass
    print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)
    sys.stdin.readline()


def _profiled(once: object, path: str) -> None:
    """The same under cProfile, its table written to a file."""
    import cProfile
    import pstats
    from pathlib import Path

    profile = cProfile.Profile()
    profile.enable()
    while once():  # type: ignore[operator]
        pass
    profile.disable()
    with Path(path).open("w") as file:
        pstats.Stats(profile, stream=file).sort_stats("tottime").print_stats(45)
    print('{"seconds": 1}', flush=True)


if __name__ == "__main__":
    main()
