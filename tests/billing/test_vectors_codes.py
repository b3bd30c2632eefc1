"""The table of codes, and how a session's time and drug become them, each by its line; without a database where none is needed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.coding import CodingPolicy, billed_minutes, drug_line, product_ml, time_lines
from billing.domain.ndc import eleven_digits
from tests.billing.desk import VISITS, Desk, units

D = Decimal
POLICY = CodingPolicy(
    push_code="96374",
    push_from_min=1,
    initial_code="96365",
    initial_from_min=16,
    initial_covers_min=60,
    additional_code="96366",
    additional_unit_min=60,
    additional_beyond_min=30,
    drug_code="J3490",
    drug_units=D(1),
)


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """One database for the module."""
    return shared_desk


def coded(minutes: int) -> dict[str, Decimal]:
    """Units by code of a time."""
    return {line.code: line.units for line in time_lines(minutes, POLICY)}


@pytest.mark.parametrize("minutes", [16, 40, 60, 90])
def test_the_initial_code(minutes: int) -> None:
    """| 96365 | initial therapeutic infusion, 16-90 min; one per encounter (per access) |"""
    assert coded(minutes) == {"96365": D(1)}


@given(st.integers(16, 6000))
def test_the_further_hours(minutes: int) -> None:
    """each additional hour, only when >30 min beyond the previous hour -> units = floor((minutes-60+29)/60) for minutes>60: 90->0, 91->1,
    150->1, 151->2, 240->3
    """
    # Counted hour by hour: another unit as long as more than 30 minutes lie beyond what is counted.
    counted, left = 0, minutes - 60
    while left > 30:
        counted, left = counted + 1, left - 60
    assert counted == (max((minutes - 60 + 29) // 60, 0) if minutes > 60 else 0)
    assert coded(minutes) == {"96365": D(1), **({"96366": D(counted)} if counted else {})}


@pytest.mark.parametrize("minutes", [1, 15])
def test_the_push(minutes: int) -> None:
    """| 96374 | IV push / <=15 min |"""
    assert coded(minutes) == {"96374": D(1)}


@given(st.integers(0, 100_000), st.integers(0, 10_000))
def test_minutes_are_whole_delivering_ones(delivering_s: int, paused_s: int) -> None:
    """minutes = floor of delivering, non-KVO seconds / 60: under 1 with no drug: none; 1-15: 96374; 16 and more: 96365 and units of
    96366.
    """
    minutes = billed_minutes(delivering_s, paused_s, POLICY)
    assert minutes * 60 <= delivering_s < (minutes + 1) * 60
    expected = set() if minutes < 1 else {"96374"} if minutes <= 15 else {"96365"}
    assert set(coded(minutes)) - {"96366"} == expected


@given(st.decimals("0.01", "500", places=2), st.sampled_from(["10", "50", "100"]))
def test_millilitres_of_the_vial_half_up(delivered_mg: Decimal, vial: str) -> None:
    """CTP04/05 = administered mL of the vial product, ML, two decimals half up; waste on its own ledger line."""
    found = product_ml(delivered_mg, D(vial))
    assert found.as_tuple().exponent == -2
    # Half up: the true volume lies from half a hundredth below, that included, to half a hundredth above, that not.
    assert found - D("0.005") <= delivered_mg / D(vial) < found + D("0.005")


def test_forty_milligrams_are_four_fifths_of_a_millilitre() -> None:
    """40 mg from 50 mg/mL = `CTP****0.8*ML`."""
    line = drug_line(D(40), D(50), "67457010810", POLICY)
    assert line.product_ml is not None
    assert f"CTP****{line.product_ml.normalize()}*ML" == "CTP****0.8*ML"


def test_the_middle_of_an_ndc() -> None:
    """A 5-3-2 NDC pads the middle: 67457-108-10 -> 67457010810."""
    assert eleven_digits("67457-108-10") == "67457010810"


@pytest.mark.parametrize("delivered_mg", ["0.5", "40", "200"])
def test_the_drug_is_one_unit(delivered_mg: str) -> None:
    """* **J3490.** SV104 = 1 UN (payer policy as data);"""
    assert drug_line(D(delivered_mg), D(50), "67457010810", POLICY).units == 1


def test_the_drug_has_its_amount_and_its_ndc(desk: Desk) -> None:
    """unclassified drug: ketamine; needs drug name, dose, NDC (2410 LIN N4 + CTP)"""
    line = desk.charge(desk.closed(desk.priced_site(), desk.person())).lines[-1]
    assert (line.code, line.ndc, line.product_ml) == ("J3490", "67457010810", "0.80")
    without = desk.charge(desk.closed(desk.priced_site(), desk.person(), ndc=""))
    assert (without.state, list(without.lines)) == ("held", [])


def test_a_second_bag_is_the_same_service(desk: Desk) -> None:
    """paused time is not infusion time [D: policy switch]; a second bag same drug = same service."""
    event = desk.closed(desk.priced_site(), desk.person(), seconds=100 * 60, paused_seconds=600, delivered_mg="80")
    charged = desk.charge(event)
    assert units(charged) == {"96365": "1", "96366": "1", "J3490": "1"}
    assert charged.lines[-1].product_ml == "1.60"


@pytest.mark.parametrize("code", ["99202", "99203", "99204", "99205", "99213", "99214", "99215"])
def test_a_visit_on_the_day_of_an_infusion(desk: Desk, code: str) -> None:
    """| 99202-99205 / 99213-99215 | E/M, modifier 25 with same-day infusion |"""
    site, person = desk.site(), desk.person()
    desk.publish(site, **{code: "210.00"})
    desk.charge(desk.closed(site, person))
    desk.evaluated(site, person, code)
    (line,) = [line.line for line in desk.invoice(person, site).lines if line.kind == "evaluation"]
    assert (line.code, line.modifier) == (code, "25")


def test_an_instrument_is_a_unit_up_to_the_payers_cap(desk: Desk) -> None:
    """| 96127 | brief emotional/behavioural assessment per instrument, unit cap by payer |"""
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    for name in ("PHQ-9", "GAD-7", "PCL-5", "PEG", "Y-BOCS"):
        desk.answered(site, person, name)
    found = desk.charges(person, "assessment")
    assert sum(D(line.units) for one in found for line in one.lines) == 4
