"""J3490: one unit, the NDC in eleven digits, and millilitres of the vial product, two decimals half up."""

import pytest

from billing.domain.ndc import eleven_digits
from tests.billing.desk import Desk


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """One database for the module."""
    return shared_desk


@pytest.mark.parametrize(
    ("ndc", "digits"),
    [
        ("67457-108-10", "67457010810"),
        ("0143-9508-10", "00143950810"),
        ("42023-1138-1", "42023113801"),
        ("42023-0138-10", "42023013810"),
        ("42023013810", "42023013810"),
        ("6745710810", None),
        ("67457-108", None),
        ("67457-10B-10", None),
        ("67457--10", None),
        ("٦٧٤٥٧-108-10", None),
        ("", None),
    ],
)
def test_an_ndc_is_padded_where_it_is_short_and_never_guessed(ndc: str, digits: str | None) -> None:
    assert eleven_digits(ndc) == digits


@pytest.mark.parametrize(
    ("delivered_mg", "vial", "product_ml"),
    [
        ("40", "50", "0.80"),
        ("36.6", "100", "0.37"),
        ("40.5", "100", "0.41"),
        ("0.25", "50", "0.01"),
        ("98", "10", "9.80"),
    ],
)
def test_millilitres_are_those_of_the_vial_product(desk: Desk, delivered_mg: str, vial: str, product_ml: str) -> None:
    site, person = desk.priced_site(), desk.person()
    event = desk.closed(site, person, delivered_mg=delivered_mg, vial_concentration_mg_per_ml=vial)
    line = desk.charge(event).lines[-1]
    assert (line.code, line.units, line.ndc, line.product_ml) == ("J3490", "1", "67457010810", product_ml)
    assert line.amount_usd == "12.25"


def test_other_lines_carry_neither_ndc_nor_millilitres(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    line = desk.charge(desk.closed(site, person)).lines[0]
    assert (line.code, line.ndc, line.product_ml) == ("96365", "", "")
