"""Soft and hard limits of a drug library.

A soft limit is passed with a reason. A hard limit refuses, whoever asks. The numbers are policy rows; this knows only how they are
compared. Every bound may be met: only beyond it is passed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from chassis.errors import FailedPrecondition, Finding, InvalidArgument
from treatment_plan.domain.dose import Dose, DoseOrder
from treatment_plan.domain.numbers import divide, multiply, plain, rounded

Severity = Literal["soft", "hard"]
CONCENTRATION = "concentration_mg_per_ml"
WEIGHT = "weight_kg"
# The field of a request that a broken limit is about. A dose rate and a total have no field of their own.
FIELD_OF = {CONCENTRATION: CONCENTRATION, WEIGHT: WEIGHT, "duration_min": "duration_min"}


@dataclass(frozen=True)
class Limit:
    """The bounds of one measure; None leaves that side open."""

    limit_code: str
    severity: Severity
    lower: Decimal | None
    upper: Decimal | None


@dataclass(frozen=True)
class Library:
    """A drug library: which bags there are, and what is usual and allowed."""

    library_code: str
    concentrations_mg_per_ml: tuple[Decimal, ...]
    limits: tuple[Limit, ...]


@dataclass(frozen=True)
class LimitFinding:
    """A limit that was passed. `value` and `bound` are plain text in the limit's own unit."""

    limit_code: str
    severity: Severity
    value: str
    bound: str


def measures(order: DoseOrder, dose: Dose, measured_kg: Decimal | None = None) -> dict[str, Decimal]:
    """Every number that a limit may be set for. Rounding is always down, so that the ordered numbers are the larger ones.

    The weight is the measured one: a dosing weight that policy made smaller does not bring a person within the range.
    """
    return {
        WEIGHT: order.weight_kg if measured_kg is None else measured_kg,
        "dose_mg_per_kg": order.total_mg_per_kg,
        "duration_min": Decimal(order.duration_min),
        "rate_mg_per_kg_per_min": order.rate_mg_per_kg_per_min,
        "rate_mg_per_kg_per_h": order.rate_mg_per_kg_per_h,
        "absolute_dose_mg": dose.ordered_mg,
        "rate_ml_per_h": dose.programme.rate_ml_per_h,
    }


def findings(library: Library, order: DoseOrder, dose: Dose, measured_kg: Decimal | None = None) -> list[LimitFinding]:
    """Every limit passed, hard ones first, then by code."""
    values = measures(order, dose, measured_kg)
    found = [
        LimitFinding(limit.limit_code, limit.severity, plain(rounded(values[limit.limit_code], 6)), plain(bound))
        for limit in library.limits
        if (bound := passed_bound(limit, values[limit.limit_code])) is not None
    ]
    if order.concentration_mg_per_ml not in library.concentrations_mg_per_ml:
        entries = ", ".join(plain(entry) for entry in sorted(library.concentrations_mg_per_ml))
        found.append(LimitFinding(CONCENTRATION, "hard", plain(order.concentration_mg_per_ml), entries))
    return sorted(found, key=lambda finding: (finding.severity, finding.limit_code))


def passed_bound(limit: Limit, value: Decimal) -> Decimal | None:
    """The bound that `value` is beyond, or None."""
    if limit.lower is not None and value < limit.lower:
        return limit.lower
    if limit.upper is not None and value > limit.upper:
        return limit.upper
    return None


def largest_mg_per_kg(library: Library, weight_kg: Decimal, duration_min: int) -> Decimal | None:
    """The largest dose inside every soft and hard limit by weight, by rate and of the absolute dose; None without any."""
    minutes = Decimal(duration_min)
    factors = {
        "dose_mg_per_kg": Decimal(1),
        "absolute_dose_mg": Decimal(1),
        "rate_mg_per_kg_per_min": minutes,
        "rate_mg_per_kg_per_h": divide(minutes, Decimal(60)),
    }
    bounds = [
        divide(limit.upper, weight_kg) if limit.limit_code == "absolute_dose_mg" else multiply(limit.upper, factor)
        for limit in library.limits
        if limit.upper is not None and (factor := factors.get(limit.limit_code)) is not None
    ]
    return min(bounds, default=None)


def refuse_beyond(found: Sequence[LimitFinding], soft_limit_reason_code: str) -> None:
    """Refuse what the limits do not allow.

    InvalidArgument for a weight or concentration out of the library, FailedPrecondition HARD_LIMIT for any other hard limit, and
    SOFT_LIMIT_REASON_REQUIRED for a soft one without a reason. Each names every limit by code; no value, as values are clinical.
    """
    hard = _codes(found, "hard")
    if hard:
        details = [
            Finding(FIELD_OF.get(code, "dose_mg_per_kg"), f"must stay within the hard limit {code}") for code in hard
        ]
        rule = f"must stay within the hard limits, which nobody can override: {', '.join(hard)}"
        for code in (WEIGHT, CONCENTRATION):
            if code in hard:
                raise InvalidArgument(code, rule, reason="HARD_LIMIT", findings=details, limits=",".join(hard))
        raise FailedPrecondition(
            "HARD_LIMIT", field=details[0].field, rule=rule, findings=details, limits=",".join(hard)
        )
    soft = _codes(found, "soft")
    if soft and not soft_limit_reason_code:
        rule = f"a reason is needed to pass the soft limits: {', '.join(soft)}"
        details = [
            Finding("soft_limit_reason_code", f"a reason is needed to pass the soft limit {code}") for code in soft
        ]
        raise FailedPrecondition(
            "SOFT_LIMIT_REASON_REQUIRED",
            field="soft_limit_reason_code",
            rule=rule,
            findings=details,
            limits=",".join(soft),
        )


def _codes(found: Iterable[LimitFinding], severity: Severity) -> list[str]:
    return sorted({finding.limit_code for finding in found if finding.severity == severity})
