"""PHQ-9: the published vectors, gaps in the answers, and properties of the scoring."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition, InvalidArgument
from intake.domain import phq9
from intake.domain.scale import Band, Form, Item, Score, checked_answers
from intake.migrations import first_policy
from saguaro.intake.v1 import events_pb2 as events

from .conftest import NOW, PHOENIX, PHQ9, PHQ9_VERSION, WINDOW_ROCK, Desk

FORM = Form(
    PHQ9,
    PHQ9_VERSION,
    tuple(Item(str(number), 0, 3) for number in range(1, 10)),
    tuple(Band(*band) for band in first_policy.BANDS),
    max_missing=2,
)


def score(*values: int | None) -> Score:
    return phq9.score(FORM, {str(number): value for number, value in enumerate(values, 1) if value is not None})


def test_five_items_of_one_are_5_mild() -> None:
    """PHQ-9 [1,1,1,1,1,0,0,0,0]=5 mild"""
    assert score(1, 1, 1, 1, 1, 0, 0, 0, 0) == Score(5, "mild", False, ())


def test_all_3_is_27_severe_and_flagged_by_item_9() -> None:
    """all 3 = 27 severe"""
    assert score(*[3] * 9) == Score(27, "severe", False, ("phq9.item9",))


def test_item_9_alone_is_1_minimal_and_flagged() -> None:
    """[0x8,1] = 1 minimal + safety flag"""
    assert score(0, 0, 0, 0, 0, 0, 0, 0, 1) == Score(1, "minimal", False, ("phq9.item9",))


@pytest.mark.parametrize(("total", "band"), [
    (0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"), (15, "moderately_severe"),
    (19, "moderately_severe"), (20, "severe"), (24, "severe"),
])  # fmt: skip
def test_bands_at_their_edges(total: int, band: str) -> None:
    """14->moderate, 15->moderately severe"""
    values = [min(3, max(0, total - 3 * place)) for place in range(8)]
    assert sum(values) == total
    assert score(*values, 0).band == band
    assert score(*values, 0).total == total


def test_13_of_8_answered_is_prorated_to_15() -> None:
    """PHQ-9 with gaps: 13 of 8 answered = 15"""
    assert score(3, 3, 3, 2, 2, 0, 0, None, 0) == Score(15, "moderately_severe", True, ())


def test_12_of_7_answered_is_prorated_to_15() -> None:
    """12 of 7 = 15"""
    assert score(3, 3, 3, 3, 0, 0, None, None, 0) == Score(15, "moderately_severe", True, ())


def test_half_is_rounded_up() -> None:
    # 4 x 9 / 8 = 4.5
    assert score(1, 1, 1, 1, 0, 0, 0, None, 0) == Score(5, "mild", True, ())


def test_3_missing_is_not_scorable() -> None:
    """3 missing = not scorable."""
    assert score(3, 3, 3, 3, 3, None, None, None, 0) == Score(None, "not_scorable", False, ())


def test_3_missing_with_item_9_positive_is_flagged_all_the_same() -> None:
    assert score(0, 0, 0, 0, 0, None, None, None, 2) == Score(None, "not_scorable", False, ("phq9.item9",))


def test_item_9_missing_is_incomplete_and_flagged_never_prorated() -> None:
    """never for item 9 (missing item 9 = incomplete and flagged) [D]"""
    assert score(0, 0, 0, 0, 0, 0, 0, 0, None) == Score(None, "incomplete", False, ("phq9.incomplete",))


answered = st.integers(0, 3)
maybe = st.none() | answered


@given(st.lists(maybe, min_size=9, max_size=9))
def test_every_form_is_scored_or_says_that_it_cannot_be(values: list[int | None]) -> None:
    found = score(*values)
    missing = values.count(None)
    assert (found.total is None) == (values[8] is None or missing > 2)
    assert found.prorated == (found.total is not None and missing > 0)
    assert bool(found.flags) == (values[8] is None or values[8] > 0)
    if found.total is not None:
        assert 0 <= found.total <= 27
        assert found.band not in ("incomplete", "not_scorable")


@given(st.lists(answered, min_size=9, max_size=9), st.integers(0, 8))
def test_a_higher_answer_never_lowers_the_total_or_the_flag(values: list[int], place: int) -> None:
    higher = [min(3, value + (number == place)) for number, value in enumerate(values)]
    before, after = score(*values), score(*higher)
    assert before.total is not None
    assert after.total is not None
    assert after.total >= before.total
    assert set(before.flags) <= set(after.flags)


@given(st.integers(0, 27), st.integers(1, 9))
def test_prorating_is_the_exact_half_up_rounding(total: int, count: int) -> None:
    found = phq9.prorated(total, answered=count, items=9)
    # found - 1/2 <= total * 9 / count < found + 1/2, in whole numbers
    assert (2 * found - 1) * count <= 18 * total < (2 * found + 1) * count


def test_answers_that_break_a_rule_are_all_named() -> None:
    with pytest.raises(InvalidArgument) as refused:
        checked_answers(FORM, [("1", 4), ("2", -1), ("10", 0), ("3", 1), ("3", 1)])
    named = [finding.field for finding in refused.value.findings]
    assert named == ["answers[0].value", "answers[1].value", "answers[2].item", "answers[4].item"]


def test_a_result_is_recorded_with_its_flag(desk: Desk) -> None:
    person_id = desk.person()
    answer = desk.phq9(person_id, [0] * 8 + [1])
    assert (answer.total, answer.band, answer.prorated, len(answer.flag_ids)) == (1, "minimal", False, 1)
    (done,) = desk.harness.events(events.InstrumentCompleted)
    assert (done.result_id, done.instrument, done.instrument_version, done.total) == (
        answer.result_id,
        PHQ9,
        PHQ9_VERSION,
        1,
    )
    (raised,) = desk.harness.events(events.SafetyFlagRaised)
    assert (raised.flag_id, raised.reason_code, raised.blocks) == (answer.flag_ids[0], "phq9.item9", False)


def test_a_form_without_a_total_has_none_in_answer_and_event(desk: Desk) -> None:
    answer = desk.phq9(desk.person(), [1, 1, 1, None, None, None, 1, 1, 0])
    assert not answer.HasField("total")
    assert answer.band == "not_scorable"
    (done,) = desk.harness.events(events.InstrumentCompleted)
    assert not done.HasField("total")


@pytest.mark.parametrize(("site", "due"), [
    # The day of 16:00Z ends at 07:00Z in Phoenix and, in summer, at 06:00Z in Window Rock.
    (PHOENIX, datetime(2026, 7, 16, 7, 0, tzinfo=UTC)),
    (WINDOW_ROCK, datetime(2026, 7, 16, 6, 0, tzinfo=UTC)),
])  # fmt: skip
def test_a_review_is_due_on_the_same_day_at_the_site(desk: Desk, site: str, due: datetime) -> None:
    answer = desk.register(site_id=site)
    desk.phq9(answer.person_id, [0] * 8 + [3], site_id=site)
    (raised,) = desk.harness.events(events.SafetyFlagRaised)
    assert raised.due_at.ToDatetime(tzinfo=UTC) == due


def test_item_9_missing_blocks_for_15_minutes(desk: Desk) -> None:
    desk.phq9(desk.person(), [0] * 8)
    (raised,) = desk.harness.events(events.SafetyFlagRaised)
    assert (raised.reason_code, raised.blocks) == ("phq9.incomplete", True)
    assert raised.due_at.ToDatetime(tzinfo=UTC) == NOW + timedelta(minutes=15)


def test_unknown_instruments_and_versions_are_refused_and_change_nothing(desk: Desk) -> None:
    person_id = desk.person()
    for instrument, version, field in (("PHQ-10", "2001", "instrument"), (PHQ9, "2042", "instrument_version")):
        with pytest.raises(InvalidArgument) as refused:
            desk.fill_in(person_id, instrument, version, {"1": 0})
        assert refused.value.field == field
        assert instrument not in refused.value.rule.replace("C-SSRS-SCREENER, PHQ-9", "")
    assert desk.harness.events(events.InstrumentCompleted) == []


def test_a_form_of_somebody_who_is_not_registered_at_the_site_is_refused(desk: Desk) -> None:
    with pytest.raises(FailedPrecondition, match="NOT_REGISTERED_AT_SITE"):
        desk.phq9(desk.person(), [0] * 9, site_id=WINDOW_ROCK)
