"""The states of a session: the pump's reports give the same state in whatever order they arrive."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition
from treatment_plan.domain.session_state import IN_RECOVERY, STATES, Progress, require_state, state_reported

START = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
moments = st.one_of(st.none(), st.integers(0, 60).map(lambda minute: START + timedelta(minutes=minute)))


@pytest.mark.parametrize(
    ("progress", "state"),
    [
        (Progress(), None),
        (Progress(started_at=START), "infusing"),
        (Progress(started_at=START, last_paused_at=START + timedelta(minutes=5)), "paused"),
        (Progress(last_paused_at=START), "paused"),
        (
            Progress(
                started_at=START,
                last_paused_at=START + timedelta(minutes=5),
                last_resumed_at=START + timedelta(minutes=9),
            ),
            "infusing",
        ),
        (Progress(started_at=START, ended=True), "recovering"),
        (Progress(ended=True, reconciled=True), "recovering"),
        (Progress(ended=True, discharged=True), "discharged"),
        (Progress(ended=True, discharged=True, reconciled=True), "closed"),
    ],
)
def test_the_state_that_reports_give(progress: Progress, state: str | None) -> None:
    """planned -> prepared(2 persons) -> programmed(pump confirms program = order) -> infusing <-> paused -> completed | aborted ->
    recovering -> discharged.
    """
    assert state_reported(progress) == state


@given(moments, moments, moments)
def test_an_end_stays_an_end(started: datetime | None, paused: datetime | None, resumed: datetime | None) -> None:
    progress = Progress(started, paused, resumed)
    assert state_reported(replace(progress, ended=True)) == "recovering"


def test_the_order_of_arrival_does_not_matter() -> None:
    """Each report only raises the latest time of its kind, so that every order ends in the same progress."""
    reports = [
        ("last_paused_at", 5),
        ("last_resumed_at", 9),
        ("last_paused_at", 20),
        ("last_resumed_at", 25),
        ("started_at", 0),
    ]
    reached = set()
    for order in permutations(reports):
        progress = Progress()
        for name, minute in order:
            moment, before = START + timedelta(minutes=minute), getattr(progress, name)
            change: dict[str, Any] = {name: moment if before is None else max(before, moment)}
            progress = replace(progress, **change)
        reached.add(state_reported(progress))
    assert reached == {"infusing"}


@pytest.mark.parametrize("state", [state for state in STATES if state not in IN_RECOVERY])
def test_a_refused_transition_names_the_state_and_the_rule(state: str) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        require_state(state, IN_RECOVERY, "a discharge", session_id="s")
    assert refused.value.reason == "SESSION_STATE"
    assert f"the session is {state}" in refused.value.rule
    assert "recovering" in refused.value.rule
