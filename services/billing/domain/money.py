"""US dollars, exactly: two decimals, half up."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO_USD = Decimal("0.00")


def to_cents(amount_usd: Decimal) -> Decimal:
    """Rounded to whole cents, half up; two decimals always, so "0.00" and "450.00"."""
    return amount_usd.quantize(CENT, rounding=ROUND_HALF_UP)


def total(amounts_usd: Iterable[Decimal]) -> Decimal:
    """The sum in two decimals; of nothing, 0.00."""
    return to_cents(sum(amounts_usd, ZERO_USD))
