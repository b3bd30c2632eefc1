"""The bag by itself: strength, dilution, date, vial product."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from treatment_plan.domain.bag import Bag, DilutionRule, VialProduct, bag_findings

DAY = date(2026, 7, 15)
RULE = DilutionRule(Decimal(100), Decimal(2))
PRODUCTS = (
    VialProduct("674570001", Decimal(10)),
    VialProduct("674570108", Decimal(50)),
    VialProduct("674570181", Decimal(100)),
)
GOOD = Bag("67457010810", "A123", DAY, Decimal(50), Decimal("0.8"), Decimal(40))


def wrong(bag: Bag, concentration: str = "1", volume: str = "10") -> list[str]:
    """The item codes of what is wrong with it, for an order of this concentration and volume."""
    return [
        finding.field for finding in bag_findings(bag, Decimal(concentration), Decimal(volume), PRODUCTS, RULE, DAY)
    ]


@pytest.mark.parametrize(
    ("ndc", "vial", "drawn"),
    [("67457010810", "50", "0.8"), ("67457018110", "100", "0.4"), ("67457000110", "10", "4.0")],
)
def test_forty_milligrams_in_forty_millilitres(ndc: str, vial: str, drawn: str) -> None:
    """bag: 40 mg in 40 mL total = 0.8 mL of 50 mg/mL, 0.4 mL of 100, 4.0 mL of 10"""
    made = replace(GOOD, ndc=ndc, vial_concentration_mg_per_ml=Decimal(vial), drawn_ml=Decimal(drawn))
    assert wrong(made) == []


def test_a_tenth_of_the_dose_is_refused() -> None:
    """0.4 mL of 10 is 0.1 mg/mL and is refused."""
    made = replace(GOOD, ndc="67457000110", vial_concentration_mg_per_ml=Decimal(10), drawn_ml=Decimal("0.4"))
    assert wrong(made) == ["bag_concentration"]
    assert wrong(made, "0.1") == []


def test_a_bag_holds_what_is_to_be_infused() -> None:
    """VTBI mL = dose_mg / conc: 40 mg at 1 mg/mL need 40 mL, whatever is left in the line comes on top."""
    small = replace(GOOD, drawn_ml=Decimal("0.798"), final_ml=Decimal("39.9"))
    assert wrong(small, volume="40.0") == ["bag_volume"]
    assert wrong(GOOD, volume="40.0") == []


def test_100_mg_per_ml_is_never_given_undiluted() -> None:
    """**Concentration**: 100 mg/mL must never be given IV undiluted (dilute with equal volume SW/NS/D5W)"""
    strong = replace(GOOD, ndc="67457018110", vial_concentration_mg_per_ml=Decimal(100), drawn_ml=Decimal(10))
    assert wrong(replace(strong, final_ml=Decimal(10)), "100") == ["bag_diluted"]
    assert wrong(replace(strong, final_ml=Decimal("19.9")), "50") == ["bag_diluted", "bag_concentration"]
    assert wrong(replace(strong, final_ml=Decimal(20)), "50") == []


def test_a_vial_has_the_strength_of_its_code() -> None:
    """| Vial facts | 10 mg/mL 20 mL; 50 mg/mL 10 mL; 100 mg/mL 5 mL (also 10 mL Mylan). NDC families 67457-001/-108/-181
    (Mylan), 42023-137/138 (Par) |
    """
    assert wrong(replace(GOOD, ndc="67457000110")) == ["bag_vial"]
    assert wrong(replace(GOOD, ndc="00000000000")) == ["bag_vial"]


def test_a_lot_may_be_used_on_its_last_day() -> None:
    """drug lot in date"""
    assert wrong(replace(GOOD, expires_on=DAY)) == []
    assert wrong(replace(GOOD, expires_on=DAY - timedelta(days=1))) == ["bag_in_date"]


def test_everything_that_is_wrong_is_named() -> None:
    made = Bag("00000000000", "A1", DAY - timedelta(days=1), Decimal(100), Decimal(1), Decimal(1))
    assert wrong(made) == ["bag_vial", "bag_in_date", "bag_diluted", "bag_concentration", "bag_volume"]
