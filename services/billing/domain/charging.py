"""From the facts of a closed session to a charge set: charged, held with a reason, or nothing to charge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from billing.domain import words
from billing.domain.coding import CodedLine, CodingPolicy, billed_minutes, drug_line, time_lines
from billing.domain.money import to_cents, total
from billing.domain.ndc import eleven_digits


@dataclass(frozen=True)
class SessionFacts:
    """What SessionClosed says, as it says it; `service_date` is the day of the start on the site's wall."""

    service_date: date | None
    stopped: bool
    delivering_seconds: int
    delivered_mg: str
    vial_mg_per_ml: str
    ndc: str


@dataclass(frozen=True)
class PricedLine:
    """A line of a charge set in dollars; `unit_price_usd` as the list writes it, `amount_usd` in whole cents."""

    line: CodedLine
    unit_price_usd: Decimal
    amount_usd: Decimal


@dataclass(frozen=True)
class Outcome:
    """What a session comes to. A held one has a reason and no lines: nothing of it is on the ledger."""

    state: str
    hold_reason_code: str = ""
    lines: Sequence[PricedLine] = ()

    @property
    def total_usd(self) -> Decimal:
        """The sum of the lines."""
        return total(priced.amount_usd for priced in self.lines)


class Held(Exception):
    """The session cannot be charged for certain; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def charge(facts: SessionFacts, policy: CodingPolicy | None, prices: Mapping[str, Decimal] | None) -> Outcome:
    """The charge set of a session. `prices` are dollars a unit by code, None when no list was in force on the day."""
    try:
        lines = coded_lines(facts, policy)
        if not lines:
            return Outcome(words.NOTHING)
        return Outcome(words.CHARGED, lines=_priced(lines, prices))
    except Held as held:
        return Outcome(words.HELD, held.reason)


def coded_lines(facts: SessionFacts, policy: CodingPolicy | None) -> list[CodedLine]:
    """The codes of a session. Held when a fact that they rest on is missing or is not what it should be."""
    if facts.service_date is None:
        raise Held(words.NO_START_TIME)
    if not facts.stopped:
        raise Held(words.NO_STOP_TIME)
    if policy is None:
        raise Held(words.NO_CODE_POLICY)
    if facts.delivering_seconds < 0:
        raise Held(words.BAD_DELIVERING_TIME)
    delivered_mg = _decimal(facts.delivered_mg)
    if delivered_mg is None or delivered_mg < 0:
        raise Held(words.BAD_DELIVERED_MG)
    lines = time_lines(billed_minutes(facts.delivering_seconds), policy)
    if delivered_mg > 0:
        lines.append(_drug(delivered_mg, facts, policy))
    return lines


def _drug(delivered_mg: Decimal, facts: SessionFacts, policy: CodingPolicy) -> CodedLine:
    vial_mg_per_ml = _decimal(facts.vial_mg_per_ml)
    if vial_mg_per_ml is None or vial_mg_per_ml <= 0:
        raise Held(words.BAD_VIAL_CONCENTRATION)
    ndc = eleven_digits(facts.ndc)
    if ndc is None:
        raise Held(words.BAD_NDC)
    return drug_line(delivered_mg, vial_mg_per_ml, ndc, policy)


def _priced(lines: Sequence[CodedLine], prices: Mapping[str, Decimal] | None) -> list[PricedLine]:
    if prices is None:
        raise Held(words.NO_PRICE_LIST)
    if any(line.code not in prices for line in lines):
        raise Held(words.NO_PRICE)
    return [PricedLine(line, prices[line.code], to_cents(line.units * prices[line.code])) for line in lines]


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
