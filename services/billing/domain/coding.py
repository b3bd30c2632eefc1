"""Which codes a session gives, and how many units of each.

Source: AMA CPT, intravenous infusion and push. 96374 is a push or an infusion of up to 15 minutes; 96365 the first hour
of an infusion (16 to 90 minutes); 96366 each further hour, counted when more than 30 minutes lie beyond the last one.
HCPCS J3490 is an unclassified drug, billed as one unit with its NDC and the millilitres of the vial product (X12 837,
CTP04 and CTP05, unit ML). What was discarded of a vial is a line of its own with modifier JW (CMS, Claims Processing Manual,
chapter 17, section 40), never mixed with what was given. The codes and thresholds are rows of the coding policy, by date of
service.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from billing.domain import words

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
    # SV104, whatever the amount of drug: the payer wants 1 UN.
    drug_units: Decimal
    # Whether a pause counts as time of the infusion.
    bills_paused_time: bool = False


@dataclass(frozen=True)
class CodedLine:
    """A code with its units, not priced yet; NDC and millilitres on drug lines only.

    An optional line without a price at the site charges nothing and says so; another one holds the whole set.
    """

    code: str
    units: Decimal
    ndc: str = ""
    product_ml: Decimal | None = None
    modifier: str = ""
    optional: bool = False

    @property
    def price_code(self) -> str:
        """As the price list and the ledger name it: "J3490", "J3490-JW"."""
        return f"{self.code}-{self.modifier}" if self.modifier else self.code


def billed_minutes(delivering_seconds: int, paused_seconds: int, policy: CodingPolicy) -> int:
    """Whole minutes in which the pump delivered, rounded down. Keep-vein-open is in neither; pauses count by policy."""
    return (delivering_seconds + (paused_seconds if policy.bills_paused_time else 0)) // 60


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
    return CodedLine(policy.drug_code, policy.drug_units, ndc, product_ml(delivered_mg, vial_mg_per_ml))


def waste_line(wasted_mg: Decimal, vial_mg_per_ml: Decimal, ndc: str, policy: CodingPolicy) -> CodedLine:
    """The line of what was discarded. Optional: most sites charge nothing for it, and it is on record all the same."""
    millilitres = product_ml(wasted_mg, vial_mg_per_ml)
    return CodedLine(policy.drug_code, policy.drug_units, ndc, millilitres, words.DISCARDED_DRUG, optional=True)


def product_ml(mg: Decimal, vial_mg_per_ml: Decimal) -> Decimal:
    """Milligrams of drug as millilitres of the vial product, two decimals half up."""
    return (mg / vial_mg_per_ml).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
