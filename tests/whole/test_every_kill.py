"""Every part of the network, killed in the middle of a journey. `make chaos`."""

import pytest

from network.roles import SERVICES
from tests.whole.network_under_test import (
    NetworkUnderTest,
    Reference,
    assert_whole,
    eventually,
    journey_with,
    undisturbed,
)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

WORKERS = [f"{service}-worker" for service in SERVICES]
APIS = [f"{service}-api" for service in SERVICES]


@pytest.fixture(scope="module")
def reference(network: NetworkUnderTest) -> Reference:
    """What the journey comes to when nothing happens."""
    return undisturbed(network)


@pytest.mark.parametrize("victim", [*WORKERS, *APIS, "kafka", "postgres"])
def test_a_killed_part_changes_nothing(network: NetworkUnderTest, reference: Reference, victim: str) -> None:
    """kill -9: it comes back by itself, and the totals are those of the undisturbed run.

    Each worker holds its service's relay, so a killed worker is a killed leader of a relay too.
    """

    def disturb() -> None:
        old = network.kill(victim)
        eventually(lambda: network.back(victim, old), f"{victim} to come back")

    assert journey_with(network, reference, disturb) == reference.totals
    assert_whole(network)


def test_a_killed_supervisor_changes_nothing(network: NetworkUnderTest, reference: Reference) -> None:
    """kill -9 of the supervisor takes everything down; `up` again, and the same journey goes on to the same totals."""

    def disturb() -> None:
        network.kill("supervisor")
        network.up()

    assert journey_with(network, reference, disturb) == reference.totals
    assert_whole(network)
