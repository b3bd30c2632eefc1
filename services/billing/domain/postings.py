"""Ledger entries: what is debited and what is credited. Debits are positive, credits negative; each posting sums to zero."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from billing.domain import words
from billing.domain.charging import PricedLine
from billing.domain.money import ZERO_USD

Entries = dict[str, Decimal]


def charge_entries(lines: Iterable[PricedLine]) -> Entries:
    """A charge debits what the person owes and credits revenue by code. Empty when everything is free of charge."""
    entries: dict[str, Decimal] = defaultdict(lambda: ZERO_USD)
    for priced in lines:
        entries[f"{words.REVENUE_PREFIX}{priced.line.code}"] -= priced.amount_usd
        entries[words.RECEIVABLE] += priced.amount_usd
    return {account: amount for account, amount in entries.items() if amount}


def payment_entries(amount_usd: Decimal) -> Entries:
    """A payment debits cash and credits what the person owed."""
    return {words.CASH: amount_usd, words.RECEIVABLE: -amount_usd}
