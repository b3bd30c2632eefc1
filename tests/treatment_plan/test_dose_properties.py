"""What holds for every dose: rounding never gives more than ordered, and limits are monotone."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition, InvalidArgument
from treatment_plan.domain.accounting import DiscrepancyPolicy, PumpTotals, delivered
from treatment_plan.domain.dose import DoseOrder, compute
from treatment_plan.domain.limits import Library, Limit, findings, refuse_beyond

D = Decimal
PSYCHIATRY = Library(
    "psychiatry",
    (D("0.5"), D(1), D(2)),
    (
        Limit("weight_kg", "hard", D(35), D(200)),
        Limit("dose_mg_per_kg", "soft", D("0.3"), D("0.75")),
        Limit("dose_mg_per_kg", "hard", D("0.1"), D("1.0")),
        Limit("duration_min", "soft", D(40), D(60)),
        Limit("duration_min", "hard", D(30), D(120)),
        Limit("rate_mg_per_kg_per_min", "hard", None, D("0.025")),
        Limit("absolute_dose_mg", "soft", None, D(60)),
        Limit("absolute_dose_mg", "hard", None, D(120)),
    ),
)
orders = st.builds(
    DoseOrder,
    st.decimals("35", "200", places=6),
    st.decimals("0.1", "2", places=6),
    st.integers(10, 600),
    st.sampled_from([D("0.5"), D(1), D(2), D("0.333333")]),
)


@given(orders)
def test_rounding_never_exceeds_what_was_ordered(order: DoseOrder) -> None:
    dose = compute(order)
    exact_mg = Fraction(order.weight_kg) * Fraction(order.dose_mg_per_kg)
    exact_rate = exact_mg / Fraction(order.concentration_mg_per_ml) / Fraction(order.duration_min, 60)
    exact_vtbi = exact_mg / Fraction(order.concentration_mg_per_ml)
    assert Fraction(dose.ordered_mg) == exact_mg
    assert Fraction(dose.dose_mg) <= exact_mg
    assert 0 <= exact_rate - Fraction(dose.programme.rate_ml_per_h) < Fraction(1, 10)
    assert 0 <= exact_vtbi - Fraction(dose.programme.vtbi_ml) < Fraction(1, 10)


@given(orders, st.decimals("0", "1", places=6))
def test_a_higher_dose_passes_every_upper_limit_that_a_lower_one_passes(order: DoseOrder, more: Decimal) -> None:
    higher = DoseOrder(order.weight_kg, order.dose_mg_per_kg + more, order.duration_min, order.concentration_mg_per_ml)

    def too_high(asked: DoseOrder) -> set[tuple[str, str]]:
        found = findings(PSYCHIATRY, asked, compute(asked))
        measured = ("absolute_dose_mg", "dose_mg_per_kg", "rate_mg_per_kg_per_min")
        return {
            (item.limit_code, item.severity)
            for item in found
            if item.limit_code in measured and D(item.bound) <= D(item.value)
        }

    assert too_high(order) <= too_high(higher)


@given(orders)
def test_a_hard_limit_passed_means_the_soft_one_inside_it_is_passed(order: DoseOrder) -> None:
    found = {(item.limit_code, item.severity) for item in findings(PSYCHIATRY, order, compute(order))}
    for code in ("dose_mg_per_kg", "duration_min", "absolute_dose_mg"):
        assert (code, "hard") not in found or (code, "soft") in found


@given(orders, st.text(min_size=1, max_size=20))
def test_no_reason_overrides_a_hard_limit(order: DoseOrder, reason: str) -> None:
    found = findings(PSYCHIATRY, order, compute(order))
    if any(item.severity == "hard" for item in found):
        with pytest.raises((FailedPrecondition, InvalidArgument)) as refused:
            refuse_beyond(found, reason)
        assert refused.value.reason == "HARD_LIMIT"
    else:
        refuse_beyond(found, reason)


@given(st.decimals("0", "100", places=3), st.decimals("0", "5", places=3), st.decimals("0", "100", places=3))
def test_what_is_reported_is_never_less_than_the_pump_says(
    infused: Decimal, open_vein: Decimal, expected: Decimal
) -> None:
    totals = PumpTotals(infused + open_vein, open_vein, expected)
    found = delivered(totals, D("0.5"), DiscrepancyPolicy(D("0.05"), D("0.5")))
    assert found.delivered_ml >= totals.delivered_ml
    assert found.discrepancy == (abs(expected - infused) > max(expected * D("0.05"), D("0.5")))
    if found.discrepancy:
        assert found.delivered_ml == max(infused, expected) + open_vein
