"""Every published vector of the dose chain, for every concentration of the library."""

from decimal import Decimal

import pytest

from chassis.errors import InvalidArgument
from treatment_plan.domain.accounting import DiscrepancyPolicy, PumpTotals, delivered
from treatment_plan.domain.dose import (
    DoseOrder,
    DoseRate,
    at_rate,
    bag_concentration_mg_per_ml,
    compute,
    vial_volume_ml,
)
from treatment_plan.domain.ndc import normalised

D = Decimal


def order_of(weight: str, dose: str, minutes: int, concentration: str) -> DoseOrder:
    return DoseOrder(D(weight), D(dose), minutes, D(concentration))


@pytest.mark.parametrize(
    ("concentration", "vtbi", "rate"),
    [("1", "40.0", "60.0"), ("2", "20.0", "30.0"), ("0.5", "80.0", "120.0")],
    ids=["1_mg_per_ml", "2_mg_per_ml", "half_mg_per_ml"],
)
def test_80_kg_at_half_a_mg_per_kg_in_40_min(concentration: str, vtbi: str, rate: str) -> None:
    """80 kg at 0.5 mg/kg in 40 min: 1 mg/mL = 40 mg, 40.0 mL, 60.0 mL/h; 2 mg/mL = 40 mg, 20.0 mL, 30.0 mL/h;
    0.5 mg/mL = 40 mg, 80.0 mL, 120.0 mL/h."""
    dose = compute(order_of("80", "0.5", 40, concentration))
    assert (dose.ordered_mg, dose.dose_mg) == (D(40), D(40))
    assert str(dose.programme.vtbi_ml) == vtbi
    assert str(dose.programme.rate_ml_per_h) == rate
    assert str(dose.duration_min) == "40.00"


def test_73_3_kg_at_1_mg_per_ml_rounds_down_to_36_6_mg() -> None:
    """73.3 kg: 1 mg/mL = 36.65 mg ordered, 36.6 mL, 54.9 mL/h, 40.0 min, 36.6 mg; 2 mg/mL = 18.3 mL, 27.4 mL/h,
    40.07 min, 36.6 mg."""
    dose = compute(order_of("73.3", "0.5", 40, "1"))
    assert dose.ordered_mg == D("36.65")
    assert str(dose.programme.vtbi_ml) == "36.6"
    assert str(dose.programme.rate_ml_per_h) == "54.9"
    assert dose.duration_min == D("40.0")
    assert dose.dose_mg == D("36.6")


def test_73_3_kg_at_2_mg_per_ml_takes_40_07_min() -> None:
    """73.3 kg: 1 mg/mL = 36.65 mg ordered, 36.6 mL, 54.9 mL/h, 40.0 min, 36.6 mg; 2 mg/mL = 18.3 mL, 27.4 mL/h,
    40.07 min, 36.6 mg."""
    dose = compute(order_of("73.3", "0.5", 40, "2"))
    assert dose.ordered_mg == D("36.65")
    assert str(dose.programme.vtbi_ml) == "18.3"
    assert str(dose.programme.rate_ml_per_h) == "27.4"
    assert str(dose.duration_min) == "40.07"
    assert dose.dose_mg == D("36.6")


def test_73_3_kg_at_half_a_mg_per_ml() -> None:
    """rounding: rate and VTBI both DOWN to 0.1, each from unrounded values; dose = rounded VTBI x conc;
    duration = VTBI / rate x 60"""
    dose = compute(order_of("73.3", "0.5", 40, "0.5"))
    assert str(dose.programme.vtbi_ml) == "73.3"
    assert str(dose.programme.rate_ml_per_h) == "109.9"
    assert dose.dose_mg == D("36.65")


def test_half_a_mg_per_kg_in_40_min_is_0_75_mg_per_kg_per_h() -> None:
    """0.5 mg/kg/40 min = 0.75 mg/kg/h = 12.5 ug/kg/min."""
    order = order_of("80", "0.5", 40, "1")
    assert order.rate_mg_per_kg_per_h == D("0.75")
    assert order.rate_mg_per_kg_per_min == D("0.0125")


def test_pain_0_35_mg_per_kg_per_h_for_70_kg_over_4_h_is_98_mg() -> None:
    """pain: 0.35 mg/kg/h x 70 kg x 4 h = 98 mg; at 1 mg/mL 24.5 mL/h, VTBI 98 mL. CRPS 22 mg/h at 1 mg/mL 22 mL/h."""
    order = at_rate(D(70), DoseRate(D("0.35"), "mg/kg/h"), 240, D(1))
    dose = compute(order)
    assert (order.dose_mg_per_kg, dose.ordered_mg) == (D("1.4"), D(98))
    assert order.rate_mg_per_kg_per_h == D("0.35")
    assert dose.dose_mg == D(98)
    assert str(dose.programme.rate_ml_per_h) == "24.5"
    assert str(dose.programme.vtbi_ml) == "98.0"


