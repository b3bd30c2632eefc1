"""What the tables of billing share. Each module of tables adds its own to `metadata`."""

from collections.abc import Iterable

from sqlalchemy import DateTime, MetaData, Numeric

metadata = MetaData()
TIME = DateTime(timezone=True)
# Whole cents. Unit prices and quantities keep the digits that they were written with.
USD = Numeric(14, 2)


def one_of(column: str, allowed: Iterable[str]) -> str:
    """The text of a CHECK: the column holds one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in allowed)})"
