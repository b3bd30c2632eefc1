"""What holds for every set of answers to every instrument."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from intake.domain.outcome import judge
from intake.domain.scale import Form, checked_answers, shown
from intake.domain.scoring import score
from intake.domain.series import Infusion, Plan, first_infusion

from .forms import FEMALE, MALE, NEITHER, PHQ9, SUMMED, form_of

SCREENERS = (("C-SSRS-SCREENER", "lifetime-recent"), ("C-SSRS-SCREENER", "since-last-visit"))
Found = TypeVar("Found")
FORMS = {which: form_of(which) for which in (PHQ9, *SCREENERS, *SUMMED)}
which_form = st.sampled_from(list(FORMS.values()))
sexes = st.sampled_from((FEMALE, MALE, *NEITHER))


def outcome(attempt: Callable[[], Found]) -> tuple[Found | None, InvalidArgument | None]:
    """What an attempt gives, or how it is refused."""
    try:
        return attempt(), None
    except InvalidArgument as refused:
        return None, refused


@st.composite
def answered(draw: st.DrawFn, forms: st.SearchStrategy[Form] = which_form) -> tuple[Form, dict[str, int]]:
    """A form, and answers in their ranges to any of its items."""
    form = draw(forms)
    given_answers = {
        item.name: draw(st.integers(item.lowest, item.highest)) for item in form.items if draw(st.integers(0, 9)) > 0
    }
    return form, given_answers


@given(
    which_form,
    st.lists(st.tuples(st.sampled_from(["1", "2", "9", "20", "6", "difficulty", ""]), st.integers()), max_size=25),
)
def test_any_answers_are_taken_or_refused_with_field_and_rule(form: Form, pairs: list[tuple[str, int]]) -> None:
    taken, refused = outcome(lambda: checked_answers(form, pairs))
    if refused is not None:
        assert refused.field.startswith("answers[")
        assert refused.rule
        assert all(finding.field.startswith("answers[") and finding.rule for finding in refused.findings)
    else:
        ranges = {item.name: range(item.lowest, item.highest + 1) for item in form.items}
        assert taken == dict(pairs)
        assert all(value in ranges[name] for name, value in taken.items())


@given(answered(), sexes)
def test_every_form_is_scored_in_its_range_or_marked(answers: tuple[Form, dict[str, int]], sex: str) -> None:
    form, given_answers = answers
    found, refused = outcome(lambda: score(form, given_answers, lambda: sex))
    if refused is not None or found is None:
        # The one contradiction that answers in their ranges can have.
        assert given_answers.get("6.3months") == 1
        assert refused is not None
        assert refused.field == "answers"
        return
    scored = [item for item in form.items if item.scored]
    missing = [item.name for item in scored if item.name not in given_answers]
    if found.total is None:
        assert found.band in ("not_scorable", "incomplete") or form.instrument == "C-SSRS-SCREENER"
        assert found.findings == ()
        assert shown(form, None) == ""
    else:
        assert len(missing) <= form.max_missing
        assert sum(item.lowest for item in scored) <= found.total <= sum(item.highest for item in scored)
        assert found.prorated == bool(missing)
        assert Decimal(shown(form, found.total)) >= 0
        if form.bands:
            assert any(band.code == found.band and band.lowest <= found.total <= band.highest for band in form.bands)


@given(answered(st.sampled_from([FORMS[which] for which in (PHQ9, *SUMMED)])), sexes, st.data())
def test_a_higher_answer_never_lowers_the_total(
    answers: tuple[Form, dict[str, int]], sex: str, data: st.DataObject
) -> None:
    """Prorated or not: with the same items answered, the total only rises."""
    form, given_answers = answers
    if not given_answers:
        return
    item = data.draw(st.sampled_from([item for item in form.items if item.name in given_answers]))
    higher = {**given_answers, item.name: data.draw(st.integers(given_answers[item.name], item.highest))}
    before, after = score(form, given_answers, lambda: sex), score(form, higher, lambda: sex)
    assert (before.total is None) == (after.total is None)
    if before.total is not None and after.total is not None:
        assert before.total <= after.total
    if "cut_positive" in before.findings:
        assert "cut_positive" in after.findings
    if "criteria_positive" in before.findings:
        assert "criteria_positive" in after.findings


@pytest.mark.parametrize("which", [PHQ9, *SUMMED])
def test_the_bands_of_a_form_cover_every_total_once(which: tuple[str, str]) -> None:
    form = FORMS[which]
    highest = sum(item.highest for item in form.items if item.scored)
    covered = [total for band in form.bands for total in range(band.lowest, band.highest + 1)]
    assert covered == (list(range(highest + 1)) if form.bands else [])


@given(st.sampled_from([FORMS[which] for which in (PHQ9, *SUMMED)]), st.integers(0, 80), st.integers(0, 80))
def test_outcomes_agree_with_one_another(form: Form, baseline: int, total: int) -> None:
    found = judge(form.rules, baseline, total)
    if "clinically_significant" in found.codes:
        assert "reliable_change" in found.codes
    if found.codes:
        assert total < baseline
    if found.improvement_percent is None:
        assert baseline == 0
    else:
        exact = Decimal(100) * (baseline - total) / baseline
        assert abs(found.improvement_percent - exact) <= Decimal("0.05")
        # What is shown never says less or more than the code.
        percent = form.rules.get("response.percent")
        assert ("response" in found.codes) == (percent is not None and found.improvement_percent >= percent)


@given(st.sampled_from([FORMS[which] for which in (PHQ9, *SUMMED)]), st.integers(0, 80), st.integers(1, 80))
def test_a_lower_total_never_loses_an_outcome(form: Form, baseline: int, total: int) -> None:
    assert set(judge(form.rules, baseline, total).codes) <= set(judge(form.rules, baseline, total - 1).codes)


START = datetime(2026, 7, 1, tzinfo=UTC)
hours = st.integers(0, 400).map(lambda number: START + timedelta(hours=number))
plan_ids = st.integers(1, 3).map(lambda number: UUID(int=number))
plans = st.lists(st.builds(Plan, plan_ids, hours), max_size=3, unique_by=lambda plan: plan.plan_id)
infusions = st.lists(st.builds(Infusion, hours, st.none() | plan_ids), max_size=6)


@settings(max_examples=200)
@given(plans, infusions, hours, st.randoms())
def test_a_series_does_not_depend_on_the_order_in_which_it_became_known(
    signed: list[Plan], begun: list[Infusion], at: datetime, random: Random
) -> None:
    found = first_infusion(signed, begun, at)
    random.shuffle(signed)
    random.shuffle(begun)
    assert first_infusion(signed, begun, at) == found
    assert found is None or found < at
