"""A ward on a fresh database of treatment plan."""

from collections.abc import Callable

import pytest

from chassis.database import Database
from chassis.testing import ServiceHarness
from tests.treatment_plan.ward import Ward
from treatment_plan.app import INDEX


@pytest.fixture
def ward(database_of: Callable[..., Database]) -> Ward:
    """The service with its own migrated PostgreSQL database, and helpers around it."""
    return Ward(ServiceHarness(INDEX, database_of("treatment_plan")))
