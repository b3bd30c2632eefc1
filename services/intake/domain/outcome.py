"""What a total shows against the baseline of its series, in whole sums and exact fractions.

Response and remission: Kroenke 2001 and the rules of each instrument. Reliable change and clinically significant change: Jacobson and
Truax 1991 (J Consult Clin Psychol 59:12), with the numbers of the instrument (PCL-5: Marx 2022, Psychol Assess 34:197). In every
instrument here a lower total is better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

RESPONSE = "response"
REMISSION = "remission"
RELIABLE_CHANGE = "reliable_change"
CLINICALLY_SIGNIFICANT = "clinically_significant"

WHOLE = 100


@dataclass(frozen=True)
class Outcome:
    """`improvement_percent`: one decimal, rounded half up, negative when worse; None where the baseline is 0."""

    improvement_percent: Decimal | None
    codes: tuple[str, ...]


def judge(rules: Mapping[str, Decimal], baseline: int, total: int) -> Outcome:
    """The outcomes that the rules of a form know. A rule that is not there gives no code."""
    gain = baseline - total
    reliable = _at_least(gain, rules.get("reliable_change.points"))
    found = (
        (RESPONSE, baseline > 0 and _at_least(gain * WHOLE, _part(rules.get("response.percent"), baseline))),
        # Whoever was never above it cannot come down to it.
        (REMISSION, _comes_to(baseline, total, rules.get("remission.total"))),
        (RELIABLE_CHANGE, reliable),
        (CLINICALLY_SIGNIFICANT, reliable and _at_most(total, rules.get("clinically_significant.total"))),
    )
    return Outcome(improvement_percent(baseline, total), tuple(code for code, met in found if met))


def improvement_percent(baseline: int, total: int) -> Decimal | None:
    """(baseline - total) / baseline x 100, one decimal, rounded half up: what is shown. Thresholds are judged on the whole fraction."""
    if baseline == 0:
        return None
    return (Decimal(WHOLE * (baseline - total)) / baseline).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _part(percent: Decimal | None, baseline: int) -> Decimal | None:
    return None if percent is None else percent * baseline


def _at_least(value: int, least: Decimal | None) -> bool:
    return least is not None and value >= least


def _at_most(value: int, most: Decimal | None) -> bool:
    return most is not None and value <= most


def _comes_to(baseline: int, total: int, most: Decimal | None) -> bool:
    return most is not None and total <= most < baseline
