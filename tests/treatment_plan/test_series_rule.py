"""The session-count rule by itself: pure, and the same for every order of the facts."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treatment_plan.domain.series import Infusion, Result, Series, SeriesRule, suggestions

D = Decimal
START = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
RULE = SeriesRule(3, 6, D(20), D("0.1"), D("0.25"), 2, 7, 7, 3, 28, D("0.5"), D(5), D(10), None, None, 35)
PAIN = SeriesRule(None, 6, D(30), None, None, 2, 7, 7, 3, 28, D("0.5"), None, None, D(80), 120, 35)


def infusion(day: int, *, mg: int = 40, minutes: int = 40, interval: int | None = None) -> Infusion:
    """An infusion of 0.5 mg/kg on a day."""
    at = START + timedelta(days=day)
    return Infusion(at, at + timedelta(minutes=minutes), D("0.5"), D("0.75"), D(mg), D(minutes), interval)


def result(day: int, total: int) -> Result:
    """The answer of the evening, against a baseline of 20."""
    gain = D(20 - total) * 5
    outcomes = {name for name, met in (("response", gain >= 50), ("remission", total < 5)) if met}
    return Result(UUID(int=day + 1), START + timedelta(days=day, hours=8), D(total), gain, frozenset(outcomes), D(20))


def course(rule: SeriesRule, totals: list[int], *, planned: int = 6, maintenance: bool = False) -> Series:
    """An infusion every other day, each answered."""
    days = [2 * place for place in range(len(totals))]
    answers = [result(day, total) for day, total in zip(days, totals, strict=True)]
    return Series(rule, maintenance, planned, [infusion(day) for day in days], answers)


@given(st.lists(st.integers(0, 27), max_size=10), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_facts_does_not_matter(totals: list[int], shuffler: random.Random, maintenance: bool) -> None:
    series = course(RULE, totals, planned=10, maintenance=maintenance)
    ended, answers = list(series.infusions), list(series.results)
    shuffler.shuffle(ended)
    shuffler.shuffle(answers)
    assert suggestions(Series(RULE, maintenance, 10, ended, answers)) == suggestions(series)


@given(st.lists(st.integers(0, 27), max_size=10))
def test_a_suggested_dose_is_within_the_limit_and_a_suggested_interval_within_its_bounds(totals: list[int]) -> None:
    for item in suggestions(course(RULE, totals, planned=10)):
        assert item.dose_mg_per_kg is None or D("0.6") <= item.dose_mg_per_kg <= D("0.75")
        assert item.interval_days is None or 3 <= item.interval_days <= 28


@pytest.mark.parametrize(("current", "expected"), [(7, 14), (21, 28), (27, 28), (28, None)])
def test_the_interval_is_lengthened_by_a_week_up_to_its_bound(current: int, expected: int | None) -> None:
    """maintenance interval starts 7 d, extend by +7 d while response holds"""
    series = Series(RULE, True, 6, [infusion(0, interval=current)], [result(0, 6)])
    assert [item.interval_days for item in suggestions(series)] == ([] if expected is None else [expected])


@pytest.mark.parametrize(("current", "expected"), [(28, 14), (7, 3), (3, None)])
def test_the_interval_is_halved_down_to_its_bound(current: int, expected: int | None) -> None:
    """shorten by half on relapse (PHQ-9 rise >=5 and >=10)"""
    infusions = [infusion(0, interval=current), infusion(7, interval=current)]
    found = suggestions(Series(RULE, True, 6, infusions, [result(0, 4), result(7, 14)]))
    shorter = [item.interval_days for item in found if item.kind_code == "maintenance_shorten"]
    assert shorter == ([] if expected is None else [expected])


def test_an_answer_after_the_next_infusion_began_is_not_about_the_one_before() -> None:
    series = Series(RULE, False, 6, [infusion(0), infusion(2), infusion(4), infusion(6)], [result(6, 19)])
    assert suggestions(series) == []


def test_an_answer_out_of_its_window_is_not_judged() -> None:
    late = result(4 + 36, 19)
    assert suggestions(Series(RULE, False, 6, [infusion(0), infusion(2), infusion(4)], [late])) == []


def test_pain_is_not_judged_before_a_trial_of_80_mg_over_more_than_2_h() -> None:
    """Minimum trial dose | >=80 mg over >2 h before judging [K]"""
    answers = [result(10, 19)]
    small = [infusion(2 * place, mg=80, minutes=120) for place in range(6)]
    assert suggestions(Series(PAIN, False, 10, small, answers)) == []
    trial = [*small[:5], infusion(10, mg=80, minutes=121)]
    (stop,) = suggestions(Series(PAIN, False, 10, trial, answers))
    assert (stop.kind_code, stop.after_sessions) == ("stop_no_response", 6)


def test_a_run_of_remissions_is_suggested_once_and_a_new_run_again() -> None:
    """remission twice in a row -> may stop early"""
    found = suggestions(course(RULE, [4, 4, 4, 9, 3, 3], planned=10))
    ends = [item.after_sessions for item in found if item.kind_code == "end_early_remission"]
    assert ends == [2, 6]


def test_the_last_planned_infusion_needs_no_early_end() -> None:
    assert suggestions(course(RULE, [9, 9, 9, 9, 4, 4], planned=6)) == []


def test_what_was_reached_in_an_older_episode_is_not_what_holds_now() -> None:
    older = Result(UUID(int=900), START - timedelta(days=900), D(13), D(51), frozenset({"response"}), D(27))
    latest = Result(UUID(int=901), START - timedelta(days=9), D(9), D(55), frozenset({"response"}), D(20))
    now = Result(UUID(int=902), START + timedelta(hours=8), D(11), D(-22), frozenset(), D(9))
    assert suggestions(Series(RULE, True, 6, [infusion(0)], [older, latest, now])) == []
    better = Result(UUID(int=902), START + timedelta(hours=8), D(9), D(0), frozenset(), D(9))
    (longer,) = suggestions(Series(RULE, True, 6, [infusion(0)], [older, latest, better]))
    assert longer.kind_code == "maintenance_extend"
