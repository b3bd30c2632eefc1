"""Units of measure in MDC and in UCUM, with exact factors to the unit in which the house keeps a quantity.

Sources: ISO/IEEE 11073-10101 as IHE PCD Technical Framework Rev. 8, volume 2 and HL7/uv-pocd use it (a prefixed unit is the unprefixed one
plus 18 for milli, 19 for micro, 3 for kilo); UCUM. 1 mmHg is 133.322387415 Pa (NIST SP 811). A unit that is not here is not guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final


class Quantity(Enum):
    """What is measured, with the unit that the house keeps it in."""

    PRESSURE = "mm[Hg]"
    BEATS = "{beat}/min"
    BREATHS = "{breath}/min"
    FRACTION = "%"
    FLOW = "mL/h"
    VOLUME = "mL"
    CONCENTRATION = "mg/mL"
    WEIGHT = "kg"
    MINUTES = "min"


@dataclass(frozen=True)
class _Unit:
    quantity: Quantity
    factor: Decimal


_ONE: Final = Decimal(1)
_THOUSAND: Final = Decimal(1000)
_MILLI: Final = Decimal("0.001")
_PASCAL: Final = Decimal(1) / Decimal("133.322387415")

# Quantity, factor, MDC code, MDC REFIDs, UCUM and its common spellings.
_ROWS: Final[tuple[tuple[Quantity, Decimal, str, tuple[str, ...], tuple[str, ...]], ...]] = (
    (Quantity.PRESSURE, _ONE, "266016", ("MDC_DIM_MMHG",), ("mm[Hg]", "mmHg")),
    (Quantity.PRESSURE, _THOUSAND * _PASCAL, "265987", ("MDC_DIM_KILO_PASCAL",), ("kPa",)),
    (Quantity.BEATS, _ONE, "264864", ("MDC_DIM_BEAT_PER_MIN",), ("{beat}/min", "{beats}/min", "/min", "1/min")),
    (
        Quantity.BREATHS,
        _ONE,
        "264928",
        ("MDC_DIM_RESP_PER_MIN",),
        ("{resp}/min", "{breath}/min", "{breaths}/min", "/min", "1/min"),
    ),
    (Quantity.FRACTION, _ONE, "262688", ("MDC_DIM_PERCENT",), ("%",)),
    (Quantity.FLOW, _ONE, "265266", ("MDC_DIM_MILLI_L_PER_HR",), ("mL/h", "ml/h", "mL/hr", "ml/hr")),
    (Quantity.FLOW, _THOUSAND, "265248", ("MDC_DIM_X_L_PER_HR", "MDC_DIM_L_PER_HR"), ("L/h", "l/h")),
    (Quantity.FLOW, _MILLI, "265267", ("MDC_DIM_MICRO_L_PER_HR",), ("uL/h", "ul/h")),
    (Quantity.FLOW, Decimal(60), "265234", ("MDC_DIM_MILLI_L_PER_MIN",), ("mL/min", "ml/min")),
    (Quantity.VOLUME, _ONE, "263762", ("MDC_DIM_MILLI_L",), ("mL", "ml")),
    (Quantity.VOLUME, _THOUSAND, "263744", ("MDC_DIM_X_L", "MDC_DIM_L"), ("L", "l")),
    (Quantity.VOLUME, _MILLI, "263763", ("MDC_DIM_MICRO_L",), ("uL", "ul")),
    (Quantity.CONCENTRATION, _ONE, "264306", ("MDC_DIM_MILLI_G_PER_ML",), ("mg/mL", "mg/ml", "g/L", "g/l")),
    (Quantity.CONCENTRATION, _MILLI, "264307", ("MDC_DIM_MICRO_G_PER_ML",), ("ug/mL", "ug/ml", "mg/L", "mg/l")),
    (Quantity.CONCENTRATION, _THOUSAND, "264288", ("MDC_DIM_X_G_PER_ML", "MDC_DIM_G_PER_ML"), ("g/mL", "g/ml")),
    (Quantity.WEIGHT, _ONE, "263875", ("MDC_DIM_KILO_G",), ("kg",)),
    (Quantity.WEIGHT, _MILLI, "263872", ("MDC_DIM_X_G", "MDC_DIM_G"), ("g",)),
    (Quantity.WEIGHT, Decimal("0.45359237"), "", (), ("[lb_av]",)),
    (Quantity.MINUTES, _ONE, "264352", ("MDC_DIM_MIN",), ("min",)),
    (Quantity.MINUTES, Decimal(1) / Decimal(60), "264320", ("MDC_DIM_SEC", "MDC_DIM_X_SEC"), ("s",)),
    (Quantity.MINUTES, Decimal(60), "264384", ("MDC_DIM_HR",), ("h",)),
)


def _index() -> dict[tuple[Quantity, str], _Unit]:
    found: dict[tuple[Quantity, str], _Unit] = {}
    for quantity, factor, code, names, ucum in _ROWS:
        for spelling in filter(None, (code, *names, *ucum)):
            found[quantity, spelling] = _Unit(quantity, factor)
    return found


_UNITS: Final = _index()
# A millionth is what the frames of the log keep.
_RESOLUTION: Final = Decimal("0.000001")
LARGEST: Final = Decimal(1_000_000_000)


def in_house_unit(value: Decimal, unit: Sequence[str], quantity: Quantity) -> Decimal | None:
    """The value in the unit of the house, to a millionth. None where OBX-6 names no known unit of this quantity, or two that differ."""
    factors = {_UNITS[quantity, spelling.strip()].factor for spelling in unit if (quantity, spelling.strip()) in _UNITS}
    if len(factors) != 1:
        return None
    factor = factors.pop()
    converted = value if factor == _ONE else (value * factor).quantize(_RESOLUTION)
    return converted if abs(converted) < LARGEST else None


# Dose rates are compared in the unit in which they were ordered, so their unit is kept and not converted.
_DOSE_RATES: Final = {
    spelling: ucum
    for ucum, spellings in {
        "ug/kg/min": ("265619", "MDC_DIM_MICRO_G_PER_KG_PER_MIN", "ug/kg/min"),
        "mg/kg/min": ("265618", "MDC_DIM_MILLI_G_PER_KG_PER_MIN", "mg/kg/min"),
        "mg/kg/h": ("265650", "MDC_DIM_MILLI_G_PER_KG_PER_HR", "mg/kg/h", "mg/kg/hr"),
        "ug/min": ("265491", "MDC_DIM_MICRO_G_PER_MIN", "ug/min"),
        "mg/min": ("265490", "MDC_DIM_MILLI_G_PER_MIN", "mg/min"),
        "mg/h": ("265522", "MDC_DIM_MILLI_G_PER_HR", "mg/h", "mg/hr"),
    }.items()
    for spelling in spellings
}


def dose_rate_unit(unit: Sequence[str]) -> str | None:
    """The UCUM unit of a dose rate in OBX-6. None where it names none that is known, or two that differ."""
    found = {_DOSE_RATES[spelling.strip()] for spelling in unit if spelling.strip() in _DOSE_RATES}
    return found.pop() if len(found) == 1 else None
