"""Ledger entries: what is debited and what is credited. Debits are positive, credits negative; each posting sums to zero."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from billing.domain import words
from billing.domain.charging import PricedLine
from billing.domain.money import ZERO_USD

Entries = dict[str, Decimal]


def charge_entries(lines: Iterable[PricedLine]) -> Entries:
    """A charge debits what the person owes and credits revenue by code. Empty when everything is free of charge."""
    entries: dict[str, Decimal] = defaultdict(lambda: ZERO_USD)
    for priced in lines:
        entries[f"{words.REVENUE_PREFIX}{priced.line.price_code}"] -= priced.amount_usd
        entries[words.RECEIVABLE] += priced.amount_usd
    return _kept(entries)


def rejection_entries(lines: Iterable[PricedLine]) -> Entries:
    """What would have been charged and never is: revenue, and an adjustment that takes it off again. Nobody owes it."""
    entries = charge_entries(lines)
    owed = entries.pop(words.RECEIVABLE, ZERO_USD)
    return _kept(entries | {f"{words.ADJUSTMENT_PREFIX}{words.REJECTED}": owed})


def payment_entries(amount_usd: Decimal, credit_usd: Decimal = ZERO_USD) -> Entries:
    """A payment debits cash and credits what the person owed; what is beyond it is credit of the person."""
    return _kept(
        {words.CASH: amount_usd, words.RECEIVABLE: credit_usd - amount_usd, words.CREDIT: -credit_usd},
    )


def refund_entries(amount_usd: Decimal, from_credit_usd: Decimal) -> Entries:
    """A refund credits cash, and debits the person's credit first; the rest is owed again."""
    return _kept(
        {words.CASH: -amount_usd, words.CREDIT: from_credit_usd, words.RECEIVABLE: amount_usd - from_credit_usd}
    )


def credit_use_entries(amount_usd: Decimal) -> Entries:
    """Credit that goes to an invoice."""
    return {words.CREDIT: amount_usd, words.RECEIVABLE: -amount_usd}


def adjustment_entries(kind_code: str, amount_usd: Decimal, to_credit_usd: Decimal) -> Entries:
    """A credit note, write-off or discount takes off what is owed; what was paid of it becomes credit."""
    return _kept(
        {
            f"{words.ADJUSTMENT_PREFIX}{kind_code}": amount_usd,
            words.RECEIVABLE: to_credit_usd - amount_usd,
            words.CREDIT: -to_credit_usd,
        }
    )


def void_entries(paid_usd: Decimal, adjusted_usd: Mapping[str, Decimal]) -> Entries:
    """An invoice taken back: its charges are owed in full, what was paid is credit, its adjustments (by kind) are undone."""
    undone = {f"{words.ADJUSTMENT_PREFIX}{kind}": -amount for kind, amount in adjusted_usd.items()}
    owed = paid_usd + sum(adjusted_usd.values(), ZERO_USD)
    return _kept({words.RECEIVABLE: owed, words.CREDIT: -paid_usd} | undone)


def package_sale_entries(price_usd: Decimal) -> Entries:
    """Money for sessions that are still to be given."""
    return {words.CASH: price_usd, words.DEFERRED: -price_usd}


def package_draw_entries(earned_usd: Decimal, covered_usd: Decimal) -> Entries:
    """A session of a package: its charge is covered, its share of the price earned, the difference is the package's discount."""
    return _kept(
        {
            words.DEFERRED: earned_usd,
            words.RECEIVABLE: -covered_usd,
            words.PACKAGE_DISCOUNT: covered_usd - earned_usd,
        }
    )


def package_refund_entries(deferred_usd: Decimal, refunded_usd: Decimal) -> Entries:
    """The end of a package: nothing is deferred any more; what is not given back stays with the clinic."""
    return _kept({words.DEFERRED: deferred_usd, words.CASH: -refunded_usd, words.BREAKAGE: refunded_usd - deferred_usd})


def _kept(entries: Mapping[str, Decimal]) -> Entries:
    return {account: amount for account, amount in entries.items() if amount}
