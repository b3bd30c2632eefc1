"""A ward on a fresh database of treatment plan."""

from collections.abc import Callable, Iterator

import pytest

from chassis.database import Database
from chassis.testing import ServiceHarness
from tests.conftest import SEALING_KEY, Server
from tests.treatment_plan.ward import Ward
from treatment_plan.app import INDEX


@pytest.fixture
def ward(database_of: Callable[..., Database]) -> Ward:
    """The service with its own migrated PostgreSQL database, and helpers around it."""
    return Ward(ServiceHarness(INDEX, database_of("treatment_plan")))


@pytest.fixture(scope="module")
def shared_ward(server: Server) -> Iterator[Ward]:
    """One ward for all tests of a file whose people and sessions do not meet: a database each would take most of their time."""
    server.migrate(INDEX)
    name = server.copy_of(INDEX.name)
    role = f"{INDEX.name}_api"
    database = Database(
        server.url(role, name),
        server.password(role),
        service=INDEX.name,
        sealing_key=SEALING_KEY,
        secrets={},
        pool_size=4,
    )
    yield Ward(ServiceHarness(INDEX, database))
    database.dispose()
    server.drop(name)
