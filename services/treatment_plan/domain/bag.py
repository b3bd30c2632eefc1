"""The bag: one vial product, drawn and diluted by one person, checked by another.

House policy: the concentration computed from vial and volumes equals the order's exactly. 100 mg/mL is never given undiluted into a vein:
it is diluted with at least an equal volume (Ketalar label, FDA). Vial products are policy data (DailyMed).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from chassis.errors import Finding
from treatment_plan.domain.numbers import ZERO, multiply

# Labeler and product of an eleven-digit NDC; the last two digits name the package only.
PRODUCT_DIGITS = 9


@dataclass(frozen=True)
class Bag:
    """What the bag was made from: eleven-digit NDC, lot, last day of use, mg/mL of the vial, mL drawn, mL of the finished bag."""

    ndc: str
    lot: str
    expires_on: date
    vial_concentration_mg_per_ml: Decimal
    drawn_ml: Decimal
    final_ml: Decimal


@dataclass(frozen=True)
class VialProduct:
    """A product in use: nine digits of labeler and product, and its strength."""

    product_code: str
    concentration_mg_per_ml: Decimal


@dataclass(frozen=True)
class DilutionRule:
    """From which strength a vial must be diluted, and how many times its volume the bag must have."""

    from_mg_per_ml: Decimal
    min_ratio: Decimal


def bag_holds(bag: Bag, concentration_mg_per_ml: Decimal) -> bool:
    """Whether the bag has exactly this concentration. Multiplied across: a quotient could be rounded."""
    if bag.final_ml <= ZERO:
        return False
    drawn_mg = multiply(bag.vial_concentration_mg_per_ml, bag.drawn_ml)
    return drawn_mg == multiply(concentration_mg_per_ml, bag.final_ml)


def diluted(bag: Bag, rule: DilutionRule) -> bool:
    """Whether a strong vial was diluted as it must be."""
    if bag.vial_concentration_mg_per_ml < rule.from_mg_per_ml:
        return True
    return bag.final_ml >= multiply(bag.drawn_ml, rule.min_ratio)


def in_date(bag: Bag, day: date) -> bool:
    """Whether the vial may still be used on this day: the printed day itself still counts."""
    return day <= bag.expires_on


def bag_findings(
    bag: Bag,
    ordered_mg_per_ml: Decimal,
    ordered_ml: Decimal,
    products: Sequence[VialProduct],
    rule: DilutionRule,
    day: date,
) -> list[Finding]:
    """Everything that is wrong with a bag for this order on this day, each by its item code."""
    found = []
    product = bag.ndc[:PRODUCT_DIGITS]
    strengths = [entry.concentration_mg_per_ml for entry in products if entry.product_code == product]
    if not strengths:
        found.append(Finding("bag_vial", "the NDC must be that of a vial product in use"))
    elif bag.vial_concentration_mg_per_ml not in strengths:
        found.append(Finding("bag_vial", "the vial's mg/mL must be that of its NDC"))
    if not in_date(bag, day):
        found.append(Finding("bag_in_date", "the lot must not be past its last day of use"))
    if not diluted(bag, rule):
        found.append(Finding("bag_diluted", "a vial of this strength must be diluted with at least an equal volume"))
    if not bag_holds(bag, ordered_mg_per_ml):
        found.append(
            Finding(
                "bag_concentration",
                "vial mg/mL times drawn mL over final mL must equal the order's concentration exactly",
            )
        )
    if bag.final_ml < ordered_ml:
        found.append(Finding("bag_volume", "the finished bag must hold at least the order's volume to be infused"))
    return found
