"""A billing desk on a fresh database of billing."""

from collections.abc import Callable

import pytest

from billing.app import INDEX
from chassis.database import Database
from chassis.testing import ServiceHarness
from tests.billing.desk import Desk


@pytest.fixture
def desk(database_of: Callable[..., Database]) -> Desk:
    """The service with its own migrated PostgreSQL database, as its worker, and helpers around it."""
    return Desk(ServiceHarness(INDEX, database_of("billing", role="worker")))
