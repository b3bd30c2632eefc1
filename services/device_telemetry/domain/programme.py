"""What a pump is to give, and how its echo differs from the order. Decimal throughout; mg, mL and hours."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Programme:
    """Drug, concentration, rate and volume to be infused. None stands for what a pump did not say."""

    drug_code: str
    concentration_mg_per_ml: Decimal | None
    rate_ml_per_h: Decimal | None
    vtbi_ml: Decimal | None


_FIELDS = ("drug_code", "concentration_mg_per_ml", "rate_ml_per_h", "vtbi_ml")


def changes(said: Programme, order: Programme) -> tuple[str, ...]:
    """Names of the fields that a running pump says otherwise than the order; what one report leaves out is no change."""
    return tuple(name for name in differences(said, order) if getattr(said, name) not in ("", None))


def differences(echo: Programme, order: Programme) -> tuple[str, ...]:
    """Names of the fields in which an echo differs from the order, or which it lacks (house policy: any refuses a start)."""
    return tuple(
        name for name in _FIELDS if getattr(echo, name) in ("", None) or getattr(echo, name) != getattr(order, name)
    )
