"""Everything that the checks look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from verify.contract import event_topics
from verify.databases import Databases
from verify.topics import Log, TopicReader


@dataclass
class World:
    """The databases, and the topics as they stood before and after the databases were read.

    What stands in `before` may be asked for in a database; what a database speaks of must stand in `log`.
    """

    databases: Databases
    before: Log = field(default_factory=Log)
    log: Log = field(default_factory=Log)


@contextmanager
def open_world(urls: Mapping[str, str], kafka_bootstrap: str) -> Iterator[World]:
    """Reads the topics, takes a snapshot of every database, and reads what came to the topics meanwhile."""
    reader = TopicReader(kafka_bootstrap)
    try:
        before = reader.read(event_topics())
        with Databases(urls) as databases:
            yield World(databases, before, reader.read(event_topics(), after=before))
    finally:
        reader.close()
