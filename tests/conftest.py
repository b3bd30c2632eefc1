"""Real PostgreSQL for every test that asks: one server a test process, each service migrated once, a fresh copy for each test."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from chassis.database import Database
from chassis.index import Service
from chassis.migrate import migrate
from network import jars
from network.kafka import Kafka
from network.postgres import Postgres
from network.progress import Progress
from network.roles import VERIFY, ensure_roles, password_file

# No test depends on how fast the machine is; where CI is set the examples are the same each time, as hypothesis itself would have it.
settings.register_profile(
    "saguaro", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("saguaro")

SEALING_KEY = bytes(range(32))
MATCH_TOKEN_KEY = bytes(range(32, 64))


@dataclass
class Server:
    """The test process's PostgreSQL with the services that are migrated in it."""

    postgres: Postgres
    secrets: Path
    migrated: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def password(self, role: str) -> str:
        """The generated password of a role."""
        return password_file(self.secrets, role).read_text().strip()

    def url(self, role: str, database: str) -> str:
        """A database URL without its password."""
        return f"postgresql://{role}@127.0.0.1:{self.postgres.port}/{database}"

    def migrate(self, index: Service) -> None:
        """Brings the service's database to its newest schema, once."""
        if index.name in self.migrated:
            return
        ensure_roles(self.postgres.dsn(), self.secrets, [index.name])
        owner = f"{index.name}_owner"
        migrate(index, self.url(owner, index.name), self.password(owner))
        self.migrated.add(index.name)

    def copy_of(self, service: str) -> str:
        """A fresh database with the service's schema and policy data; returns its name."""
        name = f"{service}_{next(self.numbers)}"
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(service), sql.Identifier(f"{service}_owner")
                )
            )
            for role in (f"{service}_api", f"{service}_worker", VERIFY):
                connection.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(role))
                )
        return name

    def drop(self, name: str) -> None:
        """Drops a copy, whoever is still connected."""
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running PostgreSQL for the whole test process. Durability is off: these databases live for one test."""
    home = tmp_path_factory.mktemp("server")
    postgres = Postgres(home, settings={"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})
    postgres.start()
    yield Server(postgres, home / "secrets")
    postgres.destroy()


@pytest.fixture
def database_of(server: Server) -> Iterator[Callable[..., Database]]:
    """`database_of("scheduling")` is a fresh, migrated database of that service; `role="worker"` connects as its worker."""
    made: list[tuple[Database, str]] = []

    def make(service: str, role: str = "api", pool_size: int = 16) -> Database:
        index: Service = import_module(f"{service}.app").INDEX
        server.migrate(index)
        name = server.copy_of(service)
        database = Database(
            server.url(f"{service}_{role}", name),
            server.password(f"{service}_{role}"),
            service=service,
            sealing_key=SEALING_KEY,
            secrets={"match_token_key": MATCH_TOKEN_KEY},
            pool_size=pool_size,
        )
        made.append((database, name))
        return database

    yield make
    for database, name in made:
        database.dispose()
        server.drop(name)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A running Kafka for the whole test process. Topics are the test's own: give them names of their own."""
    kafka = Kafka(tmp_path_factory.mktemp("broker"), jars.fetch(Progress(quiet=True)))
    kafka.start()
    yield kafka
    kafka.kill()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The whole network's tests take longest: they begin, and the others fill the other core."""
    items.sort(key=lambda item: not _needs_network(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One file a process, so that a file's servers start once; the whole network's files together, so that it starts once.

    xdist's own groups would do, but its 3.8 does not know how pytest 9 keeps the name of a test.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "whole network" if _needs_network(nodeid) else nodeid.split("::", 1)[0]

    config.option.loadscopereorder = False
    return ByFile(config, log)


def _needs_network(nodeid: str) -> bool:
    return str(nodeid).startswith("tests/whole/")
