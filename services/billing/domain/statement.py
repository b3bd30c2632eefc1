"""The sums of a statement: what each kind of ledger transaction is to the person. US dollars in whole cents.

A statement is the ledger read from the person's side: what they owe (accounts_receivable) less their credit (customer_credit).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billing.domain import words
from billing.domain.money import total

# Of the accounts, those whose balance is the person's.
THEIRS = (words.RECEIVABLE, words.CREDIT)
# What only moves within them, or is nobody's debt, is on no statement.
UNTOLD = (words.CREDIT_USE, words.REJECTION)


@dataclass(frozen=True)
class Sums:
    """The four sums that join the opening and the closing balance."""

    charges_usd: Decimal
    payments_usd: Decimal
    refunds_usd: Decimal
    adjustments_usd: Decimal


def sums_of(effects: Iterable[tuple[str, Decimal]]) -> Sums:
    """Sums of (kind of transaction, effect on the balance). Payments and adjustments are told as positive amounts that take off."""
    found = list(effects)

    def of(*kinds: str) -> Decimal:
        return total(amount for kind, amount in found if kind in kinds)

    return Sums(
        charges_usd=of(words.CHARGE),
        payments_usd=total([-of(words.PAYMENT)]),
        refunds_usd=of(words.REFUND),
        adjustments_usd=total([-of(words.ADJUSTMENT, words.VOID, words.PACKAGE_DRAW)]),
    )
