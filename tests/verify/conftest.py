"""Databases that hold one person's day, a fresh copy for each test; a test breaks them as the superuser, the checks only read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from network import jars
from network.catalogue import indexes, topic_specs
from network.kafka import Kafka
from network.progress import Progress
from network.roles import SERVICES, VERIFY
from network.topics import ensure_topics
from tests.conftest import Server
from tests.verify.rows_of_a_day import DAY
from tests.verify.topic_writer import TOPICS, TopicWriter
from verify.checks import CHECKS
from verify.databases import Databases
from verify.outcome import result_of
from verify.topics import Log
from verify.world import World

_NUMBERS = itertools.count(1)


@dataclass
class Day:
    """The five databases of a test. Those that it does not break are shared; one is copied when it is first broken."""

    server: Server
    names: dict[str, str]
    copies: list[str] = field(default_factory=list)

    @property
    def urls(self) -> dict[str, str]:
        """What the checks connect with: the role that reads."""
        password = self.server.password(VERIFY)
        return {
            service: make_conninfo(self.server.url(VERIFY, name), password=password)
            for service, name in self.names.items()
        }

    def break_in(self, service: str, *statements: str) -> None:
        """Changes rows by hand, past every trigger and foreign key. Other constraints a test drops itself."""
        if self.names[service] not in self.copies:
            name = f"{self.names[service]}_{next(_NUMBERS)}"
            _copy(self.server, name, self.names[service], service)
            self.names[service] = name
            self.copies.append(name)
        with psycopg.connect(make_conninfo(self.server.postgres.dsn(), dbname=self.names[service])) as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]

    def check(self, name: str, log: Log | None = None) -> dict[str, Any]:
        """Makes one check by its name, on these databases and a log of topics (empty when none is given)."""
        log = log or Log()
        with Databases(self.urls) as databases:
            return result_of(next(check for check in CHECKS if check.name == name), World(databases, log, log))


def _fill(server: Server, service: str, name: str) -> None:
    with psycopg.connect(make_conninfo(server.postgres.dsn(), dbname=name)) as connection:
        connection.execute("SET session_replication_role = replica")
        for table, row in DAY[service]():
            statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(map(sql.Placeholder, row)),
            )
            connection.execute(statement, row)


def _copy(server: Server, name: str, template: str, service: str) -> None:
    with psycopg.connect(server.postgres.dsn(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(f"{service}_owner")
            )
        )
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(VERIFY))
        )


@pytest.fixture(scope="session")
def templates(server: Server) -> dict[str, str]:
    """One filled database for each service, which the tests copy."""
    names = {}
    for service in SERVICES:
        server.migrate(import_module(f"{service}.app").INDEX)
        names[service] = f"{service}_day"
        _copy(server, names[service], service, service)
        _fill(server, service, names[service])
    return names


@pytest.fixture
def day(server: Server, templates: Mapping[str, str]) -> Iterator[Day]:
    """Five databases on which every check holds."""
    day = Day(server, dict(templates))
    yield day
    for name in day.copies:
        server.drop(name)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A running broker for the whole test process."""
    broker = Kafka(tmp_path_factory.mktemp("kafka"), jars.fetch(Progress(quiet=True)))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def topics(broker: Kafka) -> Iterator[TopicWriter]:
    """The topics that the tests use, empty, and a hand that writes whatever it likes into them."""
    from kafka.admin import KafkaAdminClient

    specs = [spec for spec in topic_specs(indexes()) if spec.name in TOPICS]
    ensure_topics(broker.bootstrap, specs)
    writer = TopicWriter(broker.bootstrap)
    yield writer
    writer.close()
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    admin.delete_topics([spec.name for spec in specs])
    admin.close()
