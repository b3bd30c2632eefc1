"""The test vectors of the scales, each by its own line, and every band and cut-off at its edges."""

from decimal import Decimal

import pytest

from intake.domain.outcome import Outcome, judge
from intake.domain.scale import Form, Score, shown
from intake.domain.scoring import score

from .forms import (
    AUDITC,
    FEMALE,
    GAD7,
    MADRS,
    MALE,
    NEITHER,
    OCIR,
    PCL5,
    PCL5_WEEK,
    PEG,
    PHQ9,
    YBOCS,
    YBOCS_II,
    adding_up_to,
    form_of,
)


def scored(which: tuple[str, str], *values: int, sex: str = FEMALE) -> Score:
    form = form_of(which)
    names = [item.name for item in form.items if item.scored]
    return score(form, dict(zip(names, values, strict=True)), lambda: sex)


def of_total(which: tuple[str, str], total: int, sex: str = FEMALE) -> Score:
    form = form_of(which)
    found = score(form, adding_up_to(total, form), lambda: sex)
    assert found.total == total
    return found


def judged(which: tuple[str, str], baseline: int, total: int) -> Outcome:
    return judge(form_of(which).rules, baseline, total)


def test_phq9_20_to_10_is_response_and_no_remission() -> None:
    """baseline 20, now 10 = 50 % = response, not remission"""
    assert judged(PHQ9, 20, 10) == Outcome(Decimal("50.0"), ("response", "reliable_change"))


def test_phq9_20_to_11_is_no_response() -> None:
    """baseline 20, now 11 = 45 % no."""
    assert judged(PHQ9, 20, 11) == Outcome(Decimal("45.0"), ("reliable_change",))


def test_gad7_15_is_severe() -> None:
    """GAD-7 15 severe."""
    assert of_total(GAD7, 15).band == "severe"


def test_pcl5_of_30_with_the_criteria_is_criteria_positive_and_cut_negative() -> None:
    """PCL-5 total 30 with B1 C1 D2 E2 items>=2: criteria-positive, cut-negative."""
    found = scored(PCL5, 4, 1, 1, 1, 1, 4, 1, 4, 4, 1, 0, 0, 0, 0, 4, 4, 0, 0, 0, 0)
    assert (found.total, found.band) == (30, "")
    assert found.findings == ("cut_negative", "criteria_positive")
    assert [(part.code, part.symptoms) for part in found.subscores] == [("B", 1), ("C", 1), ("D", 2), ("E", 2)]


def test_auditc_3_is_positive_for_women_and_negative_for_men() -> None:
    """AUDIT-C 3: F positive, M negative."""
    assert scored(AUDITC, 1, 1, 1, sex=FEMALE).findings == ("cut_positive",)
    assert scored(AUDITC, 1, 1, 1, sex=MALE).findings == ("cut_negative",)


def test_peg_7_8_6_is_shown_as_7_0() -> None:
    """PEG (7,8,6)=7.0"""
    found = scored(PEG, 7, 8, 6)
    assert (found.total, shown(form_of(PEG), found.total)) == (21, "7.0")


def test_peg_from_20_to_14_is_a_response_though_its_means_would_not_be() -> None:
    """(7,7,6)->(5,5,4) response"""
    before, after = scored(PEG, 7, 7, 6).total, scored(PEG, 5, 5, 4).total
    assert (shown(form_of(PEG), before), shown(form_of(PEG), after)) == ("6.7", "4.7")
    assert before is not None
    assert after is not None
    assert judged(PEG, before, after) == Outcome(Decimal("30.0"), ("response",))


def test_peg_from_21_to_15_is_no_response() -> None:
    """(7,7,7)->(5,5,5) 28.6 % no."""
    found = judged(PEG, 21, 15)
    assert found.codes == ()
    # 28.57, judged as the whole fraction.
    assert found.improvement_percent == Decimal("28.6")


def test_ybocs_30_to_19_is_a_response() -> None:
    """Y-BOCS 30 -> 19 = 36.7 % response"""
    found = judged(YBOCS, 30, 19)
    assert found.codes == ("response",)
    # 36.67, judged as the whole fraction.
    assert found.improvement_percent == Decimal("36.7")


def test_ybocs_30_to_20_is_no_response() -> None:
    """30 -> 20 = 33.3 % no."""
    assert judged(YBOCS, 30, 20) == Outcome(Decimal("33.3"), ())


def test_pcl5_50_to_36_is_no_reliable_change() -> None:
    """PCL-5 50->36 no"""
    assert judged(PCL5, 50, 36).codes == ()


def test_pcl5_50_to_35_is_reliable() -> None:
    """50->35 reliable"""
    assert judged(PCL5, 50, 35).codes == ("reliable_change",)


