"""C-SSRS screener: the published vectors, branching, gaps, contradictions, and properties of the level."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from intake.domain import cssrs
from intake.domain.scale import Form, Item, Score
from intake.migrations import first_policy
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb

from .conftest import LIFETIME_RECENT, NOW, SCREENER, SINCE_LAST_VISIT, Desk

ITEMS = ("1", "2", "3", "4", "5", "6.lifetime", "6.3months")


def form(version: str) -> Form:
    past_month = [Item(name, 0, 1, level) for name, level, _ in first_policy.SCREENER_ITEMS]
    behaviour = [Item(name, 0, 1, level) for of, name, level, _ in first_policy.BEHAVIOUR_ITEMS if of == version]
    return Form(SCREENER, version, (*past_month, *behaviour), (), 0)


FORM = form(LIFETIME_RECENT)


def level(*yes: str) -> str:
    return cssrs.score(FORM, {item: int(item in yes) for item in ITEMS}).band


def test_all_no_is_negative_and_raises_nothing() -> None:
    """C-SSRS (Q6 as lifetime / past 3 months): all no = negative"""
    assert cssrs.score(FORM, dict.fromkeys(ITEMS, 0)) == Score(None, "negative", False, ())


def test_q1_is_low() -> None:
    """Q1 = LOW"""
    assert level("1") == "low"


def test_q2_is_low() -> None:
    """Q2 = LOW"""
    assert level("2") == "low"


def test_q2_and_q3_are_moderate() -> None:
    """Q2+Q3 = MODERATE"""
    assert level("2", "3") == "moderate"


def test_q2_and_q4_are_high() -> None:
    """Q2+Q4 = HIGH"""
    assert level("2", "4") == "high"


def test_q2_and_q5_are_high() -> None:
    """Q2+Q5 = HIGH"""
    assert level("2", "5") == "high"


def test_q6_lifetime_only_is_moderate() -> None:
    """Q6 lifetime only = MODERATE"""
    assert level("6.lifetime") == "moderate"


def test_q6_past_3_months_is_high() -> None:
    """Q6 3 months = HIGH"""
    assert level("6.lifetime", "6.3months") == "high"


def test_q1_and_q6_past_3_months_are_high() -> None:
    """Q1 + Q6 3 months = HIGH"""
    assert level("1", "6.lifetime", "6.3months") == "high"


def test_q2_yes_with_q3_to_q5_unanswered_is_incomplete_and_flagged() -> None:
    """Q2 yes with Q3-5 unanswered, or Q6 unanswered = incomplete, treated as flagged and never as negative"""
    given_answers = {"1": 1, "2": 1, "6.lifetime": 0, "6.3months": 0}
    assert cssrs.score(FORM, given_answers) == Score(None, "incomplete", False, ("cssrs.incomplete",))


def test_q6_unanswered_is_incomplete_and_flagged() -> None:
    """Q2 yes with Q3-5 unanswered, or Q6 unanswered = incomplete, treated as flagged and never as negative"""
    assert cssrs.score(FORM, dict.fromkeys(ITEMS[:5], 0)).flags == ("cssrs.incomplete",)


def test_q6_lifetime_yes_with_past_3_months_unanswered_is_incomplete() -> None:
    assert cssrs.score(FORM, {**dict.fromkeys(ITEMS[:5], 0), "6.lifetime": 1}).band == "incomplete"


def test_q6_past_3_months_without_lifetime_is_refused() -> None:
    """Q6 3 months without lifetime = inconsistent, refused."""
    for lifetime in ({"6.lifetime": 0}, {}):
        with pytest.raises(InvalidArgument, match="lifetime"):
            cssrs.score(FORM, {**dict.fromkeys(ITEMS[:5], 0), "6.3months": 1, **lifetime})


def test_q2_no_skips_q3_to_q5_and_no_lifetime_skips_the_past_3_months() -> None:
    assert cssrs.score(FORM, {"1": 0, "2": 0, "6.lifetime": 0}).band == "negative"


def test_nothing_answered_is_incomplete() -> None:
    assert cssrs.score(FORM, {}).band == "incomplete"


def test_high_needs_no_further_answers() -> None:
    assert cssrs.score(FORM, {"4": 1}).band == "high"


def test_since_last_visit_any_q6_yes_is_high() -> None:
    """Since-last-visit form: any Q6 yes = HIGH."""
    answers = {**dict.fromkeys(ITEMS[:5], 0), "6": 1}
    assert cssrs.score(form(SINCE_LAST_VISIT), answers) == Score(None, "high", False, ("cssrs.high",))


answers_given = st.dictionaries(st.sampled_from(ITEMS), st.integers(0, 1)).filter(
    lambda found: not (found.get("6.3months") == 1 and found.get("6.lifetime") != 1)
)


@given(answers_given)
def test_never_negative_or_low_while_an_answer_that_matters_is_missing(found: dict[str, int]) -> None:
    scored = cssrs.score(FORM, found)
    if cssrs.unanswered(FORM, found):
        assert scored.band in ("high", "incomplete")
    assert bool(scored.flags) == (scored.band not in ("negative", "low"))


@given(answers_given, st.sampled_from(ITEMS[:6]))
def test_one_more_yes_never_lowers_the_level(found: dict[str, int], item: str) -> None:
    order = (*cssrs.LEVELS, "incomplete")
    before, after = cssrs.score(FORM, found).band, cssrs.score(FORM, {**found, item: 1}).band
    if "incomplete" not in (before, after):
        assert order.index(after) >= order.index(before)
    if before == "high":
        assert after == "high"


@given(answers_given)
def test_high_exactly_when_a_yes_of_level_high_was_given(found: dict[str, int]) -> None:
    asked = any(found.get(item) == 1 for item in ("4", "5", "6.3months"))
    assert (cssrs.score(FORM, found).band == "high") is asked


@pytest.mark.parametrize(("yes", "code", "blocks", "due"), [
    (("2", "4"), "cssrs.high", True, NOW + timedelta(minutes=15)),
    (("2", "3"), "cssrs.moderate", False, datetime(2026, 7, 16, 7, 0, tzinfo=UTC)),
])  # fmt: skip
def test_flags_block_and_are_due(desk: Desk, yes: tuple[str, ...], code: str, blocks: bool, due: datetime) -> None:
    answer = desk.screen(desk.person(), *yes)
    assert not answer.HasField("total")
    (raised,) = desk.harness.events(events.SafetyFlagRaised)
    assert (raised.flag_id, raised.reason_code, raised.blocks) == (answer.flag_ids[0], code, blocks)
    assert raised.due_at.ToDatetime(tzinfo=UTC) == due


def test_versions_are_kept_apart(desk: Desk) -> None:
    person_id = desk.person()
    with pytest.raises(InvalidArgument) as refused:
        desk.fill_in(person_id, SCREENER, SINCE_LAST_VISIT, {"6.lifetime": 1})
    assert refused.value.field == "answers[0].item"
    desk.fill_in(person_id, SCREENER, SINCE_LAST_VISIT, {"1": 0, "2": 0, "6": 0})
    (done,) = desk.harness.events(events.InstrumentCompleted)
    assert (done.instrument_version, done.band) == (SINCE_LAST_VISIT, "negative")


def test_contradictory_answers_change_nothing(desk: Desk) -> None:
    with pytest.raises(InvalidArgument):
        desk.screen(desk.person(), "6.3months")
    assert desk.harness.events(events.InstrumentCompleted) == []


def test_a_blocking_flag_refuses_clearance_and_start_until_a_clinicians_note(desk: Desk) -> None:
    """Only a qualified clinician's note clears it, never a later lower score."""
    person_id = desk.ready()
    desk.decide(person_id)
    assert desk.check_start(person_id).allowed
    flag_id = desk.screen(person_id, "2", "5").flag_ids[0]
    assert desk.unmet(desk.check_start(person_id)) == {"flag.blocking.none_open"}
    # A later lower score does not clear it.
    desk.screen(person_id, at=NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    assert desk.unmet(desk.check_start(person_id, at=later)) == {"flag.blocking.none_open"}
    assert desk.unmet(desk.decide(person_id, at=later)) == {"flag.blocking.none_open"}
    answer = desk.clear_flag(flag_id)
    (cleared,) = desk.harness.events(events.SafetyFlagCleared)
    assert (cleared.flag_id, cleared.note_id, cleared.person_id) == (flag_id, answer.note_id, person_id)
    assert desk.unmet(desk.decide(person_id, at=later)) == set()
    assert desk.check_start(person_id, at=later).allowed


def test_a_review_flag_does_not_block(desk: Desk) -> None:
    person_id = desk.ready()
    assert desk.screen(person_id, "2", "3").flag_ids
    assert desk.unmet(desk.decide(person_id)) == set()


def test_a_flag_is_cleared_once_and_only_by_a_clinician_with_a_note(desk: Desk) -> None:
    flag_id = desk.screen(desk.person(), "5", "2").flag_ids[0]
    for role in ("nurse", "intake_clerk", "operator"):
        with pytest.raises(PermissionDenied):
            desk.clear_flag(flag_id, role=role)
    with pytest.raises(InvalidArgument) as refused:
        desk.clear_flag(flag_id, note="           ")
    assert refused.value.field == "note"
    desk.clear_flag(flag_id, role="prescriber")
    with pytest.raises(FailedPrecondition, match="FLAG_CLEARED"):
        desk.call("ClearSafetyFlag", pb.ClearSafetyFlagRequest(flag_id=flag_id, note="Seen once more by me."))
