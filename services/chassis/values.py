"""Exact values: decimals as text, UTC times, wall dates of a site."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import InvalidArgument


def decimal_of(text: str, field: str) -> Decimal:
    """The decimal that `text` writes. InvalidArgument naming `field` when it is none, or not finite."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise InvalidArgument(field, "must be a decimal number such as 0.5") from None
    if not value.is_finite():
        raise InvalidArgument(field, "must be a finite decimal number")
    return value


def decimal_text(value: Decimal) -> str:
    """Plain digits, never an exponent: Decimal('4E+1') is '40'."""
    return format(value, "f")


def to_timestamp(moment: datetime) -> Timestamp:
    """Protobuf time of an aware datetime."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def from_timestamp(stamp: Timestamp) -> datetime:
    """Aware datetime (UTC) of a protobuf time; microseconds, what is finer is cut."""
    return stamp.ToDatetime(tzinfo=UTC)


def site_date(moment: datetime, time_zone: str) -> date:
    """The calendar day of a moment on the site's wall."""
    return moment.astimezone(ZoneInfo(time_zone)).date()
