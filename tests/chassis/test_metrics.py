"""Metrics: what they measure, and that their labels stay bounded."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis import metrics


def value(name: str, **labels: str) -> float | None:
    """What the registry shows now."""
    return metrics.REGISTRY.get_sample_value(name, labels)


def test_commit_to_effect_counts_from_the_recorded_time() -> None:
    recorded = datetime.now(UTC) - timedelta(seconds=2)
    metrics.commit_to_effect("one", recorded.isoformat())
    total = value("saguaro_commit_to_effect_seconds_sum", consumer="one")
    assert total is not None
    assert 2 <= total < 10


@pytest.mark.parametrize("text", [None, "", "yesterday", "2030-01-01T00:00:00"])
def test_an_absent_or_broken_recorded_time_counts_for_nothing(text: str | None) -> None:
    metrics.commit_to_effect("two", text)
    assert value("saguaro_commit_to_effect_seconds_count", consumer="two") in {None, 0.0}


def test_a_clock_that_is_ahead_gives_no_negative_time() -> None:
    metrics.commit_to_effect("three", (datetime.now(UTC) + timedelta(seconds=60)).isoformat())
    assert value("saguaro_commit_to_effect_seconds_sum", consumer="three") == 0


def test_the_age_of_a_copy_grows_by_itself_until_another_process_has_the_partition() -> None:
    labels = {"consumer": "four", "topic": "example.done", "partition": "3"}
    metrics.copy_complete_until("four", "example.done", 3, datetime.now(UTC) - timedelta(seconds=5))
    first, second = value("saguaro_copy_age_seconds", **labels), value("saguaro_copy_age_seconds", **labels)
    assert first is not None
    assert second is not None
    assert 5 <= first < second
    metrics.copy_released("four", "example.done", 3)
    assert value("saguaro_copy_age_seconds", **labels) is None
    metrics.copy_released("four", "example.done", 3)


def test_a_call_is_counted_by_rpc_and_code() -> None:
    metrics.rpc_finished("a.B/C", "ALREADY_EXISTS", 0.004)
    assert value("saguaro_rpc_seconds_count", rpc="a.B/C", code="ALREADY_EXISTS") == 1
    assert value("saguaro_rpc_seconds_bucket", rpc="a.B/C", code="ALREADY_EXISTS", le="0.005") == 1
    assert value("saguaro_rpc_seconds_bucket", rpc="a.B/C", code="ALREADY_EXISTS", le="0.003") == 0


def test_no_label_is_an_id() -> None:
    names = {name for family in metrics.REGISTRY.collect() for sample in family.samples for name in sample.labels}
    assert names <= {
        "rpc", "code", "le", "consumer", "topic", "outcome", "partition", "state", "loop", "protocol", "reason",
        "priority", "generation",
    }  # fmt: skip
