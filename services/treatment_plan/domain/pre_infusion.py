"""The limits that hold a start: vital signs of the baseline against policy data.

House policy after the Spravato label (blood pressure above 140/90: weigh a delay) and published clinic rules. Each limit belongs to an item
of the gate; whether a prescriber may let that item pass is the policy of the item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

BLOOD_PRESSURE_REVIEW = "blood_pressure_review"
BLOOD_PRESSURE_HIGH = "blood_pressure_high"
BLOOD_PRESSURE_LOW = "blood_pressure_low"
HEART_RATE = "heart_rate"
SPO2 = "spo2"
RESPIRATORY_RATE = "respiratory_rate"
SEDATION = "sedation"
# What each item of the limits says, by its code.
LIMIT_RULES: Mapping[str, str] = {
    BLOOD_PRESSURE_REVIEW: "blood pressure above the review limit needs a prescriber's review",
    BLOOD_PRESSURE_HIGH: "blood pressure must be below the upper hold limit",
    BLOOD_PRESSURE_LOW: "blood pressure must not be below the lower hold limit",
    HEART_RATE: "heart rate must be within the hold limits",
    SPO2: "SpO2 must not be below the hold limit",
    RESPIRATORY_RATE: "respiratory rate must be within the hold limits",
    SEDATION: "MOAA/S must not be below the hold limit",
}


@dataclass(frozen=True)
class HoldLimit:
    """One bound of a measure. `at_bound`: "allowed" or "refused", what a value exactly at the bound is."""

    item_code: str
    measure_code: str
    side: str
    bound: Decimal
    at_bound: str


def limits_passed(limits: Sequence[HoldLimit], measured: Mapping[str, Decimal | None]) -> set[str]:
    """The items whose limits a measured value passes. What was not measured passes none: that it is missing is an item of its own."""
    found = set()
    for limit in limits:
        value = measured.get(limit.measure_code)
        if value is not None and _passes(limit, value):
            found.add(limit.item_code)
    # What is held anyway needs no review.
    if BLOOD_PRESSURE_HIGH in found:
        found.discard(BLOOD_PRESSURE_REVIEW)
    return found


def _passes(limit: HoldLimit, value: Decimal) -> bool:
    if value == limit.bound:
        return limit.at_bound == "refused"
    return value > limit.bound if limit.side == "upper" else value < limit.bound
