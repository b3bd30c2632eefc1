"""What intake knows of plans and infusions, copied from their owners, and what results show against the baseline of their series."""

from sqlalchemy import (
    ARRAY,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

from intake.tables import about_person, metadata, moment

# Copied from treatment plan.
signed_plan = Table(
    "signed_plan",
    metadata,
    Column("plan_id", Uuid, nullable=False),
    *about_person(),
    moment("signed_at"),
    PrimaryKeyConstraint("plan_id", name="signed_plan_pk"),
    Index("signed_plan_person", "person_id"),
)

# Copied from device telemetry when it begins, and from treatment plan when its session is closed, which names the plan.
begun_infusion = Table(
    "begun_infusion",
    metadata,
    Column("session_id", Uuid, nullable=False),
    *about_person(),
    Column("plan_id", Uuid, nullable=True),
    moment("started_at"),
    PrimaryKeyConstraint("session_id", name="begun_infusion_pk"),
    Index("begun_infusion_person", "person_id"),
)

# One for each result that has a baseline. `improvement_percent` is null where the baseline is 0.
instrument_outcome = Table(
    "instrument_outcome",
    metadata,
    Column("result_id", Uuid, nullable=False),
    *about_person(),
    Column("baseline_result_id", Uuid, nullable=False),
    Column("baseline_total", Integer, nullable=False),
    Column("improvement_percent", Numeric(8, 1), nullable=True),
    Column("outcome_codes", ARRAY(Text), nullable=False),
    moment("judged_at"),
    PrimaryKeyConstraint("result_id", name="instrument_outcome_pk"),
    ForeignKeyConstraint(["result_id"], ["instrument_result.result_id"], name="instrument_outcome_result"),
    ForeignKeyConstraint(["baseline_result_id"], ["instrument_result.result_id"], name="instrument_outcome_baseline"),
    Index("instrument_outcome_person", "person_id"),
)

# Parts of a result that have a score of their own. `symptoms` is null where the form does not count any.
instrument_subscore = Table(
    "instrument_subscore",
    metadata,
    Column("result_id", Uuid, nullable=False),
    *about_person(),
    Column("position", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("symptoms", Integer, nullable=True),
    PrimaryKeyConstraint("result_id", "code", name="instrument_subscore_pk"),
    ForeignKeyConstraint(["result_id"], ["instrument_result.result_id"], name="instrument_subscore_result"),
)
