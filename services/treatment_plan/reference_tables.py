"""What treatment plan decides by: policy data, and copies of intake's facts.

A policy row is in force from its `effective_from` until a later one of the same key; a row of a site's own (scope: the site's id) goes
before one of the whole network (scope "network").
"""

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from chassis.policy import policy_columns, policy_number_table, review_state_check
from treatment_plan.columns import code, dose_rate_check, exact, identifier, metadata, moment

# --- policy data ------------------------------------------------------------------------------------------------------

protocol = Table(
    "protocol",
    metadata,
    code("protocol_code"),
    Column("version", Integer, nullable=False),
    code("library_code"),
    Column("indications", ARRAY(Text), nullable=False),
    exact("dose_mg_per_kg"),
    Column("duration_min", Integer, nullable=False),
    Column("sessions_planned", Integer, nullable=False),
    code("phase"),
    # Of maintenance: days from one infusion to the next.
    Column("interval_days", Integer, nullable=True),
    # The dose as a rate, where it is ordered so; dose_mg_per_kg is then what it comes to at 80 kg.
    exact("dose_rate", nullable=True),
    code("dose_rate_unit", nullable=True),
    *policy_columns(),
    PrimaryKeyConstraint("protocol_code", "version", name="protocol_pk"),
    CheckConstraint("review_state IN ('default, to be reviewed', 'signed')", name="protocol_review_state"),
    CheckConstraint("review_state <> 'signed' OR signed_by IS NOT NULL", name="protocol_signed_by_somebody"),
    CheckConstraint("dose_mg_per_kg > 0 AND duration_min > 0 AND sessions_planned > 0", name="protocol_numbers"),
    CheckConstraint("phase IN ('induction', 'maintenance')", name="protocol_phase"),
    CheckConstraint("(phase = 'maintenance') = (interval_days IS NOT NULL)", name="protocol_interval"),
    dose_rate_check("protocol"),
    review_state_check("protocol"),
)

library_limit = Table(
    "library_limit",
    metadata,
    code("library_code"),
    code("limit_code"),
    code("severity"),
    exact("lower_bound", nullable=True),
    exact("upper_bound", nullable=True),
    Column("unit", Text, nullable=False, server_default=""),
    *policy_columns(),
    PrimaryKeyConstraint("library_code", "limit_code", "severity", "scope", "effective_from", name="library_limit_pk"),
    CheckConstraint("severity IN ('soft', 'hard')", name="library_limit_severity"),
    review_state_check("library_limit"),
)

library_concentration = Table(
    "library_concentration",
    metadata,
    code("library_code"),
    exact("concentration_mg_per_ml"),
    Column("in_use", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint(
        "library_code", "concentration_mg_per_ml", "scope", "effective_from", name="library_concentration_pk"
    ),
    CheckConstraint("concentration_mg_per_ml > 0", name="library_concentration_positive"),
    review_state_check("library_concentration"),
)

# What the dosing weight is made of: the measured weight, at most a cap, or an adjusted weight above a body mass index.
dosing_weight_rule = Table(
    "dosing_weight_rule",
    metadata,
    code("library_code"),
    code("weight_rule"),
    exact("above_kg", nullable=True),
    exact("above_bmi", nullable=True),
    exact("ideal_bmi", nullable=True),
    exact("excess_fraction", nullable=True),
    *policy_columns(),
    PrimaryKeyConstraint("library_code", "scope", "effective_from", name="dosing_weight_rule_pk"),
    CheckConstraint(
        "weight_rule = 'actual' OR (weight_rule = 'cap' AND above_kg > 0) OR (weight_rule = 'adjusted' AND above_bmi > 0"
        " AND ideal_bmi > 0 AND ideal_bmi <= above_bmi AND excess_fraction >= 0 AND excess_fraction <= 1)",
        name="dosing_weight_rule_kind",
    ),
    review_state_check("dosing_weight_rule"),
)

policy_number = policy_number_table(metadata)

# --- copies of intake's facts -----------------------------------------------------------------------------------------

clearance = Table(
    "clearance",
    metadata,
    identifier("clearance_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("indication"),
    Column("cleared", Boolean, nullable=False),
    moment("decided_at"),
    moment("expires_at", nullable=True),
    PrimaryKeyConstraint("clearance_id", name="clearance_pk"),
    Index("clearance_person", "person_id", "indication", "decided_at"),
)

consent = Table(
    "consent",
    metadata,
    identifier("consent_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("kind"),
    moment("granted_at", nullable=True),
    moment("expires_at", nullable=True),
    moment("withdrawn_at", nullable=True),
    PrimaryKeyConstraint("consent_id", name="consent_pk"),
    Index("consent_person", "person_id", "kind"),
)

safety_flag = Table(
    "safety_flag",
    metadata,
    identifier("flag_id"),
    identifier("person_id"),
    identifier("site_id"),
    Column("blocks", Boolean, nullable=False),
    moment("raised_at", nullable=True),
    moment("cleared_at", nullable=True),
    PrimaryKeyConstraint("flag_id", name="safety_flag_pk"),
    Index("safety_flag_person", "person_id"),
)
