"""When observations are due, and which were made."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from treatment_plan.domain.schedule import Due, Phase, Step, due_observations

START = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
GRACE = timedelta(minutes=5)
MOAAS = [Step("infusion", "moaas", minute, 0) for minute in (0, 15, 30)] + [Step("infusion", "moaas", 40, 15)]
RECOVERY = [Step("recovery", "moaas", 15, 15), Step("recovery", "aldrete", 15, 15)]


def at(minute: int) -> datetime:
    """A minute of the phase."""
    return START + timedelta(minutes=minute)


def minutes(found: list[Due], measure: str = "moaas") -> list[tuple[int, str]]:
    """Minute and status of each due time of a measure."""
    return [
        (int((due.due_at - START).total_seconds() // 60), due.status_code)
        for due in found
        if due.measure_code == measure
    ]


def test_moaas_at_0_15_30_40_then_every_15() -> None:
    """MOAA/S at 0, 15, 30, 40 then 15-min"""
    taken = [("moaas", at(minute)) for minute in (0, 15, 30, 40, 55, 70)]
    found = due_observations(MOAAS, Phase("infusion", START, None), taken, at(71), GRACE)
    assert minutes(found) == [
        (0, "done"),
        (15, "done"),
        (30, "done"),
        (40, "done"),
        (55, "done"),
        (70, "done"),
        (85, "due"),
    ]


def test_post_every_15_minutes() -> None:
    """post: every 15 min for >=60 min (>=120 min policy for first session/pain doses)"""
    found = due_observations(RECOVERY, Phase("recovery", START, None), [], at(46), GRACE)
    assert minutes(found) == [(15, "missed"), (30, "missed"), (45, "due"), (60, "due")]
    assert minutes(found, "aldrete") == minutes(found)


def test_what_was_not_made_in_time_is_overdue_and_then_missed() -> None:
    phase = Phase("infusion", START, None)
    assert minutes(due_observations(MOAAS, phase, [], at(5), GRACE)) == [(0, "due"), (15, "due")]
    assert minutes(due_observations(MOAAS, phase, [], at(6), GRACE)) == [(0, "overdue"), (15, "due")]
    assert minutes(due_observations(MOAAS, phase, [], at(10), GRACE)) == [(0, "missed"), (15, "due")]


def test_a_late_observation_counts_until_the_next_is_near() -> None:
    phase = Phase("infusion", START, None)
    late = due_observations(MOAAS, phase, [("moaas", at(9))], at(14), GRACE)
    assert minutes(late) == [(0, "done"), (15, "due")]
    for_the_next = due_observations(MOAAS, phase, [("moaas", at(10))], at(14), GRACE)
    assert minutes(for_the_next) == [(0, "missed"), (15, "done")]


def test_nothing_is_due_after_the_end_of_a_phase() -> None:
    ended = Phase("infusion", START, at(40))
    assert minutes(due_observations(MOAAS, ended, [], at(300), GRACE)) == [
        (0, "missed"),
        (15, "missed"),
        (30, "missed"),
        (40, "overdue"),
    ]


def test_another_measure_does_not_count() -> None:
    found = due_observations(RECOVERY, Phase("recovery", START, None), [("aldrete", at(15))], at(16), GRACE)
    assert minutes(found)[0] == (15, "due")
    assert minutes(found, "aldrete")[0] == (15, "done")


@given(st.integers(0, 600), st.lists(st.integers(0, 600), max_size=20))
def test_times_rise_and_one_lies_ahead(now: int, taken: list[int]) -> None:
    found = due_observations(
        MOAAS, Phase("infusion", START, None), [("moaas", at(minute)) for minute in taken], at(now), GRACE
    )
    times = [due.due_at for due in found]
    assert times == sorted(set(times))
    assert times[-1] > at(now)
    assert all(moment <= at(now) for moment in times[:-1])
