"""Waits until the network is at rest: nothing waits to be sent, nothing that was sent waits to be applied."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import psycopg

from verify.topics import Place, TopicReader

# How long to wait between two looks.
_LOOK_AGAIN_S = 0.1


def await_settled(urls: Mapping[str, str], kafka_bootstrap: str, within_s: float) -> list[str]:
    """Returns when the network is at rest, or after `within_s` seconds.

    Returns what was still under way at the last look: empty when it came to rest. Raises psycopg.Error or a Kafka error when a
    database or the broker is away.
    """
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    reader = TopicReader(kafka_bootstrap)
    connections = {}
    try:
        for service, url in urls.items():
            connections[service] = psycopg.connect(url, autocommit=True, application_name="saguaro-verify")
        while True:
            left = _under_way(connections, reader)
            if not left or time.monotonic() >= deadline:
                return left
            pause.wait(_LOOK_AGAIN_S)
    finally:
        reader.close()
        for connection in connections.values():
            connection.close()


def _under_way(connections: Mapping[str, psycopg.Connection], reader: TopicReader) -> list[str]:
    """What moves at this look.

    The order of the looks makes the answer sound: what consumers had applied at the second look left its own events in an outbox, and
    those are gone from there (third look) only if they are in a topic, whose end then moved (fourth look). A watermark that comes
    in between also moves an end and only costs another look, as consumers take it like any record.
    """
    ends = reader.ends()
    left = [text for service, item in connections.items() for text in _behind(service, item, ends)]
    left += [text for service, item in connections.items() for text in _waiting(service, item)]
    if not left and reader.ends() != ends:
        left.append("topics: records still arrive")
    return left


def _behind(service: str, connection: psycopg.Connection, ends: Mapping[Place, int]) -> list[str]:
    rows = connection.execute("SELECT topic, partition, next FROM consumer_offset ORDER BY topic, partition").fetchall()
    return [
        f"{service}: {topic}[{partition}] is not read to its end"
        for topic, partition, following in rows
        if following < ends.get((topic, partition), 0)
    ]


def _waiting(service: str, connection: psycopg.Connection) -> list[str]:
    row = connection.execute(
        "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM parked WHERE reason = 'early')"
    ).fetchone()
    counts = zip(("outbox", "parked"), row or (), strict=True)
    return [f"{service}: {count} rows wait in {table}" for table, count in counts if count]
