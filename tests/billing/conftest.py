"""A billing desk on a fresh database of billing; for tests that share nothing but sites and people, one for the module."""

from collections.abc import Callable, Iterator

import pytest

from billing.app import INDEX
from chassis.database import Database
from chassis.testing import ServiceHarness
from tests.billing.desk import Desk
from tests.conftest import SEALING_KEY, Server


@pytest.fixture
def desk(database_of: Callable[..., Database]) -> Desk:
    """The service with its own migrated PostgreSQL database, as its worker, and helpers around it."""
    return Desk(ServiceHarness(INDEX, database_of("billing", role="worker")))


@pytest.fixture(scope="module")
def shared_desk(server: Server) -> Iterator[Desk]:
    """A desk for all tests of a module: each opens sites and registers people of its own, and asks for no event."""
    server.migrate(INDEX)
    name = server.copy_of("billing")
    database = Database(
        server.url("billing_worker", name),
        server.password("billing_worker"),
        service="billing",
        sealing_key=SEALING_KEY,
    )
    yield Desk(ServiceHarness(INDEX, database))
    database.dispose()
    server.drop(name)
