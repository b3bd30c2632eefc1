"""People, consents, instruments, flags, diagnoses, decisions; and the policy data that the rules read, as defaults to be reviewed."""

import sqlalchemy as sa
from alembic import op

from chassis.plumbing import create_plumbing
from intake.migrations import first_policy, first_policy_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PEOPLE = """
CREATE TABLE site (
    site_id uuid NOT NULL,
    site_code text NOT NULL,
    time_zone text NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT site_pk PRIMARY KEY (site_id)
);
CREATE TABLE person (
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    synthetic boolean NOT NULL,
    registered_at timestamptz NOT NULL,
    CONSTRAINT person_pk PRIMARY KEY (person_id)
);
CREATE TABLE registration (
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    identity_sealed bytea NOT NULL,
    record_number_sealed bytea NOT NULL,
    record_number_token bytea NOT NULL,
    registered_at timestamptz NOT NULL,
    registered_by uuid NOT NULL,
    CONSTRAINT registration_pk PRIMARY KEY (person_id, site_id),
    CONSTRAINT registration_record_number UNIQUE (site_id, record_number_token),
    CONSTRAINT registration_person FOREIGN KEY(person_id) REFERENCES person (person_id)
);
CREATE INDEX registration_site ON registration (site_id, person_id);
CREATE TABLE match_token (
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    combination text NOT NULL,
    token bytea NOT NULL,
    CONSTRAINT match_token_pk PRIMARY KEY (person_id, site_id, combination),
    CONSTRAINT match_token_person FOREIGN KEY(person_id) REFERENCES person (person_id)
);
CREATE INDEX match_token_token ON match_token (token);
CREATE TABLE match_decision (
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    candidate_person_id uuid NOT NULL,
    decision text NOT NULL,
    reason_code text NOT NULL,
    decided_at timestamptz NOT NULL,
    decided_by uuid NOT NULL,
    CONSTRAINT match_decision_pk PRIMARY KEY (person_id, site_id, candidate_person_id),
    CONSTRAINT match_decision_decision CHECK (decision IN ('same', 'not_same'))
);
CREATE TABLE consent (
    consent_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL,
    granted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    granted_by uuid NOT NULL,
    withdrawn_by uuid,
    CONSTRAINT consent_pk PRIMARY KEY (consent_id),
    CONSTRAINT consent_kind CHECK (kind IN ('ketamine_treatment', 'data_sharing')),
    CONSTRAINT consent_term CHECK (expires_at > granted_at)
);
CREATE INDEX consent_person ON consent (person_id, site_id);
CREATE TABLE instrument_result (
    result_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    instrument text NOT NULL,
    version text NOT NULL,
    total integer,
    band text NOT NULL,
    prorated boolean NOT NULL,
    completed_at timestamptz NOT NULL,
    completed_by uuid NOT NULL,
    CONSTRAINT instrument_result_pk PRIMARY KEY (result_id)
);
CREATE INDEX instrument_result_person ON instrument_result (person_id, instrument, completed_at);
CREATE TABLE instrument_answer (
    result_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    item text NOT NULL,
    value integer NOT NULL,
    CONSTRAINT instrument_answer_pk PRIMARY KEY (result_id, item),
    CONSTRAINT instrument_answer_result FOREIGN KEY(result_id) REFERENCES instrument_result (result_id)
);
CREATE TABLE note (
    note_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    text_sealed bytea NOT NULL,
    written_at timestamptz NOT NULL,
    written_by uuid NOT NULL,
    CONSTRAINT note_pk PRIMARY KEY (note_id)
);
CREATE TABLE safety_flag (
    flag_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    result_id uuid NOT NULL,
    reason_code text NOT NULL,
    blocks boolean NOT NULL,
    raised_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    cleared_at timestamptz,
    cleared_by uuid,
    note_id uuid,
    CONSTRAINT safety_flag_pk PRIMARY KEY (flag_id),
    CONSTRAINT safety_flag_result FOREIGN KEY(result_id) REFERENCES instrument_result (result_id),
    CONSTRAINT safety_flag_note FOREIGN KEY(note_id) REFERENCES note (note_id),
    CONSTRAINT safety_flag_cleared_with_note
        CHECK ((cleared_at IS NULL) = (note_id IS NULL) AND (cleared_at IS NULL) = (cleared_by IS NULL))
);
CREATE INDEX safety_flag_open ON safety_flag (person_id) WHERE cleared_at IS NULL;
CREATE TABLE diagnosis (
    diagnosis_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    icd10cm_code text NOT NULL,
    icd10cm_release text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL,
    CONSTRAINT diagnosis_pk PRIMARY KEY (diagnosis_id)
);
CREATE INDEX diagnosis_person ON diagnosis (person_id);
CREATE TABLE clearance (
    clearance_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    indication text NOT NULL,
    outcome text NOT NULL,
    decided_at timestamptz NOT NULL,
    expires_at timestamptz,
    decided_by uuid NOT NULL,
    CONSTRAINT clearance_pk PRIMARY KEY (clearance_id),
    CONSTRAINT clearance_outcome CHECK (outcome IN ('cleared', 'declined')),
    CONSTRAINT clearance_expiry CHECK ((outcome = 'cleared') = (expires_at IS NOT NULL))
);
CREATE INDEX clearance_person ON clearance (person_id, indication, decided_at);
CREATE TABLE clearance_rule (
    clearance_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    position integer NOT NULL,
    code text NOT NULL,
    level text NOT NULL,
    met boolean NOT NULL,
    source text NOT NULL,
    CONSTRAINT clearance_rule_pk PRIMARY KEY (clearance_id, position),
    CONSTRAINT clearance_rule_clearance FOREIGN KEY(clearance_id) REFERENCES clearance (clearance_id)
);
CREATE TABLE follow_up (
    follow_up_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    session_id uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT follow_up_pk PRIMARY KEY (follow_up_id),
    CONSTRAINT follow_up_once UNIQUE (session_id, kind),
    CONSTRAINT follow_up_kind CHECK (kind IN ('after_session'))
);
CREATE INDEX follow_up_due ON follow_up (due_at) WHERE done_at IS NULL;
"""


def upgrade() -> None:
    """Plumbing, tables, policy rows."""
    create_plumbing(op)
    op.execute(PEOPLE)
    op.execute(first_policy_tables.TABLES)
    for name, rows in first_policy.rows().items():
        op.bulk_insert(sa.table(name, *(sa.column(column) for column in rows[0])), rows)
