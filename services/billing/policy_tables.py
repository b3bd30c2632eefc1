"""Policy data of billing: what is charged by which code, and the numbers that somebody answers for."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from billing.schema import metadata
from chassis.policy import policy_columns, policy_number_table, review_state_check

# Times to codes, by payer: "any" as long as no payer wants its own.
coding_policy = Table(
    "coding_policy",
    metadata,
    Column("payer_code", Text, nullable=False, server_default="any"),
    Column("push_code", Text, nullable=False),
    Column("push_from_min", Integer, nullable=False),
    Column("initial_code", Text, nullable=False),
    Column("initial_from_min", Integer, nullable=False),
    Column("initial_covers_min", Integer, nullable=False),
    Column("additional_code", Text, nullable=False),
    Column("additional_unit_min", Integer, nullable=False),
    Column("additional_beyond_min", Integer, nullable=False),
    Column("drug_code", Text, nullable=False),
    Column("drug_units", Numeric, nullable=False),
    Column("bills_paused_time", Boolean, nullable=False, server_default="false"),
    *policy_columns(),
    PrimaryKeyConstraint("payer_code", "scope", "effective_from", name="coding_policy_pkey"),
    review_state_check("coding_policy"),
    CheckConstraint(
        "0 < push_from_min AND push_from_min < initial_from_min AND initial_from_min <= initial_covers_min",
        name="coding_policy_order",
    ),
    CheckConstraint("additional_beyond_min BETWEEN 0 AND additional_unit_min - 1", name="coding_policy_additional"),
    CheckConstraint("drug_units > 0", name="coding_policy_drug"),
)

# Which evaluation codes are charged; a needed one without a price is held, another charges nothing.
evaluation_policy = Table(
    "evaluation_policy",
    metadata,
    Column("cpt_code", Text, nullable=False),
    Column("needs_price", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("cpt_code", "scope", "effective_from", name="evaluation_policy_pkey"),
    review_state_check("evaluation_policy"),
)

# Which instruments are charged, by which code.
assessment_policy = Table(
    "assessment_policy",
    metadata,
    Column("instrument", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("billable", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("instrument", "scope", "effective_from", name="assessment_policy_pkey"),
    review_state_check("assessment_policy"),
)

# What an estimate says that it leaves out.
estimate_exclusion = Table(
    "estimate_exclusion",
    metadata,
    Column("exclusion_code", Text, nullable=False),
    Column("stated", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("exclusion_code", "scope", "effective_from", name="estimate_exclusion_pkey"),
    review_state_check("estimate_exclusion"),
)

policy_number = policy_number_table(metadata)
