"""Policy data in the shape of every service, by payer and site; which evaluations and instruments are charged; single numbers."""

from alembic import op

from chassis.policy import add_policy_columns, add_policy_number_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What was in force from a day on is in force from its midnight, UTC.
CODING = """
ALTER TABLE coding_policy ADD COLUMN payer_code text NOT NULL DEFAULT 'any';
ALTER TABLE coding_policy ADD COLUMN bills_paused_time boolean NOT NULL DEFAULT false;
ALTER TABLE coding_policy ALTER COLUMN effective_from TYPE timestamptz USING (effective_from::timestamp AT TIME ZONE 'UTC')
"""

TABLES = """
CREATE TABLE evaluation_policy (
    cpt_code text NOT NULL,
    needs_price boolean NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT evaluation_policy_pkey PRIMARY KEY (cpt_code, scope, effective_from),
    CONSTRAINT evaluation_policy_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
CREATE TABLE assessment_policy (
    instrument text NOT NULL,
    code text NOT NULL,
    billable boolean NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT assessment_policy_pkey PRIMARY KEY (instrument, scope, effective_from),
    CONSTRAINT assessment_policy_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
CREATE TABLE estimate_exclusion (
    exclusion_code text NOT NULL,
    stated boolean NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT estimate_exclusion_pkey PRIMARY KEY (exclusion_code, scope, effective_from),
    CONSTRAINT estimate_exclusion_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
"""

EVALUATIONS = "AMA CPT, evaluation and management in the office"
# New and established person, by level of decision.
EVALUATION_CODES = ("99202", "99203", "99204", "99205", "99212", "99213", "99214", "99215")

ASSESSMENTS = "AMA CPT 96127, per standardized instrument"
# Those with a published score for mood, anxiety, trauma and obsession; pain and alcohol scales have codes of their own.
BILLABLE = ("PHQ-9", "GAD-7", "PCL-5", "Y-BOCS", "MADRS", "OCI-R")
NOT_BILLABLE = ("C-SSRS-SCREENER", "PEG", "AUDIT-C")

EXCLUSIONS = "45 CFR 149.610(c), good-faith estimates"
EXCLUSION_CODES = ("other_providers", "emergency_care", "laboratory", "prescriptions", "dose_changes")

NUMBERS = (
    ("assessment.daily_unit_cap", "4", "{unit}/d", "payers' usual cap for 96127; house policy"),
    ("session.discrepancy_holds", "1", "yes/no", "house policy"),
    ("estimate.valid", "90", "d", "house policy; at most 12 months by 45 CFR 149.610(b)(1)(x)"),
    ("estimate.dispute_above", "400", "USD", "45 CFR 149.620(b)"),
    ("package.valid", "365", "d", "house policy"),
    ("package.refund_share", "100", "%", "house policy"),
    ("package.expired_refund_share", "100", "%", "house policy"),
)


def _run(statements: str) -> None:
    """One at a time: a prepared statement holds one. None of these holds a semicolon inside."""
    for statement in filter(str.strip, statements.split(";")):
        op.execute(statement)


def upgrade() -> None:
    _run(CODING)
    add_policy_columns(
        op,
        "coding_policy",
        ("payer_code",),
        source="AMA CPT, intravenous push and infusion; HCPCS J3490",
        primary_key="coding_policy_pkey",
    )
    _run(TABLES)
    add_policy_number_table(op)
    for code in EVALUATION_CODES:
        op.execute(_row("evaluation_policy", "cpt_code, needs_price", f"'{code}', false", EVALUATIONS))
    for instruments, billable in ((BILLABLE, "true"), (NOT_BILLABLE, "false")):
        for name in instruments:
            values = f"'{name}', '96127', {billable}"
            op.execute(_row("assessment_policy", "instrument, code, billable", values, ASSESSMENTS))
    for code in EXCLUSION_CODES:
        op.execute(_row("estimate_exclusion", "exclusion_code, stated", f"'{code}', true", EXCLUSIONS))
    for code, value, unit, source in NUMBERS:
        op.execute(_row("policy_number", "policy_code, value, unit", f"'{code}', {value}, '{unit}'", source))


def _row(table: str, columns: str, values: str, source: str) -> str:
    quoted = source.replace("'", "''")
    return (
        f"INSERT INTO {table} ({columns}, effective_from, source) VALUES ({values}, '2020-01-01T00:00:00Z', '{quoted}')"
    )
