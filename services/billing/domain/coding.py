"""Which codes a session gives, and how many units of each.

Source: AMA CPT, intravenous infusion and push. 96374 is a push or an infusion of up to 15 minutes; 96365 the first hour
of an infusion (16 to 90 minutes); 96366 each further hour, counted when more than 30 minutes lie beyond the last one.
HCPCS J3490 is an unclassified drug, billed as one unit with its NDC and the millilitres of the vial product (X12 837,
CTP04 and CTP05, unit ML). The codes and thresholds are rows of the coding policy, by date of service.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class CodingPolicy:
    """One version of the policy; all times in whole minutes."""

    push_code: str
    # Shorter than this gives no code for the time.
    push_from_min: int
    initial_code: str
    # From this on it is an infusion, no push.
    initial_from_min: int
    # The initial code covers this long.
    initial_covers_min: int
    additional_code: str
    additional_unit_min: int
    # A further unit begins when more than this lies beyond the last full one.
    additional_beyond_min: int
    drug_code: str
    drug_units: Decimal


@dataclass(frozen=True)
class CodedLine:
    """A code with its units, not priced yet; NDC and millilitres on drug lines only."""

    code: str
    units: Decimal
    ndc: str = ""
    product_ml: Decimal | None = None


def billed_minutes(delivering_seconds: int) -> int:
    """Whole minutes in which the pump delivered, rounded down; pauses and keep-vein-open are not in the seconds."""
    return delivering_seconds // 60


def time_lines(minutes: int, policy: CodingPolicy) -> list[CodedLine]:
    """The codes of the time: none, a push, or an infusion with its further hours."""
    if minutes < policy.push_from_min:
        return []
    if minutes < policy.initial_from_min:
        return [CodedLine(policy.push_code, Decimal(1))]
    lines = [CodedLine(policy.initial_code, Decimal(1))]
    beyond = minutes - policy.initial_covers_min
    # More than 30 beyond counts: (90 - 60 + 29) // 60 is 0, (91 - 60 + 29) // 60 is 1.
    carry = policy.additional_unit_min - policy.additional_beyond_min - 1
    further = (beyond + carry) // policy.additional_unit_min if beyond > 0 else 0
    if further:
        lines.append(CodedLine(policy.additional_code, Decimal(further)))
    return lines


def drug_line(delivered_mg: Decimal, vial_mg_per_ml: Decimal, ndc: str, policy: CodingPolicy) -> CodedLine:
    """The line of the drug: what was given, as millilitres of the vial product, two decimals half up."""
    product_ml = (delivered_mg / vial_mg_per_ml).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
    return CodedLine(policy.drug_code, policy.drug_units, ndc, product_ml)
