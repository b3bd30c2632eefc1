"""The kinds of column that the tables of treatment plan are made of, and the metadata they stand in."""

from typing import Any

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData, Numeric, Text, Uuid

metadata = MetaData()

# The product of two inputs of six decimals each.
EXACT = Numeric(30, 12)
# Rounded down to 0.1: rate and volume to be infused.
TENTHS = Numeric(12, 1)
# A vital sign.
VITAL = Numeric(6, 2)


def identifier(name: str) -> Column[Any]:
    """An opaque id."""
    return Column(name, Uuid, nullable=False)


def moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """Clinic time, in UTC."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def exact(name: str, *, nullable: bool = False) -> Column[Any]:
    """A dose, volume, weight or concentration, never rounded."""
    return Column(name, EXACT, nullable=nullable)


def code(name: str, *, nullable: bool = False) -> Column[Any]:
    """A stable code."""
    return Column(name, Text, nullable=nullable)


def dose_rate_check(table: str) -> CheckConstraint:
    """A dose ordered as a rate has a number and its unit, or neither."""
    return CheckConstraint(
        "(dose_rate IS NULL) = (dose_rate_unit IS NULL)"
        " AND (dose_rate_unit IS NULL OR dose_rate_unit IN ('mg/kg/h', 'mg/h'))",
        name=f"{table}_dose_rate",
    )
