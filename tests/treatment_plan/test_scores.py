"""CADSS, CADSS-6, MOAA/S and Aldrete: totals, bands and what a score is made of."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from treatment_plan.domain.scores import (
    CADSS,
    CADSS_6,
    MOAAS,
    MOAAS_LEVELS,
    MOAAS_VARIANTS,
    Aldrete,
    Band,
    CirculationRule,
    SaturationRule,
    band_of,
    cadss_6_of,
    cadss_total,
    circulation,
    saturation,
)

BANDS = (
    Band(CADSS, "none", Decimal(0)),
    Band(CADSS, "dissociation", Decimal(5)),
    Band(MOAAS, "light", Decimal(4)),
    Band(MOAAS, "alert", Decimal(5)),
)
BY_MMHG = CirculationRule(Decimal(20), Decimal(50))
BY_PERCENT = CirculationRule(Decimal(20), Decimal(49))
OXYGEN = SaturationRule(Decimal(92), Decimal(90))


def test_cadss_has_23_items_of_0_to_4_and_a_total_of_0_to_92() -> None:
    """| CADSS | 23 subjective x 0-4 (28 incl. observer items) | 0-92 |"""
    assert cadss_total(CADSS, None, [0] * 23) == 0
    assert cadss_total(CADSS, None, [4] * 23) == 92
    for items in ([0] * 22, [0] * 24, [0] * 28, [*[0] * 22, 5], [*[0] * 22, -1]):
        with pytest.raises(InvalidArgument) as refused:
            cadss_total(CADSS, None, items)
        assert refused.value.field == "cadss.items"


@pytest.mark.parametrize(("total", "band"), [(0, "none"), (4, "none"), (5, "dissociation"), (92, "dissociation")])
def test_above_4_is_dissociation(total: int, band: str) -> None:
    """commonly >4 = dissociation present [K]"""
    found = band_of(BANDS, CADSS, total)
    assert found is not None
    assert found.band_code == band


def test_cadss_6_is_items_1_2_6_7_15_and_22() -> None:
    """CADSS-6 = items 1,2,6,7,15,22 (rho 0.91-0.95 with full)"""
    chosen = {1, 2, 6, 7, 15, 22}
    assert cadss_6_of([4 if number in chosen else 0 for number in range(1, 24)]) == 24
    assert cadss_6_of([0 if number in chosen else 4 for number in range(1, 24)]) == 0
    assert cadss_total(CADSS_6, None, [4] * 6) == 24


@pytest.mark.parametrize(("form", "total"), [(CADSS, 93), (CADSS_6, 25), (CADSS, -1), (CADSS, None)])
def test_a_total_beyond_its_form_or_none_at_all_is_refused(form: str, total: int | None) -> None:
    with pytest.raises(InvalidArgument) as refused:
        cadss_total(form, total, [])
    assert refused.value.field == "cadss.total"


def test_a_total_that_is_not_the_sum_of_its_items_is_refused() -> None:
    assert cadss_total(CADSS_6, 3, [1, 1, 1, 0, 0, 0]) == 3
    with pytest.raises(InvalidArgument) as refused:
        cadss_total(CADSS_6, 4, [1, 1, 1, 0, 0, 0])
    assert refused.value.field == "cadss.total"


def test_a_scale_without_bands_has_none() -> None:
    assert band_of(BANDS, CADSS_6, 3) is None


def test_moaas_goes_from_5_to_0_in_two_variants() -> None:
    """| MOAA/S | 5..0 | - | 5 readily to name; 4 lethargic to name; 3 only loud/repeated; 2 only mild prodding; 1 only painful squeeze;
    0 none | two published variants of 1/0: store variant id |
    """
    assert list(MOAAS_LEVELS) == [0, 1, 2, 3, 4, 5]
    assert MOAAS_VARIANTS == ("squeeze", "prodding")
    alert, lethargic = band_of(BANDS, MOAAS, 5), band_of(BANDS, MOAAS, 4)
    assert alert is not None
    assert lethargic is not None
    assert (alert.band_code, lethargic.band_code) == ("alert", "light")


def test_aldrete_is_the_sum_of_five_items() -> None:
    """| Modified Aldrete | 5 x 0-2 (activity, respiration, circulation, consciousness, SpO2) | 0-10 | discharge >=9 [K]"""
    assert Aldrete(2, 2, 2, 2, 2, "mmhg").total == 10
    assert Aldrete(0, 0, 0, 0, 0, "mmhg").total == 0
    assert Aldrete(2, 1, 2, 1, 2, "percent").total == 8


@pytest.mark.parametrize(
    ("now", "points"), [("140", 2), ("100", 2), ("141", 1), ("99", 1), ("170", 1), ("70", 1), ("171", 0), ("69", 0)]
)
def test_circulation_by_mmhg(now: str, points: int) -> None:
    """circulation: BP within +-20 mmHg =2, +-20-50 =1, beyond =0"""
    assert circulation(Decimal(120), Decimal(now), "mmhg", BY_MMHG) == points


@pytest.mark.parametrize(
    ("now", "points"),
    [("144", 2), ("96", 2), ("144.01", 1), ("178.8", 1), ("61.2", 1), ("178.81", 0), ("61.19", 0), ("180", 0)],
)
def test_circulation_by_percent(now: str, points: int) -> None:
    """(other variant +-20 % / 20-49 % / >49 %)"""
    assert circulation(Decimal(120), Decimal(now), "percent", BY_PERCENT) == points


@pytest.mark.parametrize(
    ("spo2", "on_oxygen", "points"),
    [
        ("93", False, 2),
        ("92", False, 1),
        ("91", False, 1),
        ("98", True, 1),
        ("90", True, 0),
        ("89", True, 0),
        ("89", False, 0),
    ],
)
def test_oxygen_saturation(spo2: str, on_oxygen: bool, points: int) -> None:
    """SpO2 >92 % room air =2, needs O2 for >90 % =1, <90 % on O2 =0"""
    assert saturation(Decimal(spo2), OXYGEN, on_oxygen=on_oxygen) == points


@given(st.decimals("60", "200", places=1), st.decimals("40", "260", places=1), st.sampled_from(["mmhg", "percent"]))
def test_further_from_the_baseline_is_never_more_points(baseline: Decimal, now: Decimal, variant: str) -> None:
    rule = BY_MMHG if variant == "mmhg" else BY_PERCENT
    further = now + (now - baseline)
    assert circulation(baseline, further, variant, rule) <= circulation(baseline, now, variant, rule)