def test_complex_regional_pain_at_22_mg_per_h_is_22_ml_per_h() -> None:
    """pain: 0.35 mg/kg/h x 70 kg x 4 h = 98 mg; at 1 mg/mL 24.5 mL/h, VTBI 98 mL. CRPS 22 mg/h at 1 mg/mL 22 mL/h."""
    dose = compute(at_rate(D(80), DoseRate(D(22), "mg/h"), 240, D(1)))
    assert dose.dose_mg == D(88)
    assert str(dose.programme.rate_ml_per_h) == "22.0"


def test_a_rate_in_mg_per_h_does_not_depend_on_the_weight() -> None:
    """CRPS (moderate evidence, to 12 weeks) | 22 mg/h for 4 days, or 0.35 mg/kg/h over 4 h daily x10 days"""
    light, heavy = (compute(at_rate(D(kg), DoseRate(D(22), "mg/h"), 240, D(1))) for kg in (50, 100))
    assert light == heavy


def test_a_rate_whose_dose_does_not_end_is_kept_below_what_was_ordered() -> None:
    dose = compute(at_rate(D(80), DoseRate(D(22), "mg/h"), 50, D(1)))
    assert dose.ordered_mg == D("18.333333333333")
    assert (str(dose.programme.vtbi_ml), str(dose.programme.rate_ml_per_h)) == ("18.3", "22.0")
    assert dose.dose_mg <= dose.ordered_mg


@pytest.mark.parametrize(("vial", "drawn"), [("50", "0.8"), ("100", "0.4"), ("10", "4")], ids=["50", "100", "10"])
def test_40_mg_from_each_vial(vial: str, drawn: str) -> None:
    """bag: 40 mg in 40 mL total = 0.8 mL of 50 mg/mL, 0.4 mL of 100, 4.0 mL of 10; 0.4 mL of 10 is 0.1 mg/mL
    and is refused."""
    assert vial_volume_ml(D(40), D(vial)) == D(drawn)
    assert bag_concentration_mg_per_ml(D(vial), D(drawn), D(40)) == D(1)


def test_0_4_ml_of_10_mg_per_ml_in_40_ml_is_a_tenth() -> None:
    """bag: 40 mg in 40 mL total = 0.8 mL of 50 mg/mL, 0.4 mL of 100, 4.0 mL of 10; 0.4 mL of 10 is 0.1 mg/mL
    and is refused."""
    assert bag_concentration_mg_per_ml(D(10), D("0.4"), D(40)) == D("0.1")


def test_176_lb_typed_as_kg_is_88_mg() -> None:
    """176 lb typed as kg gives 88 mg for an 80 kg person, inside every mg/kg limit: the"""
    assert compute(order_of("176", "0.5", 40, "1")).dose_mg == D(88)


def test_volume_that_keeps_the_vein_open_is_delivered_drug() -> None:
    """Vector: 40.0 -> 80.0, then KVO to 80.5, 1 mg/mL = 40.5 mg, end at 80.0."""
    # 40.0 to 80.0, then to 80.5 after the end.
    found = delivered(PumpTotals(D("40.5"), D("0.5"), D("40.0")), D(1), DiscrepancyPolicy(D("0.05"), D("0.5")))
    assert (found.delivered_mg, found.discrepancy) == (D("40.5"), False)


@pytest.mark.parametrize(("pump", "expected", "apart"), [("21.03", "20", True), ("20", "21.03", False)])
def test_the_share_is_one_of_rate_times_time(pump: str, expected: str, apart: bool) -> None:
    """5 % of 20 mL is 1 mL, of 21.03 mL 1.0515 mL; device-telemetry judges the pump's volume in the same way."""
    found = delivered(PumpTotals(D(pump), D(0), D(expected)), D(1), DiscrepancyPolicy(D("0.05"), D("0.5")))
    assert found.discrepancy is apart


@pytest.mark.parametrize(
    ("printed", "billed"),
    [
        ("67457-108-10", "67457010810"),
        ("67457-0108-10", "67457010810"),
        ("67457010810", "67457010810"),
        ("1234-5678-90", "01234567890"),
        ("12345-6789-1", "12345678901"),
    ],
)
def test_a_national_drug_code_has_eleven_digits(printed: str, billed: str) -> None:
    """A 5-3-2 NDC pads the middle: 67457-108-10 -> 67457010810."""
    assert normalised(printed) == billed


@pytest.mark.parametrize("wrong", ["6745710810", "67457-108-1", "67457-108", "a7457010810", "", "67457--10"])
def test_an_ambiguous_or_broken_drug_code_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        normalised(wrong)
    assert refused.value.field == "ndc"


@pytest.mark.parametrize(
    "numbers", [("0", "0.5", 40, "1"), ("80", "0", 40, "1"), ("80", "0.5", 0, "1"), ("80", "0.5", 40, "0")]
)
def test_a_zero_is_refused(numbers: tuple[str, str, int, str]) -> None:
    with pytest.raises(InvalidArgument):
        compute(order_of(*numbers))
