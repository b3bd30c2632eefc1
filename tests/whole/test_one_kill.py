"""One kill each of a worker and of Kafka in the middle of a journey; all the others are in test_every_kill.py."""

import pytest

from tests.whole.network_under_test import (
    NetworkUnderTest,
    Reference,
    assert_whole,
    eventually,
    journey_with,
    undisturbed,
)

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def reference(network: NetworkUnderTest) -> Reference:
    """What the journey comes to when nothing happens."""
    return undisturbed(network)


@pytest.mark.parametrize("victim", ["treatment_plan-worker", "kafka"])
def test_a_kill_changes_nothing(network: NetworkUnderTest, reference: Reference, victim: str) -> None:
    """kill -9 in the middle: the totals are those of the undisturbed run, nothing lost, nothing twice."""

    def disturb() -> None:
        old = network.kill(victim)
        eventually(lambda: network.back(victim, old), f"{victim} to come back")

    assert journey_with(network, reference, disturb) == reference.totals
    assert_whole(network)
