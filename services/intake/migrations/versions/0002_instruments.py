"""Every instrument by item number, the numbers of their rules, outcomes against a baseline, and the plans and infusions that give one."""

import sqlalchemy as sa
from alembic import op

from chassis.policy import add_policy_columns
from intake.migrations import instrument_rows

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The first release writes none of these columns: what it scores meanwhile has no findings.
OLDER = """
ALTER TABLE instrument_form ADD COLUMN rated_by text NOT NULL DEFAULT 'person';
ALTER TABLE instrument_form ALTER COLUMN rated_by DROP DEFAULT;
ALTER TABLE instrument_form ADD CONSTRAINT instrument_form_rated_by CHECK (rated_by IN ('person', 'clinician'));
ALTER TABLE instrument_item ADD COLUMN subscale text NOT NULL DEFAULT '';
ALTER TABLE instrument_item ALTER COLUMN subscale DROP DEFAULT;
ALTER TABLE instrument_item ADD CONSTRAINT instrument_item_range CHECK (lowest <= highest);
ALTER TABLE instrument_form ALTER COLUMN status SET DEFAULT 'default, to be reviewed';
ALTER TABLE instrument_item ALTER COLUMN status SET DEFAULT 'default, to be reviewed';
ALTER TABLE instrument_band ALTER COLUMN status SET DEFAULT 'default, to be reviewed';
ALTER TABLE instrument_result ADD COLUMN finding_codes text[], ADD COLUMN score text;
"""

NEW = """
CREATE TABLE instrument_rule (
    instrument text NOT NULL,
    version text NOT NULL,
    rule_code text NOT NULL,
    value numeric(12, 4) NOT NULL,
    unit text NOT NULL,
    effective_from timestamptz NOT NULL,
    CONSTRAINT instrument_rule_pk PRIMARY KEY (instrument, version, rule_code, effective_from),
    CONSTRAINT instrument_rule_value CHECK (value >= 0)
);
CREATE TABLE instrument_question (
    instrument text NOT NULL,
    version text NOT NULL,
    position integer NOT NULL,
    item text NOT NULL,
    lowest integer NOT NULL,
    highest integer NOT NULL,
    loinc text NOT NULL,
    effective_from timestamptz NOT NULL,
    CONSTRAINT instrument_question_pk PRIMARY KEY (instrument, version, item, effective_from),
    CONSTRAINT instrument_question_range CHECK (lowest <= highest)
);
CREATE TABLE instrument_code (
    instrument text NOT NULL,
    version text NOT NULL,
    part text NOT NULL,
    loinc text NOT NULL,
    effective_from timestamptz NOT NULL,
    CONSTRAINT instrument_code_pk PRIMARY KEY (instrument, version, part, effective_from),
    CONSTRAINT instrument_code_part CHECK (part IN ('panel', 'total'))
);
CREATE TABLE signed_plan (
    plan_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    signed_at timestamptz NOT NULL,
    CONSTRAINT signed_plan_pk PRIMARY KEY (plan_id)
);
CREATE INDEX signed_plan_person ON signed_plan (person_id);
CREATE TABLE begun_infusion (
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    plan_id uuid,
    started_at timestamptz NOT NULL,
    CONSTRAINT begun_infusion_pk PRIMARY KEY (session_id)
);
CREATE INDEX begun_infusion_person ON begun_infusion (person_id);
CREATE TABLE instrument_outcome (
    result_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    baseline_result_id uuid NOT NULL,
    baseline_total integer NOT NULL,
    improvement_percent numeric(8, 1),
    outcome_codes text[] NOT NULL,
    judged_at timestamptz NOT NULL,
    CONSTRAINT instrument_outcome_pk PRIMARY KEY (result_id),
    CONSTRAINT instrument_outcome_result FOREIGN KEY(result_id) REFERENCES instrument_result (result_id),
    CONSTRAINT instrument_outcome_baseline FOREIGN KEY(baseline_result_id) REFERENCES instrument_result (result_id)
);
CREATE INDEX instrument_outcome_person ON instrument_outcome (person_id);
CREATE TABLE instrument_subscore (
    result_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    position integer NOT NULL,
    code text NOT NULL,
    total integer NOT NULL,
    symptoms integer,
    CONSTRAINT instrument_subscore_pk PRIMARY KEY (result_id, code),
    CONSTRAINT instrument_subscore_result FOREIGN KEY(result_id) REFERENCES instrument_result (result_id)
);
"""

KEYS = {
    "instrument_form": ("instrument", "version"),
    "instrument_item": ("instrument", "version", "item"),
    "instrument_question": ("instrument", "version", "item"),
    "instrument_band": ("instrument", "version", "code"),
    "instrument_rule": ("instrument", "version", "rule_code"),
    "instrument_code": ("instrument", "version", "part"),
}


def upgrade() -> None:
    """Tables, then their shape, then rows."""
    op.execute(OLDER)
    op.execute(NEW)
    for table, keys in KEYS.items():
        add_policy_columns(op, table, keys, source="house policy", primary_key=f"{table}_pk")
    for name, rows in instrument_rows.rows().items():
        op.bulk_insert(sa.table(name, *(sa.column(column) for column in rows[0])), rows)
