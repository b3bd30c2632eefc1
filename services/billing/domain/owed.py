"""What is owed on an invoice, and how money in and out divides between it and the person's credit. US dollars in whole cents."""

from dataclasses import dataclass
from decimal import Decimal

from billing.domain.money import ZERO_USD


@dataclass(frozen=True)
class InvoiceMoney:
    """An invoice's amounts. `adjusted_usd` is what credit notes, write-offs and discounts took off; `paid_usd` what is still on it."""

    total_usd: Decimal
    adjusted_usd: Decimal = ZERO_USD
    paid_usd: Decimal = ZERO_USD

    @property
    def due_usd(self) -> Decimal:
        """What is still to pay; never below zero."""
        return self.total_usd - self.adjusted_usd - self.paid_usd


def excess_usd(amount_usd: Decimal, due_usd: Decimal) -> Decimal:
    """The part of an amount that is beyond what is due."""
    return max(amount_usd - due_usd, ZERO_USD)


def refundable_usd(left_of_payment_usd: Decimal, credit_usd: Decimal, on_invoice_usd: Decimal) -> Decimal:
    """The most that can be given back of a payment: never more than is left of it, of the credit, and of what its invoice still holds."""
    return min(left_of_payment_usd, credit_usd + on_invoice_usd)


def from_credit_usd(amount_usd: Decimal, credit_usd: Decimal) -> Decimal:
    """A refund takes the person's credit first; only the rest makes an invoice due again."""
    return min(amount_usd, credit_usd)
