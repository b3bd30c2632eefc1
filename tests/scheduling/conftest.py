"""A clinic on a fresh database of scheduling."""

from collections.abc import Callable

import pytest

from chassis.database import Database
from chassis.testing import ServiceHarness
from scheduling.app import INDEX
from tests.scheduling.clinic import Clinic


@pytest.fixture
def clinic(database_of: Callable[..., Database]) -> Clinic:
    """The service with its own migrated PostgreSQL database, and helpers around it."""
    return Clinic(ServiceHarness(INDEX, database_of("scheduling")))


@pytest.fixture
def crowd(database_of: Callable[..., Database]) -> Clinic:
    """The same with a connection for each of fifty callers at once."""
    return Clinic(ServiceHarness(INDEX, database_of("scheduling", pool_size=50)))
