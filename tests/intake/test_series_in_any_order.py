"""What is on record of a series does not depend on the order in which forms, plans and infusions were recorded."""

from collections.abc import Callable
from functools import partial
from random import Random
from uuid import uuid4

from saguaro.intake.v1 import events_pb2 as events

from .conftest import Desk
from .test_series import Course

# Total of each PHQ-9 by the day on which it was answered: before, in and between two series, and after.
TOTALS = {0: 22, 1: 20, 5: 12, 9: 4, 20: 8, 30: 14, 41: 6}
# By the day: total of the baseline, and what the result shows. Days without a baseline are not named.
EXPECTED = {
    5: (20, ["reliable_change"]),
    9: (20, ["response", "remission", "reliable_change"]),
    20: (20, ["response", "reliable_change"]),
    41: (14, ["response", "reliable_change"]),
}


def steps(course: Course) -> list[Callable[[], object]]:
    """Two plans, each with two sessions of which one start is told twice, and the questionnaires; none depends on another."""
    first, second = str(uuid4()), str(uuid4())
    sessions = [
        (first, 3, str(uuid4())),
        (first, 7, str(uuid4())),
        (second, 40, str(uuid4())),
        (second, 43, str(uuid4())),
    ]
    return [
        *(partial(course.phq9, total, day) for day, total in TOTALS.items()),
        partial(course.sign, 2, first),
        partial(course.sign, 29, second),
        *(partial(course.close, day, plan_id, session_id) for plan_id, day, session_id in sessions),
        *(partial(course.start, day, session_id) for _plan_id, day, session_id in sessions[:3]),
    ]


def test_every_order_comes_to_the_same_record(desk: Desk) -> None:
    random = Random(20260715)
    for _ in range(8):
        course = Course(desk)
        recorded = steps(course)
        random.shuffle(recorded)
        for record in recorded:
            record()
        days = dict(zip(sorted(TOTALS), course.results(), strict=True))
        found = {
            day: (result.baseline_total, list(result.outcome_codes))
            for day, result in days.items()
            if result.HasField("baseline_total")
        }
        assert found == EXPECTED
        assert_events_tell_the_record(course)


def assert_events_tell_the_record(course: Course) -> None:
    """Whoever follows the events, the latest word of each result holding, knows what is on record."""
    told: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for event in course.desk.harness.events():
        if isinstance(event, events.InstrumentCompleted | events.InstrumentOutcomeRevised):
            told[event.result_id] = event.baseline_result_id, event.improvement_percent, tuple(event.outcome_codes)
    for result in course.results():
        assert told[result.result_id] == (
            result.baseline_result_id,
            result.improvement_percent,
            tuple(result.outcome_codes),
        )
