"""One network for all tests that need a whole one. They run in one process, one after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from network.postgres import Postgres
from tests.whole.network_under_test import NetworkUnderTest


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkUnderTest]:
    """A running network on a home of its own; a running demo is never touched."""
    path: Path = tmp_path_factory.mktemp("network")
    found = NetworkUnderTest(path)
    found.up()
    yield found
    found.down()
    Postgres(path).destroy()
