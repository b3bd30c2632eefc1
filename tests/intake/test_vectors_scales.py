"""The table of the scales, row by row: range, bands, cut-offs and rules of the policy data as they ship."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain import cssrs, phq9
from intake.domain.outcome import judge
from intake.domain.scale import Form, Score, missing_items, shown
from intake.domain.scoring import score
from intake.migrations import first_policy, instrument_rows

from .forms import (
    AUDITC,
    FEMALE,
    GAD7,
    MADRS,
    MALE,
    OCIR,
    PCL5,
    PEG,
    PHQ9,
    SUMMED,
    YBOCS,
    YBOCS_II,
    adding_up_to,
    form_of,
)
from .test_cssrs import FORM as SCREENER
from .test_cssrs import ITEMS, level

# The columns of a row that are words on purpose.
WORDS = {"source", "status", "effective_from", "effective_until"}


def shape(which: tuple[str, str]) -> tuple[int, set[tuple[int, int]]]:
    """How many items are scored, and the ranges that they have."""
    scored = [item for item in form_of(which).items if item.scored]
    return len(scored), {(item.lowest, item.highest) for item in scored}


def bands(which: tuple[str, str]) -> list[tuple[str, int, int]]:
    """Code, lowest and highest total of each band."""
    return [(band.code, band.lowest, band.highest) for band in form_of(which).bands]


def findings(which: tuple[str, str], total: int, sex: str = FEMALE) -> tuple[str, ...]:
    """What a total shows by itself."""
    form = form_of(which)
    return score(form, adding_up_to(total, form), lambda: sex).findings


def outcomes(which: tuple[str, str], baseline: int, total: int) -> tuple[str, ...]:
    """What a total shows against a baseline."""
    return judge(form_of(which).rules, baseline, total).codes


def test_phq9_has_nine_items_and_five_bands() -> None:
    """| PHQ-9 | 9 x 0-3 | 0-27 | 0-4 minimal/none, 5-9 mild, 10-14 moderate, 15-19 moderately severe, 20-27 severe"""
    assert shape(PHQ9) == (9, {(0, 3)})
    assert bands(PHQ9) == [
        ("minimal", 0, 4),
        ("mild", 5, 9),
        ("moderate", 10, 14),
        ("moderately_severe", 15, 19),
        ("severe", 20, 27),
    ]


def test_phq9_screens_positive_from_10() -> None:
    """screen-positive >=10 (sens 88 %, spec 88 %)"""
    assert "cut_positive" in findings(PHQ9, 10)
    assert "cut_negative" in findings(PHQ9, 9)


@given(st.lists(st.integers(0, 3), min_size=8, max_size=8), st.integers(1, 3))
def test_item_9_above_0_flags_whatever_the_total(first_eight: list[int], ninth: int) -> None:
    """item 9 > 0 = safety flag whatever the total"""
    form = form_of(PHQ9)
    answers = {str(number): value for number, value in enumerate([*first_eight, ninth], 1)}
    assert phq9.score(form, answers).flags == ("phq9.item9",)


@given(st.lists(st.integers(0, 3), min_size=8, max_size=8), st.integers(0, 3), st.sets(st.integers(1, 9)))
def test_phq9_is_prorated_half_up_and_marked_with_at_most_two_missing(
    first_eight: list[int], ninth: int, missing: set[int]
) -> None:
    """prorated = sum x 9 / answered, rounded half up and marked, only if <=2 missing and never for item 9 (missing item 9 = incomplete and
    flagged) [D]; else "not scorable"
    """
    form = form_of(PHQ9)
    whole = {str(number): value for number, value in enumerate([*first_eight, ninth], 1)}
    given_ = {name: value for name, value in whole.items() if int(name) not in missing}
    found = phq9.score(form, given_)
    if 9 in missing:
        assert (found.total, found.band) == (None, "incomplete")
        assert found.flags
    elif len(missing) > 2:
        assert (found.total, found.band, found.prorated) == (None, "not_scorable", False)
    else:
        # Half up in whole numbers: floor of the doubled fraction and one, halved.
        answered = 9 - len(missing)
        assert found.total == (2 * 9 * sum(given_.values()) + answered) // (2 * answered)
        assert found.prorated is bool(missing)


def test_phq9_outcome() -> None:
    """response >=50 % drop from baseline; remission <5 [K]"""
    assert outcomes(PHQ9, 20, 10) == ("response", "reliable_change")
    assert outcomes(PHQ9, 20, 11) == ("reliable_change",)
    assert outcomes(PHQ9, 20, 4) == ("response", "remission", "reliable_change")
    assert outcomes(PHQ9, 20, 5) == ("response", "reliable_change")


def test_phq9_reliable_change() -> None:
    """reliable change >=5 [K]"""
    assert outcomes(PHQ9, 20, 15) == ("reliable_change",)
    assert outcomes(PHQ9, 20, 16) == ()


def test_gad7_has_seven_items_four_bands_and_its_cut() -> None:
    """| GAD-7 | 7 x 0-3 | 0-21 | 0-4 minimal, 5-9 mild, 10-14 moderate, 15-21 severe; cut >=10 (>=8 alternative) | response 50 % [K]"""
    assert shape(GAD7) == (7, {(0, 3)})
    assert bands(GAD7) == [("minimal", 0, 4), ("mild", 5, 9), ("moderate", 10, 14), ("severe", 15, 21)]
    assert (findings(GAD7, 10), findings(GAD7, 9)) == (("cut_positive",), ("cut_negative",))
    assert (outcomes(GAD7, 14, 7), outcomes(GAD7, 14, 8)) == (("response",), ())


def test_pcl5_has_twenty_items_a_cut_and_no_bands() -> None:
    """| PCL-5 | 20 x 0-4 | 0-80 | cut 31-33 (configurable, default 33 [D]); **no empirical severity bands exist**"""
    assert shape(PCL5) == (20, {(0, 4)})
    assert bands(PCL5) == []
    assert "cut_positive" in findings(PCL5, 33)
    assert "cut_negative" in findings(PCL5, 32)


def test_pcl5_reliable_and_clinically_significant_change() -> None:
    """reliable change >=15 (configurable 15-18), clinically significant = that and total <=28 (Marx 2022, Psychol Assess 34:197"""
    assert outcomes(PCL5, 43, 29) == ()
    assert outcomes(PCL5, 44, 29) == ("reliable_change",)
    assert outcomes(PCL5, 43, 28) == ("reliable_change", "clinically_significant")
    assert outcomes(PCL5, 42, 28) == ()
    stricter = {**form_of(PCL5).rules, "reliable_change.points": form_of(PCL5).rules["reliable_change.points"] + 3}
    assert judge(stricter, 44, 29).codes == ()
    assert judge(stricter, 47, 29).codes == ("reliable_change",)


@pytest.mark.parametrize("yes", [("1",), ("2",), ("1", "2")])
def test_cssrs_low(yes: tuple[str, ...]) -> None:
    """LOW: Q1 or Q2 yes"""
    assert level(*yes) == "low"


@pytest.mark.parametrize("yes", [("2", "3"), ("6.lifetime",), ("1", "6.lifetime"), ("2", "3", "6.lifetime")])
def test_cssrs_moderate(yes: tuple[str, ...]) -> None:
    """MODERATE: Q3 yes, or Q6 lifetime yes"""
    assert level(*yes) == "moderate"


@pytest.mark.parametrize("yes", [("2", "4"), ("2", "5"), ("6.lifetime", "6.3months"), ("2", "3", "4", "5")])
def test_cssrs_high(yes: tuple[str, ...]) -> None:
    """HIGH: Q4 or Q5 (past month) or Q6 past 3 months yes"""
    assert level(*yes) == "high"


def test_cssrs_branch() -> None:
    """branch: if Q2 = no skip Q3-5 and go to Q6; highest level wins"""
    asked = {"1": 1, "2": 0, "6.lifetime": 0}
    assert cssrs.score(SCREENER, asked) == Score(None, "low", False, ())
    assert cssrs.unanswered(SCREENER, {"1": 1, "2": 1, "6.lifetime": 0}) == ["3", "4", "5"]
    assert level(*ITEMS) == "high"


def test_madrs_has_ten_items_of_a_clinician_and_four_bands() -> None:
    """bands 0-6 normal, 7-19 mild, 20-34 moderate, 35-60 severe [K]; response >=50 % drop"""
    assert shape(MADRS) == (10, {(0, 6)})
    assert bands(MADRS) == [("normal", 0, 6), ("mild", 7, 19), ("moderate", 20, 34), ("severe", 35, 60)]
    assert (outcomes(MADRS, 30, 15), outcomes(MADRS, 30, 16)) == (("response",), ())


def test_madrs_remission_is_configurable() -> None:
    """remission <=12 in one ketamine RCT, <=10 in much of the literature [K] -> configurable"""
    rules = form_of(MADRS).rules
    assert outcomes(MADRS, 30, 10) == ("response", "remission")
    assert outcomes(MADRS, 30, 11) == ("response",)
    assert judge({**rules, "remission.total": rules["remission.total"] + 2}, 30, 12).codes == ("response", "remission")


def test_ybocs_has_ten_items_and_five_bands() -> None:
    """0-7 subclinical, 8-15 mild, 16-23 moderate, 24-31 severe, 32-40 extreme; response >=35 % drop; remission <=12-14"""
    assert shape(YBOCS) == (10, {(0, 4)})
    assert bands(YBOCS) == [
        ("subclinical", 0, 7),
        ("mild", 8, 15),
        ("moderate", 16, 23),
        ("severe", 24, 31),
        ("extreme", 32, 40),
    ]
    assert (outcomes(YBOCS, 20, 13), outcomes(YBOCS, 20, 14)) == (("response",), ())
    assert outcomes(YBOCS, 20, 12) == ("response", "remission")


def test_ybocs_ii_is_a_form_of_its_own() -> None:
    """Y-BOCS-II is 0-50 (items 0-5) with different bands 0-14/15-21/22-34/35-50: **never mix versions**"""
    assert shape(YBOCS_II) == (10, {(0, 5)})
    assert [band[1:] for band in bands(YBOCS_II)] == [(0, 14), (15, 21), (22, 34), (35, 50)]
    assert YBOCS_II[0] == YBOCS[0]
    assert YBOCS_II[1] != YBOCS[1]


def test_ocir_has_eighteen_items_a_cut_and_benchmarks() -> None:
    """| OCI-R | 18 x 0-4 | 0-72 | cut-off 21 [K]; benchmarks 0-15 mild, 16-27 moderate, 28-72 severe"""
    assert shape(OCIR) == (18, {(0, 4)})
    assert bands(OCIR) == [("mild", 0, 15), ("moderate", 16, 27), ("severe", 28, 72)]
    assert (findings(OCIR, 21), findings(OCIR, 20)) == (("cut_positive",), ("cut_negative",))


def test_peg_is_three_items_shown_as_a_mean() -> None:
    """| PEG | 3 x 0-10 | mean 0-10 | sum/3; >=30 % improvement = meaningful [K]"""
    form = form_of(PEG)
    assert shape(PEG) == (3, {(0, 10)})
    assert [shown(form, total) for total in (0, 20, 30)] == ["0.0", "6.7", "10.0"]
    assert outcomes(PEG, 20, 14) == outcomes(PEG, 30, 21) == ("response",)
    assert outcomes(PEG, 30, 22) == ()


def test_auditc_is_three_items_with_cuts_by_sex() -> None:
    """| AUDIT-C | 3 x 0-4 | 0-12 | positive men >=4, women >=3"""
    assert shape(AUDITC) == (3, {(0, 4)})
    # Five and six points are not from question 1 alone.
    assert (findings(AUDITC, 5, MALE), findings(AUDITC, 5, FEMALE)) == (("cut_positive",), ("cut_positive",))
    assert findings(AUDITC, 4, MALE)[0] == findings(AUDITC, 3, FEMALE)[0] == "cut_positive"
    assert findings(AUDITC, 3, MALE)[0] == findings(AUDITC, 2, FEMALE)[0] == "cut_negative"


@pytest.mark.parametrize("which", [PHQ9, *SUMMED])
def test_items_are_known_by_number(which: tuple[str, str]) -> None:
    """item text may be copyrighted**: ship scoring by item number, not item wording."""
    form: Form = form_of(which)
    assert missing_items(form, {}) == [str(number) for number in range(1, shape(which)[0] + 1)]
    told = [*instrument_rows.rows()["instrument_item"], *first_policy.rows()["instrument_item"]]
    assert {name for row in told for name in row} & {"text", "wording", "question", "title"} == set()
    # Nothing but numbers and codes: no value has the blanks of a sentence, except where it names its source.
    assert not [row for row in told for name, value in row.items() if name not in WORDS and " " in str(value)]
