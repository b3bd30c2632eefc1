"""One journey through five services; everything afterwards is as it must be, and nothing identifying has got out."""

import pytest

from tests.whole.network_under_test import NetworkUnderTest, broken_checks, totals_of

pytestmark = [pytest.mark.xdist_group("whole"), pytest.mark.timeout(400)]


def test_status_names_every_process(network: NetworkUnderTest) -> None:
    """Twelve processes, ready and live, each with its addresses."""
    finished = network.run("status")
    assert finished.code == 0, finished.answer
    found = {(item["service"], item["kind"]) for item in finished.answer["processes"]}
    services = ("intake", "scheduling", "treatment_plan", "device_telemetry", "billing")
    assert found == {
        ("postgres", "server"),
        ("kafka", "server"),
        *((s, k) for s in services for k in ("api", "worker")),
    }
    assert all(item["ready"] and item["live"] and item["pid"] for item in finished.answer["processes"])


def test_a_second_supervisor_is_refused(network: NetworkUnderTest) -> None:
    """The home's lock is taken; the message says what to do."""
    finished = network.run("up")
    assert finished.code != 0
    assert "already runs" in finished.answer["error"]


def test_a_journey_ends_with_every_invariant(network: NetworkUnderTest) -> None:
    """The same seed gives the same totals, and the network's own checks hold."""
    first = totals_of(network.finish(network.journey(8, seed=7)))
    second = totals_of(network.finish(network.journey(8, seed=7)))
    assert first == second
    verified = network.run("verify")
    assert broken_checks(verified) == []
    assert verified.code == 0
    assert network.run("parked", "list").answer["parked"] == []
