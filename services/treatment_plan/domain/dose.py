"""The dose chain: from a weight and a protocol to the numbers that a pump is given.

House policy, to be reviewed by the medical director. Usual psychiatric dose: 0.5 mg/kg over 40 min (Andrade, J Clin Psychiatry 2017;
Fava et al., Mol Psychiatry 2020). Rate and volume are each rounded DOWN to 0.1 from unrounded values: never more than ordered.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from chassis.errors import InvalidArgument
from treatment_plan.domain.numbers import ZERO, divide, multiply, rounded, rounded_down, tenths_down

MINUTES_IN_HOUR = Decimal(60)
KETAMINE = "ketamine"
MG_PER_KG_PER_H = "mg/kg/h"
MG_PER_H = "mg/h"
# As many as the columns keep.
KEPT_DECIMALS = 12


@dataclass(frozen=True)
class DoseRate:
    """A dose as a rate. `unit` is "mg/kg/h" or "mg/h", the units of published infusions for pain (ASRA/AAPM/ASA consensus 2018)."""

    value: Decimal
    unit: str


@dataclass(frozen=True)
class DoseOrder:
    """What a dose is computed from. `dose_mg_per_kg` is over the whole infusion; the concentration is of the finished bag.

    With a `rate` the dose comes from the rate alone; `at_rate` makes such an order.
    """

    weight_kg: Decimal
    dose_mg_per_kg: Decimal
    duration_min: int
    concentration_mg_per_ml: Decimal
    rate: DoseRate | None = None

    @property
    def milligrams(self) -> tuple[Decimal, Decimal]:
        """The whole dose in mg as an exact fraction (numerator, denominator): a rate by the hour over minutes need not end."""
        if self.rate is None:
            return multiply(self.dose_mg_per_kg, self.weight_kg), Decimal(1)
        by_hour = multiply(self.rate.value, self.weight_kg) if self.rate.unit == MG_PER_KG_PER_H else self.rate.value
        return multiply(by_hour, Decimal(self.duration_min)), MINUTES_IN_HOUR

    @property
    def total_mg_per_kg(self) -> Decimal:
        """Milligrams for each kilogram over the whole infusion, not rounded."""
        if self.rate is None:
            return self.dose_mg_per_kg
        numerator, denominator = self.milligrams
        return divide(numerator, multiply(denominator, self.weight_kg))

    @property
    def rate_mg_per_kg_per_min(self) -> Decimal:
        """The ordered dose rate by minute."""
        numerator, denominator = self.milligrams
        return divide(numerator, multiply(denominator, self.weight_kg, Decimal(self.duration_min)))

    @property
    def rate_mg_per_kg_per_h(self) -> Decimal:
        """The ordered dose rate by hour: the unit of infusions for pain (ASRA/AAPM/ASA consensus, Reg Anesth Pain Med 2018)."""
        numerator, denominator = self.milligrams
        by_minute = multiply(denominator, self.weight_kg, Decimal(self.duration_min))
        return divide(multiply(numerator, MINUTES_IN_HOUR), by_minute)


def at_rate(weight_kg: Decimal, rate: DoseRate, duration_min: int, concentration_mg_per_ml: Decimal) -> DoseOrder:
    """An order by rate. What it comes to in mg/kg is rounded down to twelve decimals for keeping; the chain never uses it.

    InvalidArgument for a weight or duration of 0.
    """
    require_positive((("weight_kg", weight_kg), ("duration_min", Decimal(duration_min)), ("dose_rate", rate.value)))
    exact = DoseOrder(weight_kg, ZERO, duration_min, concentration_mg_per_ml, rate)
    return replace(exact, dose_mg_per_kg=rounded_down(exact.total_mg_per_kg, KEPT_DECIMALS))


def require_positive(numbers: Iterable[tuple[str, Decimal]]) -> None:
    """InvalidArgument naming the first field that is not above 0."""
    for field, value in numbers:
        if value <= ZERO:
            raise InvalidArgument(field, "must be greater than 0")


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
    require_positive(
        (
            ("weight_kg", order.weight_kg),
            ("dose_mg_per_kg", order.dose_mg_per_kg if order.rate is None else order.rate.value),
            ("duration_min", Decimal(order.duration_min)),
            ("concentration_mg_per_ml", order.concentration_mg_per_ml),
        )
    )
    numerator, denominator = order.milligrams
    vtbi_ml = tenths_down(numerator, multiply(denominator, order.concentration_mg_per_ml))
    rate_ml_per_h = tenths_down(
        multiply(numerator, MINUTES_IN_HOUR),
        multiply(denominator, order.concentration_mg_per_ml, Decimal(order.duration_min)),
    )
    if not rate_ml_per_h or not vtbi_ml:
        raise InvalidArgument("dose_mg_per_kg", "gives less than 0.1 mL or less than 0.1 mL/h at this concentration")
    return Dose(
        # A third of a milligram does not end: kept to twelve decimals, never above what was ordered.
        ordered_mg=numerator if denominator == 1 else rounded_down(divide(numerator, denominator), KEPT_DECIMALS),
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
