"""The weight that a dose is computed from.

The measured weight, unless the site's policy caps it or adjusts it above a body mass index: ideal weight = ideal index times height in
metres squared (Lemmens, Obes Surg 2005: 22 kg/m2), plus a fraction of the excess (0.4 is usual: Bauer 1983). Which rule was used is kept.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from chassis.errors import FailedPrecondition, InvalidArgument
from treatment_plan.domain.numbers import difference, multiply, rounded_down, total

Rule = Literal["actual", "cap", "adjusted"]
CENTIMETRES_SQUARED = Decimal(10_000)


@dataclass(frozen=True)
class WeightPolicy:
    """A row of dosing_weight_rule; what its rule does not use is None. Weights in kg, indexes in kg/m2."""

    rule: Rule
    above_kg: Decimal | None = None
    above_bmi: Decimal | None = None
    ideal_bmi: Decimal | None = None
    excess_fraction: Decimal | None = None


@dataclass(frozen=True)
class DosingWeight:
    """What was measured, what the dose is computed from, and the rule that was used. A rule that changed nothing was "actual"."""

    measured_kg: Decimal
    dosing_kg: Decimal
    rule: Rule
    height_cm: Decimal | None


def dosing_weight(policy: WeightPolicy, measured_kg: Decimal, height_cm: Decimal | None) -> DosingWeight:
    """The dosing weight. InvalidArgument height_cm where the policy adjusts and none was given; never more than measured."""
    actual = DosingWeight(measured_kg, measured_kg, "actual", height_cm)
    if policy.rule == "cap" and policy.above_kg is not None and measured_kg > policy.above_kg:
        return DosingWeight(measured_kg, policy.above_kg, "cap", height_cm)
    if policy.rule != "adjusted":
        return actual
    if not height_cm:
        raise InvalidArgument("height_cm", "must be given: the policy of this site adjusts the dosing weight")
    if policy.above_bmi is None or policy.ideal_bmi is None or policy.excess_fraction is None:
        raise FailedPrecondition("POLICY_NOT_IN_FORCE", rule="the policy of adjusted weight must have all its numbers")
    square = multiply(height_cm, height_cm)
    # Multiplied across: an index would be a quotient.
    if multiply(measured_kg, CENTIMETRES_SQUARED) <= multiply(policy.above_bmi, square):
        return actual
    ideal_kg = multiply(policy.ideal_bmi, square, Decimal("0.0001"))
    adjusted_kg = total(ideal_kg, multiply(policy.excess_fraction, difference(measured_kg, ideal_kg)))
    return DosingWeight(measured_kg, rounded_down(adjusted_kg, 1), "adjusted", height_cm)
