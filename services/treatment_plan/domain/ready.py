"""The gate before a start: everything that must be there. A refusal names each missing item.

House policy, from published pre-infusion checklists: two identifiers, weight on arrival within 10 % of the order's, fasting, a driver, a
bag prepared by one person and checked by another, whose concentration computed from the vial equals the order's exactly.
"""

from dataclasses import dataclass
from decimal import Decimal

from chassis.errors import Finding
from treatment_plan.domain.numbers import ZERO, difference, multiply


@dataclass(frozen=True)
class Bag:
    """Who made the bag, and from what. `bag_volume_ml` is the final volume, the drug's own included."""

    prepared_by: str
    checked_by: str
    vial_concentration_mg_per_ml: Decimal
    drawn_ml: Decimal
    bag_volume_ml: Decimal


@dataclass(frozen=True)
class Gate:
    """What was found on arrival."""

    arrival_weight_kg: Decimal
    bag: Bag
    identity_checked_twice: bool
    fasting_confirmed: bool
    driver_confirmed: bool


def missing_items(
    gate: Gate, order_weight_kg: Decimal, order_concentration_mg_per_ml: Decimal, weight_tolerance_fraction: Decimal
) -> list[Finding]:
    """Each item that the gate lacks, by field."""
    found = []
    if not gate.identity_checked_twice:
        found.append(Finding("identity_checked_twice", "two identifiers must be checked"))
    if not gate.fasting_confirmed:
        found.append(Finding("fasting_confirmed", "fasting must be confirmed"))
    if not gate.driver_confirmed:
        found.append(Finding("driver_confirmed", "a driver must be confirmed"))
    allowed_kg = multiply(order_weight_kg, weight_tolerance_fraction)
    if difference(gate.arrival_weight_kg, order_weight_kg).copy_abs() > allowed_kg:
        found.append(Finding("arrival_weight_kg", "must be within the policy's tolerance of the order's weight"))
    if gate.bag.prepared_by.lower() == gate.bag.checked_by.lower():
        found.append(Finding("bag_checked_by", "the bag must be prepared and checked by two different people"))
    if not bag_holds(gate.bag, order_concentration_mg_per_ml):
        found.append(
            Finding("drawn_ml", "vial mg/mL times drawn mL over bag mL must equal the order's concentration exactly")
        )
    return found


def bag_holds(bag: Bag, concentration_mg_per_ml: Decimal) -> bool:
    """Whether the bag has exactly this concentration. Multiplied across: a quotient could be rounded."""
    if bag.bag_volume_ml <= ZERO:
        return False
    drawn_mg = multiply(bag.vial_concentration_mg_per_ml, bag.drawn_ml)
    return drawn_mg == multiply(concentration_mg_per_ml, bag.bag_volume_ml)
