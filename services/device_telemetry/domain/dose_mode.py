"""A pump in dose mode shows a weight and a dose rate; both are compared with the order, after conversion of units. Decimal throughout.

Dose rate = rate times concentration, divided by the dosing weight where the unit is per kilogram (0.5 mg/kg in 40 min = 0.75 mg/kg/h =
12.5 ug/kg/min). A pump shows as many decimals as it has room for: the ordered dose rate is rounded half up to those before the
comparison. House policy.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from device_telemetry.domain.programme import Programme

# Unit (UCUM, MDC name) -> how many of it one mg/h is, and whether it is per kilogram.
_PER_MIN = Decimal(60)
_UNITS: dict[str, tuple[Decimal, Decimal, bool]] = {
    "mg/h": (Decimal(1), Decimal(1), False),
    "mg/min": (Decimal(1), _PER_MIN, False),
    "ug/min": (Decimal(1000), _PER_MIN, False),
    "ug/h": (Decimal(1000), Decimal(1), False),
    "mg/kg/h": (Decimal(1), Decimal(1), True),
    "mg/kg/min": (Decimal(1), _PER_MIN, True),
    "ug/kg/min": (Decimal(1000), _PER_MIN, True),
    "ug/kg/h": (Decimal(1000), Decimal(1), True),
}
_ALIASES = {
    "MDC_DIM_MILLI_G_PER_HR": "mg/h",
    "MDC_DIM_MILLI_G_PER_KG_PER_HR": "mg/kg/h",
    "MDC_DIM_MICRO_G_PER_KG_PER_MIN": "ug/kg/min",
    "265619": "ug/kg/min",
}


@dataclass(frozen=True)
class DoseEcho:
    """What a pump shows in dose mode; None and "" stand for what it does not say."""

    weight_kg: Decimal | None
    dose_rate: Decimal | None
    unit: str

    @property
    def in_dose_mode(self) -> bool:
        """Whether it says anything of the kind."""
        return self.weight_kg is not None or self.dose_rate is not None


def differences(echo: DoseEcho, ordered: Programme, weight_kg: Decimal | None) -> tuple[str, ...]:
    """Names of the fields that differ from the order, or lack; nothing for a pump that is not in dose mode."""
    if not echo.in_dose_mode:
        return ()
    found = []
    # In dose mode by weight the weight is needed; a plain mg/h needs none.
    unit = _UNITS.get(_ALIASES.get(echo.unit, echo.unit))
    needs_weight = unit is None or unit[2]
    if (needs_weight or echo.weight_kg is not None) and (weight_kg is None or echo.weight_kg != weight_kg):
        found.append("weight_kg")
    if unit is None:
        found.append("dose_rate_unit")
    elif echo.dose_rate is None or echo.dose_rate != _ordered(ordered, weight_kg, unit, echo.dose_rate):
        found.append("dose_rate")
    return tuple(found)


def _ordered(
    ordered: Programme, weight_kg: Decimal | None, unit: tuple[Decimal, Decimal, bool], shown: Decimal
) -> Decimal | None:
    """The ordered dose rate in the pump's unit, with the pump's decimals; None where it cannot be said."""
    if ordered.rate_ml_per_h is None or ordered.concentration_mg_per_ml is None:
        return None
    times, over, per_kg = unit
    rate = ordered.rate_ml_per_h * ordered.concentration_mg_per_ml * times / over
    if per_kg:
        if weight_kg is None or weight_kg <= 0:
            return None
        rate /= weight_kg
    return rate.quantize(Decimal(1).scaleb(min(int(shown.as_tuple().exponent), 0)), ROUND_HALF_UP)
