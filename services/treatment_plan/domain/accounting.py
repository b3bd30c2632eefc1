"""What became of the drug: delivered, returned, wasted, to the last decimal.

The pump's own volume is what was delivered, the volume that kept the vein open included. Rate times time is only a cross-check. An opened
vial of a Schedule III substance is accounted for in full (21 CFR 1304; house policy: the account balances to 0).
"""

from dataclasses import dataclass
from decimal import Decimal

from chassis.errors import InvalidArgument
from treatment_plan.domain.numbers import ZERO, difference, multiply, total


@dataclass(frozen=True)
class PumpTotals:
    """The pump's final numbers. `keep_vein_open_ml` is part of `delivered_ml`; `expected_ml` is rate times delivering time."""

    delivered_ml: Decimal
    keep_vein_open_ml: Decimal
    expected_ml: Decimal


@dataclass(frozen=True)
class DiscrepancyPolicy:
    """How far pump volume and rate times time may be apart: the larger of a fraction of the expected volume and a volume."""

    fraction: Decimal
    volume_ml: Decimal


@dataclass(frozen=True)
class Delivered:
    """What is reported as delivered, and whether the two ways of knowing it disagree."""

    delivered_ml: Decimal
    delivered_mg: Decimal
    discrepancy: bool


def delivered(totals: PumpTotals, concentration_mg_per_ml: Decimal, policy: DiscrepancyPolicy) -> Delivered:
    """The pump's volume, or the larger of the two when they are further apart than the policy allows.

    Rate times time ends with the volume to be infused, so that it is compared without the volume that kept the vein open.
    """
    infused_ml = difference(totals.delivered_ml, totals.keep_vein_open_ml)
    allowed_ml = max(multiply(totals.expected_ml, policy.fraction), policy.volume_ml)
    discrepancy = difference(totals.expected_ml, infused_ml).copy_abs() > allowed_ml
    larger_ml = total(max(infused_ml, totals.expected_ml), totals.keep_vein_open_ml)
    reported_ml = larger_ml if discrepancy else totals.delivered_ml
    return Delivered(reported_ml, multiply(reported_ml, concentration_mg_per_ml), discrepancy)


def require_balance(opened_mg: Decimal, delivered_mg: Decimal, returned_mg: Decimal, wasted_mg: Decimal) -> None:
    """InvalidArgument unless opened = delivered + returned + wasted exactly. `delivered_mg` is by the pump's own volume."""
    if difference(opened_mg, delivered_mg, returned_mg, wasted_mg) != ZERO:
        raise InvalidArgument(
            "opened_mg",
            "opened minus delivered minus returned minus wasted must be 0 to the last decimal,"
            " with delivered = the pump's volume times the order's concentration",
            reason="DRUG_ACCOUNT_UNBALANCED",
        )
