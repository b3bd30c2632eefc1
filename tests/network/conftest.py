"""Real servers under homes of their own; the cache of jars is the machine's, so that tests fetch nothing twice."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from network import jars
from network.kafka import Kafka
from network.postgres import Postgres
from network.progress import Progress


@pytest.fixture(scope="session")
def kafka_jars() -> list[Path]:
    """The jars of Kafka, checked against the lock."""
    return jars.fetch(Progress(quiet=True))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A running PostgreSQL; a test may kill it, but leaves it running."""
    server = Postgres(tmp_path_factory.mktemp("pg"))
    server.start()
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory, kafka_jars: list[Path]) -> Iterator[Kafka]:
    """A running broker that takes records of up to 200,000 bytes; a test may kill it, but leaves it running."""
    broker = Kafka(tmp_path_factory.mktemp("kafka"), kafka_jars, settings={"message.max.bytes": "200000"})
    broker.start()
    yield broker
    broker.stop()


def eventually(check: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether `check` becomes true within the time."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], 0.02)
    return True
