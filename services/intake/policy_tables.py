"""Policy data: what a medical director signs. Rows are effective-dated and never changed: one is closed and another begins.

`status` says whether somebody has signed a row: what ships says "default, to be reviewed". `source` names the published source.
"""

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, Integer, Numeric, PrimaryKeyConstraint, Table, Text

from intake.tables import metadata


def in_effect() -> tuple[Column[Any], ...]:
    """From when to when a row holds, where it comes from, and whether it was reviewed."""
    return (
        Column("effective_from", DateTime(timezone=True), nullable=False),
        Column("effective_until", DateTime(timezone=True), nullable=True),
        Column("source", Text, nullable=False),
        Column("status", Text, nullable=False),
    )


# Single numbers by code; the unit is in the code ("flag.review.days").
policy_value = Table(
    "policy_value",
    metadata,
    Column("code", Text, nullable=False),
    Column("value", Numeric(12, 4), nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("code", "effective_from", name="policy_value_pk"),
)

# `due_minutes` null: due at the end of the same day at the site.
flag_policy = Table(
    "flag_policy",
    metadata,
    Column("reason_code", Text, nullable=False),
    Column("blocks", Boolean, nullable=False),
    Column("due_minutes", Integer, nullable=True),
    *in_effect(),
    PrimaryKeyConstraint("reason_code", "effective_from", name="flag_policy_pk"),
)

# A code group is an ICD-10-CM code or the beginning of one.
diagnosis_group = Table(
    "diagnosis_group",
    metadata,
    Column("indication", Text, nullable=False),
    Column("code_group", Text, nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("indication", "code_group", "effective_from", name="diagnosis_group_pk"),
)

contraindication = Table(
    "contraindication",
    metadata,
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("code", "effective_from", name="contraindication_pk"),
    CheckConstraint("level IN ('block', 'review')", name="contraindication_level"),
)

# Which rules a gate looks at, in which order.
gate_rule = Table(
    "gate_rule",
    metadata,
    Column("gate", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("level", Text, nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("gate", "code", "effective_from", name="gate_rule_pk"),
    CheckConstraint("gate IN ('clearance', 'start')", name="gate_rule_gate"),
    CheckConstraint("level IN ('block', 'review')", name="gate_rule_level"),
)
