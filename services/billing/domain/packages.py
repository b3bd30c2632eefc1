"""Packages of sessions: what each session earns of the price, and what is given back at the end.

Source: deferred revenue is earned as each session is given (FASB ASC 606-10-25-27); validity and shares of refund are policy.
"""

from decimal import ROUND_DOWN, Decimal

from billing.domain.money import CENT, to_cents

_PERCENT = Decimal(100)


def earned_usd(price_usd: Decimal, session_count: int, ordinal: int) -> Decimal:
    """What the session of this ordinal (from 1) earns: whole cents, and all of them together exactly the price."""
    return _earned_by(price_usd, session_count, ordinal) - _earned_by(price_usd, session_count, ordinal - 1)


def deferred_usd(price_usd: Decimal, session_count: int, drawn_count: int) -> Decimal:
    """What is not earned yet after so many sessions."""
    return price_usd - _earned_by(price_usd, session_count, drawn_count)


def refund_usd(deferred: Decimal, share_percent: Decimal) -> Decimal:
    """What is given back of the unused part, whole cents half up; the rest stays with the clinic."""
    return to_cents(deferred * share_percent / _PERCENT)


def _earned_by(price_usd: Decimal, session_count: int, drawn_count: int) -> Decimal:
    # Rounded down, so that no cent is earned before its session; at the last one nothing is left.
    return (price_usd * drawn_count / session_count).quantize(CENT, rounding=ROUND_DOWN)
