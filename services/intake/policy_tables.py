"""Policy data: what a medical director signs. Rows are effective-dated and never changed: one is closed and another begins.

`review_state` says whether somebody has signed a row: what ships says "default, to be reviewed". `source` names the published source.
"""

from typing import Any

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Integer, PrimaryKeyConstraint, Table, Text

from chassis.policy import DEFAULT, policy_columns, policy_number_table, review_state_check
from intake.tables import metadata


def in_effect() -> tuple[Any, ...]:
    """The columns of every policy table, and `status`, which the first release wrote: `review_state` says it now."""
    return (*policy_columns(), Column("status", Text, nullable=False, server_default=DEFAULT))


# Single numbers by code.
policy_number = policy_number_table(metadata)

# `due_minutes` null: due at the end of the same day at the site. `needs_cssrs`: cleared only after a C-SSRS of that day or later.
flag_policy = Table(
    "flag_policy",
    metadata,
    Column("reason_code", Text, nullable=False),
    Column("blocks", Boolean, nullable=False),
    Column("due_minutes", Integer, nullable=True),
    Column("needs_cssrs", Boolean, nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("reason_code", "scope", "effective_from", name="flag_policy_pk"),
    review_state_check("flag_policy"),
)

# A code group is an ICD-10-CM code or the beginning of one.
diagnosis_group = Table(
    "diagnosis_group",
    metadata,
    Column("indication", Text, nullable=False),
    Column("code_group", Text, nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("indication", "code_group", "scope", "effective_from", name="diagnosis_group_pk"),
    review_state_check("diagnosis_group"),
)

# A yes blocks, asks for a reviewer's decision, or gives advice. `may_override`: licence types that may let a yes pass with a reason.
contraindication = Table(
    "contraindication",
    metadata,
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("asked_of", Text, nullable=False),
    Column("may_override", ARRAY(Text), nullable=False),
    Column("monitoring_codes", ARRAY(Text), nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("code", "scope", "effective_from", name="contraindication_pk"),
    review_state_check("contraindication"),
    CheckConstraint("level IN ('block', 'review', 'warn')", name="contraindication_level"),
    CheckConstraint("asked_of IN ('everyone', 'can_be_pregnant')", name="contraindication_asked_of"),
)

# Which rules a gate looks at, in which order.
gate_rule = Table(
    "gate_rule",
    metadata,
    Column("gate", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("level", Text, nullable=False),
    Column("may_override", ARRAY(Text), nullable=False),
    *in_effect(),
    PrimaryKeyConstraint("gate", "code", "scope", "effective_from", name="gate_rule_pk"),
    review_state_check("gate_rule"),
    CheckConstraint("gate IN ('clearance', 'start')", name="gate_rule_gate"),
    CheckConstraint("level IN ('block', 'review', 'warn')", name="gate_rule_level"),
)
