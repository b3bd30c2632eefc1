"""Contraindications with a third level, advice and who may let them pass; flags with an owner; follow-ups of flags; evaluations."""

import sqlalchemy as sa
from alembic import op

from chassis.policy import add_policy_columns
from intake.migrations import rule_rows

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The first release writes none of the new columns; what it still writes meanwhile keeps every check.
OLDER = """
ALTER TABLE contraindication DROP CONSTRAINT contraindication_level;
ALTER TABLE contraindication ADD CONSTRAINT contraindication_level CHECK (level IN ('block', 'review', 'warn'));
ALTER TABLE contraindication ADD COLUMN asked_of text NOT NULL DEFAULT 'everyone',
    ADD COLUMN may_override text[] NOT NULL DEFAULT '{}', ADD COLUMN monitoring_codes text[] NOT NULL DEFAULT '{}';
ALTER TABLE contraindication ADD CONSTRAINT contraindication_asked_of CHECK (asked_of IN ('everyone', 'can_be_pregnant'));
ALTER TABLE contraindication ALTER COLUMN asked_of DROP DEFAULT, ALTER COLUMN may_override DROP DEFAULT,
    ALTER COLUMN monitoring_codes DROP DEFAULT;
ALTER TABLE gate_rule DROP CONSTRAINT gate_rule_level;
ALTER TABLE gate_rule ADD CONSTRAINT gate_rule_level CHECK (level IN ('block', 'review', 'warn'));
ALTER TABLE gate_rule ADD COLUMN may_override text[] NOT NULL DEFAULT '{}';
ALTER TABLE gate_rule ALTER COLUMN may_override DROP DEFAULT;
ALTER TABLE flag_policy ADD COLUMN needs_cssrs boolean NOT NULL DEFAULT false;
ALTER TABLE flag_policy ALTER COLUMN needs_cssrs DROP DEFAULT;
ALTER TABLE clearance ADD COLUMN monitoring_codes text[];
ALTER TABLE clearance_rule ADD COLUMN answer text, ADD COLUMN accepted boolean, ADD COLUMN decision_reason_code text;
ALTER TABLE safety_flag ADD COLUMN owner_id uuid;
CREATE INDEX safety_flag_site ON safety_flag (site_id, due_at, flag_id);
ALTER TABLE follow_up ALTER COLUMN session_id DROP NOT NULL, ADD COLUMN flag_id uuid, ADD COLUMN done_by uuid,
    ADD COLUMN outcome_code text;
ALTER TABLE follow_up DROP CONSTRAINT follow_up_kind;
ALTER TABLE follow_up ADD CONSTRAINT follow_up_kind CHECK (kind IN ('after_session', 'cssrs', 'clinician_review')),
    ADD CONSTRAINT follow_up_about CHECK ((session_id IS NULL) <> (flag_id IS NULL)),
    ADD CONSTRAINT follow_up_flag_once UNIQUE (flag_id, kind),
    ADD CONSTRAINT follow_up_flag FOREIGN KEY(flag_id) REFERENCES safety_flag (flag_id);
"""

NEW = """
CREATE TABLE flag_assignment (
    flag_id uuid NOT NULL,
    position integer NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    assigned_at timestamptz NOT NULL,
    assigned_by uuid NOT NULL,
    CONSTRAINT flag_assignment_pk PRIMARY KEY (flag_id, position),
    CONSTRAINT flag_assignment_flag FOREIGN KEY(flag_id) REFERENCES safety_flag (flag_id)
);
CREATE TABLE evaluation (
    evaluation_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    cpt_code text NOT NULL,
    evaluated_at timestamptz NOT NULL,
    CONSTRAINT evaluation_pk PRIMARY KEY (evaluation_id)
);
CREATE INDEX evaluation_person ON evaluation (person_id, evaluated_at);
CREATE TABLE medication (
    code text NOT NULL,
    interaction_codes text[] NOT NULL,
    equal_to_1_mg_lorazepam_mg numeric(8, 3),
    effective_from timestamptz NOT NULL,
    CONSTRAINT medication_pk PRIMARY KEY (code, effective_from),
    CONSTRAINT medication_equivalent CHECK (equal_to_1_mg_lorazepam_mg > 0)
);
CREATE TABLE pregnancy_question (
    administrative_sex text NOT NULL,
    asked boolean NOT NULL,
    effective_from timestamptz NOT NULL,
    CONSTRAINT pregnancy_question_pk PRIMARY KEY (administrative_sex, effective_from)
);
CREATE TABLE reason_code (
    list_code text NOT NULL,
    reason_code text NOT NULL,
    allowed boolean NOT NULL,
    effective_from timestamptz NOT NULL,
    CONSTRAINT reason_code_pk PRIMARY KEY (list_code, reason_code, effective_from)
);
CREATE TABLE evaluation_code (
    cpt_code text NOT NULL,
    new_patient boolean NOT NULL,
    effective_from timestamptz NOT NULL,
    CONSTRAINT evaluation_code_pk PRIMARY KEY (cpt_code, effective_from)
);
"""

KEYS = {
    "medication": ("code",),
    "pregnancy_question": ("administrative_sex",),
    "reason_code": ("list_code", "reason_code"),
    "evaluation_code": ("cpt_code",),
}


def upgrade() -> None:
    """Tables, then their shape, then rows."""
    op.execute(OLDER)
    op.execute(NEW)
    for table, keys in KEYS.items():
        add_policy_columns(op, table, keys, source="house policy", primary_key=f"{table}_pk")
    for code in rule_rows.NEEDS_CSSRS:
        op.execute(sa.text("UPDATE flag_policy SET needs_cssrs = true WHERE reason_code = :code").bindparams(code=code))
    for name, rows in rule_rows.rows().items():
        table = sa.table(name, *(sa.column(column, *rule_rows.KINDS.get(column, ())) for column in rows[0]))
        op.bulk_insert(table, rows)
