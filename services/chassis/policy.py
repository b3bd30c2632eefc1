"""Policy data: the numbers that somebody answers for, as effective-dated rows. One shape in every service.

A policy table has key columns, value columns and `policy_columns()`; its primary key is the key, the scope and `effective_from`. Rows are
never changed: a later row of the same key succeeds an earlier one, or `effective_until` ends it. A row of a site's own goes before one
of the whole network. What ships is marked "default, to be reviewed" until somebody signs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Select,
    Table,
    Text,
    Uuid,
    case,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.errors import FailedPrecondition

NETWORK: Final = "network"
DEFAULT: Final = "default, to be reviewed"
SIGNED: Final = "signed"


@dataclass(frozen=True)
class Policy:
    """A policy table, as ListPolicy and docs/clinical-policy.md show it.

    `units`: by value column, UCUM or a word ("code", "yes/no"). `unit_column`: the column that holds the unit of the row's value instead.
    `publish` is False where a command of the service's own makes new rows.
    """

    table: Table
    keys: tuple[str, ...]
    values: tuple[str, ...]
    title: str
    units: Mapping[str, str] = field(default_factory=dict)
    unit_column: str = ""
    publish: bool = True

    @property
    def name(self) -> str:
        """The policy set: the table's name."""
        return str(self.table.name)

    def unit_of(self, value: str, row: Mapping[Any, Any]) -> str:
        """The unit of a value column in a row."""
        if self.unit_column:
            return str(row[self.unit_column])
        return self.units.get(value, "")


class Executes(Protocol):
    """What reads policy: a unit of work."""

    @property
    def clinic_time(self) -> datetime: ...

    def execute(self, statement: Any, params: Any = None) -> Any: ...


def policy_columns() -> tuple[Any, ...]:
    """For whom and when a row holds, where it comes from, who signed it and when."""
    return (
        Column("scope", Text, nullable=False, server_default=NETWORK),
        Column("effective_from", DateTime(timezone=True), nullable=False),
        Column("effective_until", DateTime(timezone=True), nullable=True),
        Column("source", Text, nullable=False, server_default="house policy"),
        Column("review_state", Text, nullable=False, server_default=DEFAULT),
        Column("signed_by", Uuid, nullable=True),
        Column("signed_at", DateTime(timezone=True), nullable=True),
    )


def policy_number_table(metadata: MetaData, name: str = "policy_number") -> Table:
    """The table of the single numbers of a service, by code."""
    return Table(
        name,
        metadata,
        Column("policy_code", Text, nullable=False),
        Column("value", Numeric(30, 12), nullable=False),
        Column("unit", Text, nullable=False, server_default=""),
        *policy_columns(),
        PrimaryKeyConstraint("policy_code", "scope", "effective_from", name=f"{name}_pk"),
        review_state_check(name),
    )


def review_state_check(table: str) -> CheckConstraint:
    """A row is a default, or somebody signed it."""
    return CheckConstraint(
        f"review_state = '{DEFAULT}' OR (review_state = '{SIGNED}' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)",
        name=f"{table}_review",
    )


def in_force(table: Table, keys: Sequence[str], site_id: str | UUID, at: datetime) -> Select[Any]:
    """The one row in force of each key at a site and time; `site_id` empty: the network's. Add a `where` for the keys wanted."""
    columns = [table.c[name] for name in keys]
    scopes = [NETWORK, str(site_id)] if str(site_id) else [NETWORK]
    until = table.c.effective_until
    return (
        select(table)
        .ext(distinct_on(*columns))
        .where(table.c.scope.in_(scopes), table.c.effective_from <= at, or_(until.is_(None), until > at))
        .order_by(*columns, case((table.c.scope == NETWORK, 1), else_=0), table.c.effective_from.desc())
    )


def number(uow: Executes, table: Table, code: str, site_id: str | UUID, at: datetime | None = None) -> Decimal:
    """One number in force, at the clinic time of the call unless `at` is given. FailedPrecondition POLICY_NOT_IN_FORCE names it."""
    query = in_force(table, ("policy_code",), site_id, at or uow.clinic_time).where(table.c.policy_code == code)
    row = uow.execute(query).one_or_none()
    if row is None:
        raise FailedPrecondition("POLICY_NOT_IN_FORCE", rule=f"the policy {code} must be in force at this time")
    value: Decimal = row.value
    return value


def add_policy_columns(
    operations: Any, table: str, keys: Sequence[str], *, source: str, primary_key: str | None = None
) -> None:
    """In a migration: brings an older policy table to this shape. `operations` is alembic's `op`; rows stay, scope becomes the network.

    `primary_key`: the name of the key that is replaced by keys, scope and effective_from; None where that is its shape already, or stays.
    """
    for column, kind in (
        ("scope", f"text NOT NULL DEFAULT '{NETWORK}'"),
        ("effective_until", "timestamptz"),
        ("source", "text"),
        ("review_state", f"text NOT NULL DEFAULT '{DEFAULT}'"),
        ("signed_by", "uuid"),
        ("signed_at", "timestamptz"),
    ):
        operations.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}")
    operations.execute(f"ALTER TABLE {table} ALTER COLUMN scope SET DEFAULT '{NETWORK}'")
    operations.execute(f"ALTER TABLE {table} ALTER COLUMN review_state SET DEFAULT '{DEFAULT}'")
    operations.execute(f"UPDATE {table} SET source = '{source.replace(chr(39), chr(39) * 2)}' WHERE source IS NULL")
    operations.execute(
        f"ALTER TABLE {table} ALTER COLUMN source SET NOT NULL, ALTER COLUMN source SET DEFAULT 'house policy'"
    )
    if primary_key is not None:
        operations.execute(f"ALTER TABLE {table} DROP CONSTRAINT {primary_key}")
        operations.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {primary_key} PRIMARY KEY ({', '.join((*keys, 'scope', 'effective_from'))})"
        )
    # Who signed an older row did so when it was published.
    operations.execute(
        f"UPDATE {table} SET signed_at = effective_from WHERE review_state = '{SIGNED}' AND signed_at IS NULL"
    )
    operations.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_review")
    operations.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_review CHECK (review_state = '{DEFAULT}'"
        f" OR (review_state = '{SIGNED}' AND signed_by IS NOT NULL AND signed_at IS NOT NULL))"
    )


def add_policy_number_table(operations: Any, name: str = "policy_number") -> None:
    """In a migration: makes the table of `policy_number_table`."""
    operations.execute(
        f"CREATE TABLE {name} (policy_code text NOT NULL, value numeric(30, 12) NOT NULL, unit text NOT NULL DEFAULT '',"
        f" scope text NOT NULL DEFAULT '{NETWORK}', effective_from timestamptz NOT NULL, effective_until timestamptz,"
        f" source text NOT NULL DEFAULT 'house policy', review_state text NOT NULL DEFAULT '{DEFAULT}', signed_by uuid,"
        f" signed_at timestamptz, CONSTRAINT {name}_pk PRIMARY KEY (policy_code, scope, effective_from),"
        f" CONSTRAINT {name}_review CHECK (review_state = '{DEFAULT}'"
        f" OR (review_state = '{SIGNED}' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)))"
    )
