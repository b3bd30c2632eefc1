"""The dose chain: from a weight and a protocol to the numbers that a pump is given.

House policy, to be reviewed by the medical director. Usual psychiatric dose: 0.5 mg/kg over 40 min (Andrade, J Clin Psychiatry 2017;
Fava et al., Mol Psychiatry 2020). Rate and volume are each rounded DOWN to 0.1 from unrounded values: never more than ordered.
"""

from dataclasses import dataclass
from decimal import Decimal

from chassis.errors import InvalidArgument
from treatment_plan.domain.numbers import ZERO, divide, multiply, rounded, tenths_down

MINUTES_IN_HOUR = Decimal(60)
KETAMINE = "ketamine"


@dataclass(frozen=True)
class DoseOrder:
    """What a dose is computed from. `dose_mg_per_kg` is over the whole infusion; the concentration is of the finished bag."""

    weight_kg: Decimal
    dose_mg_per_kg: Decimal
    duration_min: int
    concentration_mg_per_ml: Decimal

    @property
    def rate_mg_per_kg_per_min(self) -> Decimal:
        """The ordered dose rate by minute."""
        return divide(self.dose_mg_per_kg, Decimal(self.duration_min))

    @property
    def rate_mg_per_kg_per_h(self) -> Decimal:
        """The ordered dose rate by hour: the unit of infusions for pain (ASRA/AAPM/ASA consensus, Reg Anesth Pain Med 2018)."""
        return divide(multiply(self.dose_mg_per_kg, MINUTES_IN_HOUR), Decimal(self.duration_min))


@dataclass(frozen=True)
class Programme:
    """What a pump is given. Rate and volume to be infused are already rounded."""

    drug_code: str
    concentration_mg_per_ml: Decimal
    rate_ml_per_h: Decimal
    vtbi_ml: Decimal


@dataclass(frozen=True)
class Dose:
    """A dose before (`ordered_mg`) and after rounding. `duration_min` is of the rounded numbers, two decimals."""

    ordered_mg: Decimal
    dose_mg: Decimal
    programme: Programme
    duration_min: Decimal


def compute(order: DoseOrder) -> Dose:
    """Dose and pump numbers. InvalidArgument where a number is zero or too small for any rate of a pump."""
    for field, value in (
        ("weight_kg", order.weight_kg),
        ("dose_mg_per_kg", order.dose_mg_per_kg),
        ("duration_min", Decimal(order.duration_min)),
        ("concentration_mg_per_ml", order.concentration_mg_per_ml),
    ):
        if value <= ZERO:
            raise InvalidArgument(field, "must be greater than 0")
    ordered_mg = multiply(order.dose_mg_per_kg, order.weight_kg)
    vtbi_ml = tenths_down(ordered_mg, order.concentration_mg_per_ml)
    rate_ml_per_h = tenths_down(
        multiply(ordered_mg, MINUTES_IN_HOUR), multiply(order.concentration_mg_per_ml, Decimal(order.duration_min))
    )
    if not rate_ml_per_h or not vtbi_ml:
        raise InvalidArgument("dose_mg_per_kg", "gives less than 0.1 mL or less than 0.1 mL/h at this concentration")
    return Dose(
        ordered_mg=ordered_mg,
        dose_mg=multiply(vtbi_ml, order.concentration_mg_per_ml),
        programme=Programme(KETAMINE, order.concentration_mg_per_ml, rate_ml_per_h, vtbi_ml),
        duration_min=rounded(divide(multiply(vtbi_ml, MINUTES_IN_HOUR), rate_ml_per_h), 2),
    )


def vial_volume_ml(dose_mg: Decimal, vial_concentration_mg_per_ml: Decimal) -> Decimal:
    """How much to draw from a vial: 40 mg of 50 mg/mL is 0.8 mL."""
    return divide(dose_mg, vial_concentration_mg_per_ml)


def bag_concentration_mg_per_ml(
    vial_concentration_mg_per_ml: Decimal, drawn_ml: Decimal, bag_volume_ml: Decimal
) -> Decimal:
    """Milligrams in each millilitre of the finished bag; its volume includes the drug's own."""
    return divide(multiply(vial_concentration_mg_per_ml, drawn_ml), bag_volume_ml)
