"""From the facts of a closed session to a charge set: charged, held with a reason, or nothing to charge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from billing.domain import words
from billing.domain.coding import CodedLine, CodingPolicy, billed_minutes, drug_line, time_lines, waste_line
from billing.domain.money import ZERO_USD, to_cents, total
from billing.domain.ndc import eleven_digits

# Dollars a unit by code; None when no price list was in force on the day.
Prices = Mapping[str, Decimal] | None


@dataclass(frozen=True)
class SessionFacts:
    """What SessionClosed says, as it says it; `service_date` is the day of the start on the site's wall.

    `reviewed`: a person has looked at a held set. `reviewed_seconds`: the time of delivery that they established, if they had to.
    """

    service_date: date | None
    stopped: bool
    delivering_seconds: int
    delivered_mg: str
    vial_mg_per_ml: str
    ndc: str
    paused_seconds: int = 0
    wasted_mg: str = ""
    discrepancy: bool = False
    reviewed: bool = False
    reviewed_seconds: int | None = None


@dataclass(frozen=True)
class PricedLine:
    """A line of a charge set in dollars; `unit_price_usd` as the list writes it, `amount_usd` in whole cents."""

    line: CodedLine
    unit_price_usd: Decimal
    amount_usd: Decimal
    note_code: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a service comes to. A held one has a reason and no lines: nothing of it is on the ledger."""

    state: str
    hold_reason_code: str = ""
    lines: Sequence[PricedLine] = ()
    # Why there is nothing to charge.
    note_code: str = ""

    @property
    def total_usd(self) -> Decimal:
        """The sum of the lines."""
        return total(priced.amount_usd for priced in self.lines)


class Held(Exception):
    """The service cannot be charged for certain; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def charge(facts: SessionFacts, policy: CodingPolicy | None, prices: Prices, discrepancy_holds: bool) -> Outcome:
    """The charge set of a session. `discrepancy_holds`: the policy of a pump whose volume and rate times time disagree."""
    try:
        lines = coded_lines(facts, policy)
        if facts.discrepancy and discrepancy_holds and not facts.reviewed:
            raise Held(words.DISCREPANCY)
        if not lines:
            return Outcome(words.NOTHING)
        return Outcome(words.CHARGED, lines=priced_lines(lines, prices))
    except Held as held:
        return Outcome(words.HELD, held.reason)


def coded_lines(facts: SessionFacts, policy: CodingPolicy | None) -> list[CodedLine]:
    """The codes of a session. Held when a fact that they rest on is missing or is not what it should be."""
    if facts.service_date is None:
        raise Held(words.NO_START_TIME)
    if not facts.stopped and facts.reviewed_seconds is None:
        raise Held(words.NO_STOP_TIME)
    if policy is None:
        raise Held(words.NO_CODE_POLICY)
    seconds = facts.delivering_seconds if facts.reviewed_seconds is None else facts.reviewed_seconds
    if seconds < 0 or facts.paused_seconds < 0:
        raise Held(words.BAD_DELIVERING_TIME)
    delivered_mg = decimal_or_none(facts.delivered_mg)
    if delivered_mg is None or delivered_mg < 0:
        raise Held(words.BAD_DELIVERED_MG)
    lines = time_lines(billed_minutes(seconds, facts.paused_seconds, policy), policy)
    if delivered_mg > 0:
        lines += _drug(delivered_mg, facts, policy)
    return lines


def _drug(delivered_mg: Decimal, facts: SessionFacts, policy: CodingPolicy) -> list[CodedLine]:
    vial_mg_per_ml = decimal_or_none(facts.vial_mg_per_ml)
    if vial_mg_per_ml is None or vial_mg_per_ml <= 0:
        raise Held(words.BAD_VIAL_CONCENTRATION)
    ndc = eleven_digits(facts.ndc)
    if ndc is None:
        raise Held(words.BAD_NDC)
    lines = [drug_line(delivered_mg, vial_mg_per_ml, ndc, policy)]
    wasted_mg = decimal_or_none(facts.wasted_mg)
    if wasted_mg is not None and wasted_mg > 0:
        lines.append(waste_line(wasted_mg, vial_mg_per_ml, ndc, policy))
    return lines


def priced_lines(lines: Sequence[CodedLine], prices: Prices) -> list[PricedLine]:
    """The lines in dollars. Held when a needed code has no price; an optional one is kept at 0.00 with a note."""
    if prices is None:
        raise Held(words.NO_PRICE_LIST)
    if any(line.price_code not in prices and not line.optional for line in lines):
        raise Held(words.NO_PRICE)
    return [_priced(line, prices.get(line.price_code)) for line in lines]


def _priced(line: CodedLine, unit_price_usd: Decimal | None) -> PricedLine:
    if unit_price_usd is None:
        return PricedLine(line, ZERO_USD, ZERO_USD, words.NO_PRICE)
    return PricedLine(line, unit_price_usd, to_cents(line.units * unit_price_usd))


def decimal_or_none(text: str) -> Decimal | None:
    """The finite decimal that the text writes, if it does."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
