"""Every milligram of an opened vial is somewhere, to the last decimal."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from saguaro.treatment_plan.v1.types_pb2 import PumpProgramme
from simulator.drug import VIAL_MG_PER_ML, account_of, bag_of

concentrations = st.sampled_from(["0.5", "1", "2"])
tenths = st.integers(1, 3000).map(lambda number: Decimal(number) / 10)


def programme(vtbi_ml: Decimal, concentration: str) -> PumpProgramme:
    return PumpProgramme(vtbi_ml=str(vtbi_ml), concentration_mg_per_ml=concentration)


def test_a_usual_bag() -> None:
    bag = bag_of(programme(Decimal("40.0"), "1"))
    assert (bag.volume_ml, bag.drawn_ml, bag.drawn_mg) == (Decimal("55.0"), Decimal("1.1"), Decimal("55.0"))
    account = account_of(bag, Decimal("40.5"))
    assert (account.opened_mg, account.returned_mg, account.wasted_mg) == (Decimal(500), Decimal(445), Decimal("14.5"))


@given(vtbi_ml=tenths, concentration=concentrations, share=st.integers(0, 1000))
def test_bag_and_account_are_exact(vtbi_ml: Decimal, concentration: str, share: int) -> None:
    bag = bag_of(programme(vtbi_ml, concentration))
    assert bag.drawn_ml * VIAL_MG_PER_ML == Decimal(concentration) * bag.volume_ml
    exponent = bag.drawn_ml.as_tuple().exponent
    assert isinstance(exponent, int)
    assert exponent >= -6, "the contract takes six decimals"
    delivered_mg = vtbi_ml * Decimal(concentration) * share / 1000
    account = account_of(bag, delivered_mg)
    assert account.opened_mg == delivered_mg + account.returned_mg + account.wasted_mg
    assert min(account.returned_mg, account.wasted_mg) >= 0
