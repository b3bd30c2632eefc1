"""The toy service on real PostgreSQL, for the tests of inbox, outbox and runner."""

from collections.abc import Callable, Iterator

import pytest

from chassis.database import Database
from tests.chassis.toy.app import INDEX, POISONOUS
from tests.chassis.toy.harness import Log
from tests.conftest import SEALING_KEY, Server


@pytest.fixture
def toy_database(server: Server) -> Iterator[Callable[[], Database]]:
    """`toy_database()` is a fresh database of the toy, connected as its worker."""
    made: list[tuple[Database, str]] = []

    def make() -> Database:
        server.migrate(INDEX)
        name = server.copy_of(INDEX.name)
        database = Database(
            server.url("toy_worker", name), server.password("toy_worker"), service="toy", sealing_key=SEALING_KEY
        )
        made.append((database, name))
        return database

    yield make
    POISONOUS.clear()
    for database, name in made:
        database.dispose()
        server.drop(name)


@pytest.fixture
def log(toy_database: Callable[[], Database]) -> Log:
    """An empty log in front of an empty toy."""
    return Log(toy_database())
