"""What the tables of scheduling have in common."""

from sqlalchemy import DateTime, MetaData

metadata = MetaData()
TIME = DateTime(timezone=True)


def one_of(column: str, allowed: tuple[str, ...]) -> str:
    """The SQL of a check that a column has one of these words."""
    return f"{column} IN ({', '.join(repr(word) for word in allowed)})"
