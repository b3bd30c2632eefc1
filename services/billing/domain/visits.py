"""Evaluation and management visits and completed instruments: charged by code, beside the infusion.

Sources: AMA CPT 99202 to 99215, evaluation and management in the office, with modifier 25 where the same person has a procedure on the
same day; CPT 96127, brief emotional or behavioural assessment, one unit for each standardized instrument. How many units a day are
charged, which instruments count and which codes must have a price are rows of the policy.
"""

from dataclasses import dataclass
from decimal import Decimal

from billing.domain import words
from billing.domain.charging import Held, Outcome, Prices, priced_lines
from billing.domain.coding import CodedLine


@dataclass(frozen=True)
class EvaluationRule:
    """The policy of an evaluation code. Without a price it is held where `needs_price`, else it charges nothing."""

    cpt_code: str
    needs_price: bool


@dataclass(frozen=True)
class AssessmentRule:
    """The policy of an instrument: its code, and whether it is charged at all."""

    code: str
    billable: bool


@dataclass(frozen=True)
class ChargedThatDay:
    """What was charged of the same person, site and day before: how many units, and whether this instrument was among them."""

    units: int
    same_instrument: bool


def charge_evaluation(rule: EvaluationRule | None, prices: Prices) -> Outcome:
    """One line of the evaluation's code. A code that the policy does not know is held."""
    if rule is None:
        return Outcome(words.HELD, words.BAD_CODE)
    return _one_line(CodedLine(rule.cpt_code, Decimal(1), optional=not rule.needs_price), prices)


def charge_assessment(
    rule: AssessmentRule | None, earlier: ChargedThatDay, daily_unit_cap: Decimal, prices: Prices
) -> Outcome:
    """One unit for an instrument, once a day for each, up to the cap. In whatever order they come, as many are charged."""
    if rule is None or not rule.billable:
        return Outcome(words.NOTHING, note_code=words.NOT_BILLABLE)
    if earlier.same_instrument:
        return Outcome(words.NOTHING, note_code=words.REPEATED)
    if earlier.units + 1 > daily_unit_cap:
        return Outcome(words.NOTHING, note_code=words.CAP_REACHED)
    return _one_line(CodedLine(rule.code, Decimal(1), optional=True), prices)


def _one_line(line: CodedLine, prices: Prices) -> Outcome:
    if line.optional and (prices is None or line.price_code not in prices):
        return Outcome(words.NOTHING, note_code=words.NO_PRICE)
    try:
        return Outcome(words.CHARGED, lines=priced_lines([line], prices))
    except Held as held:
        return Outcome(words.HELD, held.reason)


def evaluation_modifier(infusion_that_day: bool) -> str:
    """25 where the person also had an infusion at the site on that day: the evaluation was a service of its own."""
    return words.SEPARATE_EVALUATION if infusion_that_day else ""
