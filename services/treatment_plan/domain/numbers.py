"""Exact decimal arithmetic, and numbers as text.

Inputs have at most 15 significant digits, so that 60 digits hold every sum and product of the dose chain without rounding. The default
context of 28 digits would round a weight times a dose of six decimals each without a word.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from re import fullmatch

from chassis.errors import InvalidArgument
from chassis.values import decimal_of, decimal_text

EXACT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])
ZERO = Decimal(0)
TENTH = Decimal("0.1")


def number_of(text: str, field: str) -> Decimal:
    """A number that is not negative, of at most nine digits and six decimals. InvalidArgument naming `field` otherwise."""
    if not fullmatch(r"[0-9]{1,9}([.][0-9]{1,6})?", text):
        raise InvalidArgument(field, "must be a plain decimal number, at most nine digits and six decimals")
    return decimal_of(text, field)


def multiply(*factors: Decimal) -> Decimal:
    """The exact product."""
    product = Decimal(1)
    for factor in factors:
        product = EXACT.multiply(product, factor)
    return product


def total(*terms: Decimal) -> Decimal:
    """The exact sum."""
    result = ZERO
    for term in terms:
        result = EXACT.add(result, term)
    return result


def difference(minuend: Decimal, *subtrahends: Decimal) -> Decimal:
    """The first number less all others, exactly."""
    for subtrahend in subtrahends:
        minuend = EXACT.subtract(minuend, subtrahend)
    return minuend


def divide(dividend: Decimal, divisor: Decimal) -> Decimal:
    """The quotient to 60 digits: finer than any bound that it is compared with."""
    return EXACT.divide(dividend, divisor)


def tenths_down(dividend: Decimal, divisor: Decimal) -> Decimal:
    """dividend / divisor, both not negative, rounded down to one decimal. The quotient is never rounded first."""
    tenths = EXACT.divide_int(multiply(dividend, Decimal(10)), divisor)
    return multiply(tenths, TENTH).quantize(TENTH)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """To so many decimals, half up. For showing only; never for a number that a pump is given."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=EXACT)


def rounded_down(value: Decimal, decimals: int) -> Decimal:
    """To so many decimals, towards 0: what is kept is never more than what was ordered."""
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN, context=EXACT)


def plain(value: Decimal) -> str:
    """The shortest plain text of an exact number: '40' for 40.000, '36.65' for 36.6500."""
    text = decimal_text(value)
    return text.rstrip("0").rstrip(".") if "." in text else text
