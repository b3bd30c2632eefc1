"""What treatment plan decides by: policy data, and copies of intake's facts.

A policy row is in force from its `effective_from` until a later one of the same key; a row of a site's own (scope: the site's id) goes
before one of the whole network (scope "network").
"""

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid

from treatment_plan.columns import code, exact, identifier, metadata, moment

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
    moment("effective_from"),
    code("review_state"),
    Column("signed_by", Uuid, nullable=True),
    PrimaryKeyConstraint("protocol_code", "version", name="protocol_pk"),
    CheckConstraint("review_state IN ('default, to be reviewed', 'signed')", name="protocol_review_state"),
    CheckConstraint("review_state <> 'signed' OR signed_by IS NOT NULL", name="protocol_signed_by_somebody"),
    CheckConstraint("dose_mg_per_kg > 0 AND duration_min > 0 AND sessions_planned > 0", name="protocol_numbers"),
)

library_limit = Table(
    "library_limit",
    metadata,
    code("library_code"),
    code("limit_code"),
    code("severity"),
    code("scope"),
    moment("effective_from"),
    exact("lower_bound", nullable=True),
    exact("upper_bound", nullable=True),
    code("review_state"),
    PrimaryKeyConstraint("library_code", "limit_code", "severity", "scope", "effective_from", name="library_limit_pk"),
    CheckConstraint("severity IN ('soft', 'hard')", name="library_limit_severity"),
)

library_concentration = Table(
    "library_concentration",
    metadata,
    code("library_code"),
    exact("concentration_mg_per_ml"),
    code("scope"),
    moment("effective_from"),
    Column("in_use", Boolean, nullable=False),
    code("review_state"),
    PrimaryKeyConstraint(
        "library_code", "concentration_mg_per_ml", "scope", "effective_from", name="library_concentration_pk"
    ),
    CheckConstraint("concentration_mg_per_ml > 0", name="library_concentration_positive"),
)

policy_number = Table(
    "policy_number",
    metadata,
    code("policy_code"),
    code("scope"),
    moment("effective_from"),
    exact("value"),
    code("review_state"),
    PrimaryKeyConstraint("policy_code", "scope", "effective_from", name="policy_number_pk"),
)

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
