"""A pump in dose mode shows a weight and a dose rate: both are compared with the order, after conversion of units.

The dose rate is that of the rounded rate: rate times concentration, by the unit also divided by the weight (0.5 mg/kg in 40 min is
0.75 mg/kg/h or 12.5 ug/kg/min). A pump shows as many decimals as it has room for: the ordered dose rate is rounded half up to those.
House policy.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from chassis.errors import Finding
from treatment_plan.domain.numbers import divide, multiply, rounded
from treatment_plan.domain.start import Echo, number_rule

# UCUM unit -> how many of it one mg/h is (a numerator and a denominator), and whether it is by kilogram.
UNITS = {
    "mg/h": (Decimal(1), Decimal(1), False),
    "mg/min": (Decimal(1), Decimal(60), False),
    "ug/min": (Decimal(1000), Decimal(60), False),
    "mg/kg/h": (Decimal(1), Decimal(1), True),
    "mg/kg/min": (Decimal(1), Decimal(60), True),
    "ug/kg/h": (Decimal(1000), Decimal(1), True),
    "ug/kg/min": (Decimal(1000), Decimal(60), True),
}
DECIMALS = 9


@dataclass(frozen=True)
class DoseMode:
    """What an order means for a pump that is given a dose rate instead of a rate. The rate is the rounded one."""

    weight_kg: Decimal
    concentration_mg_per_ml: Decimal
    rate_ml_per_h: Decimal


def dose_mode_findings(echo: Echo, ordered: DoseMode) -> list[Finding]:
    """What stands against weight and dose rate, each by its field; nothing where the pump reported neither."""
    if not (echo.weight_kg or echo.dose_rate or echo.dose_rate_unit):
        return []
    found = []
    unit = UNITS.get(echo.dose_rate_unit)
    if echo.weight_kg or unit is None or unit[2]:
        rule = number_rule(echo.weight_kg, ordered.weight_kg)
        found += [Finding("echoed_weight_kg", rule)] if rule else []
    if unit is None:
        return [*found, Finding("echoed_dose_rate_unit", f"must be one of {', '.join(UNITS)}")]
    rule = _dose_rate_rule(echo.dose_rate, ordered, unit)
    return found + ([Finding("echoed_dose_rate", rule)] if rule else [])


def _dose_rate_rule(echoed: str, ordered: DoseMode, unit: tuple[Decimal, Decimal, bool]) -> str:
    """The rule that an echoed dose rate breaks, or the empty text."""
    if not echoed:
        return "the pump must echo it: absent"
    try:
        value = Decimal(echoed)
    except InvalidOperation:
        return "must be a decimal number"
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -DECIMALS <= exponent <= 0:
        return "must be a decimal number of at most nine decimals"
    times, over, by_weight = unit
    mg_per_h = multiply(ordered.rate_ml_per_h, ordered.concentration_mg_per_ml)
    exact = divide(multiply(mg_per_h, times), multiply(over, ordered.weight_kg if by_weight else Decimal(1)))
    return "" if value == rounded(exact, -exponent) else "must equal the order: differs"