def test_pcl5_40_to_25_is_reliable_and_clinically_significant() -> None:
    """40->25 reliable and clinically significant."""
    assert judged(PCL5, 40, 25).codes == ("reliable_change", "clinically_significant")


EDGES = [
    *((PHQ9, total, band) for total, band in (
        (0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"),
        (15, "moderately_severe"), (19, "moderately_severe"), (20, "severe"), (27, "severe"))),
    *((GAD7, total, band) for total, band in (
        (0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"), (15, "severe"), (21, "severe"))),
    *((MADRS, total, band) for total, band in (
        (0, "normal"), (6, "normal"), (7, "mild"), (19, "mild"), (20, "moderate"), (34, "moderate"), (35, "severe"), (60, "severe"))),
    *((YBOCS, total, band) for total, band in (
        (0, "subclinical"), (7, "subclinical"), (8, "mild"), (15, "mild"), (16, "moderate"), (23, "moderate"), (24, "severe"),
        (31, "severe"), (32, "extreme"), (40, "extreme"))),
    *((YBOCS_II, total, band) for total, band in (
        (0, "subclinical"), (14, "subclinical"), (15, "mild"), (21, "mild"), (22, "moderate"), (34, "moderate"), (35, "severe"),
        (50, "severe"))),
    *((OCIR, total, band) for total, band in (
        (0, "mild"), (15, "mild"), (16, "moderate"), (27, "moderate"), (28, "severe"), (72, "severe"))),
    *((which, total, "") for which in (PCL5, PEG, AUDITC) for total in (0, 12)),
]  # fmt: skip


@pytest.mark.parametrize(("which", "total", "band"), EDGES)
def test_bands_at_their_edges(which: tuple[str, str], total: int, band: str) -> None:
    assert of_total(which, total).band == band


@pytest.mark.parametrize(("which", "cut"), [(PHQ9, 10), (GAD7, 10), (PCL5, 33), (OCIR, 21)])
def test_cut_offs_at_their_edges(which: tuple[str, str], cut: int) -> None:
    assert "cut_positive" in of_total(which, cut).findings
    assert "cut_negative" in of_total(which, cut - 1).findings


@pytest.mark.parametrize("sex", NEITHER)
def test_auditc_of_a_sex_that_is_neither_takes_the_lower_cut_off(sex: str) -> None:
    """sex-dependent cut: need administrative sex AND a stated rule for other values [D: use 3]"""
    assert scored(AUDITC, 1, 2, 0, sex=sex).findings == ("cut_positive",)
    assert scored(AUDITC, 1, 1, 0, sex=sex).findings == ("cut_negative",)


def test_auditc_4_is_positive_for_men() -> None:
    """positive men >=4, women >=3"""
    assert scored(AUDITC, 2, 1, 1, sex=MALE).findings == ("cut_positive",)
    assert scored(AUDITC, 2, 0, 0, sex=FEMALE).findings == ("cut_negative", "review_q1_only")


def test_auditc_with_all_points_from_question_1_asks_for_a_review() -> None:
    """all points from Q1 with Q2=Q3=0 -> probably below limits, review"""
    assert scored(AUDITC, 4, 0, 0, sex=MALE).findings == ("cut_positive", "review_q1_only")
    assert scored(AUDITC, 4, 0, 1, sex=MALE).findings == ("cut_positive",)
    assert scored(AUDITC, 0, 0, 0, sex=MALE).findings == ("cut_negative",)


CRITERIA = {"B": (1, 1), "C": (6, 1), "D": (8, 2), "E": (15, 2)}


@pytest.mark.parametrize("short", [None, *CRITERIA])
def test_pcl5_needs_the_symptoms_of_every_cluster(short: str | None) -> None:
    """clusters B 1-5, C 6-7, D 8-14, E 15-20; item >=2 counts as symptom; provisional dx = B>=1, C>=1, D>=2, E>=2."""
    values = [1] * 20
    for cluster, (first, symptoms) in CRITERIA.items():
        for place in range(first - 1, first - 1 + symptoms - (cluster == short)):
            values[place] = 2
    assert scored(PCL5, *values).findings[1] == ("criteria_positive" if short is None else "criteria_negative")


def test_a_weekly_pcl5_has_neither_cut_off_nor_criteria() -> None:
    found = scored(PCL5_WEEK, *[4] * 20)
    assert (found.total, found.findings) == (80, ())
    assert [(part.code, part.total, part.symptoms) for part in found.subscores] == [
        ("B", 20, 5), ("C", 8, 2), ("D", 28, 7), ("E", 24, 6),
    ]  # fmt: skip


def test_ocir_has_six_subscales_of_three() -> None:
    """6 subscales of 3 [K]"""
    found = scored(OCIR, *range(4), *[4] * 14)
    assert {part.code: part.total for part in found.subscores} == {
        "hoarding": 0 + 4 + 4,
        "checking": 1 + 4 + 4,
        "ordering": 2 + 4 + 4,
        "neutralizing": 3 + 4 + 4,
        "washing": 12,
        "obsessing": 12,
    }
    assert sum(part.total for part in found.subscores) == found.total


@pytest.mark.parametrize(("which", "highest"), [(YBOCS, 4), (YBOCS_II, 5)])
def test_ybocs_has_obsessions_and_compulsions(which: tuple[str, str], highest: int) -> None:
    """10 x 0-4 (obs 1-5, comp 6-10)"""
    found = scored(which, *[highest] * 5, *[1] * 5)
    assert {part.code: part.total for part in found.subscores} == {"obsessions": 5 * highest, "compulsions": 5}


def test_phq9_remission_is_below_5() -> None:
    """remission <5"""
    assert "remission" in judged(PHQ9, 20, 4).codes
    assert "remission" not in judged(PHQ9, 20, 5).codes


def test_phq9_reliable_change_is_5() -> None:
    """reliable change >=5"""
    assert judged(PHQ9, 14, 9).codes == ("reliable_change",)
    assert judged(PHQ9, 14, 10).codes == ()


@pytest.mark.parametrize(("which", "baseline", "total", "codes"), [
    (GAD7, 14, 7, ("response",)),
    (GAD7, 15, 8, ()),
    (MADRS, 30, 15, ("response",)),
    (MADRS, 30, 16, ()),
    (MADRS, 30, 10, ("response", "remission")),
    (MADRS, 30, 11, ("response",)),
    (YBOCS, 20, 13, ("response",)),
    (YBOCS, 20, 12, ("response", "remission")),
    (YBOCS_II, 40, 26, ("response",)),
    (YBOCS_II, 40, 12, ("response",)),
    (OCIR, 40, 0, ()),
    (AUDITC, 8, 0, ()),
    (PCL5, 50, 29, ("reliable_change",)),
    (PCL5, 50, 28, ("reliable_change", "clinically_significant")),
    # Below 28 before and after, without a reliable change.
    (PCL5, 27, 20, ()),
])  # fmt: skip
def test_outcomes_at_their_edges(which: tuple[str, str], baseline: int, total: int, codes: tuple[str, ...]) -> None:
    assert judged(which, baseline, total).codes == codes


@pytest.mark.parametrize(("baseline", "total", "percent"), [
    (3, 1, "66.7"), (3, 2, "33.3"), (20, 20, "0.0"), (20, 23, "-15.0"), (27, 28, "-3.7"), (1, 0, "100.0"), (27, 14, "48.1"),
])  # fmt: skip
def test_improvement_is_rounded_half_up_and_negative_when_worse(baseline: int, total: int, percent: str) -> None:
    assert judged(PHQ9, baseline, total).improvement_percent == Decimal(percent)


def test_a_baseline_of_0_has_no_improvement_and_no_response() -> None:
    assert judged(PHQ9, 0, 0) == Outcome(None, ())
    assert judged(PHQ9, 0, 12) == Outcome(None, ())


def test_whoever_was_never_above_remission_cannot_come_to_it() -> None:
    assert judged(PHQ9, 4, 2).codes == ("response",)


@pytest.mark.parametrize("which", [GAD7, PCL5, PEG, YBOCS, YBOCS_II, AUDITC, MADRS, OCIR])
def test_with_an_answer_missing_other_instruments_are_not_scorable(which: tuple[str, str]) -> None:
    form = form_of(which)
    for missing in form.items:
        given = {item.name: item.highest for item in form.items if item is not missing}
        found = score(form, given, lambda: FEMALE)
        assert (found.total, found.band, found.prorated, found.findings) == (None, "not_scorable", False, ())
        assert missing.subscale not in {part.code for part in found.subscores}


def test_the_question_of_difficulty_is_kept_and_not_scored() -> None:
    """functional-difficulty question not scored"""
    form = form_of(PHQ9)
    without = adding_up_to(13, form)
    for difficulty in (0, 3):
        assert score(form, {**without, "difficulty": difficulty}, lambda: FEMALE) == score(
            form, without, lambda: FEMALE
        )
    # It does not stand in for a missing answer either.
    few = {name: value for name, value in without.items() if name not in ("1", "2", "3")}
    assert score(form, {**few, "difficulty": 3}, lambda: FEMALE).band == "not_scorable"


def test_the_sex_is_opened_for_auditc_alone() -> None:
    def sealed() -> str:
        raise AssertionError("opened without need")

    for which in (PHQ9, GAD7, PCL5, PEG, YBOCS, MADRS, OCIR):
        form: Form = form_of(which)
        assert score(form, adding_up_to(5, form), sealed).total == 5
