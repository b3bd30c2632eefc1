"""A device telemetry service on a fresh, migrated database."""

from collections.abc import Callable

import pytest

from chassis.database import Database
from chassis.testing import ServiceHarness
from device_telemetry.app import INDEX
from tests.device_telemetry.ward import Ward


@pytest.fixture
def ward(database_of: Callable[..., Database]) -> Ward:
    """One site with a booked session, an order, a pump and a monitor."""
    return Ward(ServiceHarness(INDEX, database_of("device_telemetry")))
