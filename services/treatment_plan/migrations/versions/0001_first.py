"""Policy data, copies of intake's facts, plans with their versions, orders, and the record of each session."""

from alembic import op

from chassis.plumbing import create_plumbing

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# What is decided by: policy rows, and what intake told.
REFERENCE = """
CREATE TABLE protocol (
    protocol_code text NOT NULL,
    version integer NOT NULL,
    library_code text NOT NULL,
    indications text[] NOT NULL,
    dose_mg_per_kg numeric(30, 12) NOT NULL,
    duration_min integer NOT NULL,
    sessions_planned integer NOT NULL,
    effective_from timestamptz NOT NULL,
    review_state text NOT NULL,
    signed_by uuid,
    CONSTRAINT protocol_pk PRIMARY KEY (protocol_code, version),
    CONSTRAINT protocol_review_state CHECK (review_state IN ('default, to be reviewed', 'signed')),
    CONSTRAINT protocol_signed_by_somebody CHECK (review_state <> 'signed' OR signed_by IS NOT NULL),
    CONSTRAINT protocol_numbers CHECK (dose_mg_per_kg > 0 AND duration_min > 0 AND sessions_planned > 0)
);
CREATE TABLE library_limit (
    library_code text NOT NULL,
    limit_code text NOT NULL,
    severity text NOT NULL,
    scope text NOT NULL,
    effective_from timestamptz NOT NULL,
    lower_bound numeric(30, 12),
    upper_bound numeric(30, 12),
    review_state text NOT NULL,
    CONSTRAINT library_limit_pk PRIMARY KEY (library_code, limit_code, severity, scope, effective_from),
    CONSTRAINT library_limit_severity CHECK (severity IN ('soft', 'hard'))
);
CREATE TABLE library_concentration (
    library_code text NOT NULL,
    concentration_mg_per_ml numeric(30, 12) NOT NULL,
    scope text NOT NULL,
    effective_from timestamptz NOT NULL,
    in_use boolean NOT NULL,
    review_state text NOT NULL,
    CONSTRAINT library_concentration_pk PRIMARY KEY (library_code, concentration_mg_per_ml, scope, effective_from),
    CONSTRAINT library_concentration_positive CHECK (concentration_mg_per_ml > 0)
);
CREATE TABLE policy_number (
    policy_code text NOT NULL,
    scope text NOT NULL,
    effective_from timestamptz NOT NULL,
    value numeric(30, 12) NOT NULL,
    review_state text NOT NULL,
    CONSTRAINT policy_number_pk PRIMARY KEY (policy_code, scope, effective_from)
);
CREATE TABLE clearance (
    clearance_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    indication text NOT NULL,
    cleared boolean NOT NULL,
    decided_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT clearance_pk PRIMARY KEY (clearance_id)
);
CREATE INDEX clearance_person ON clearance (person_id, indication, decided_at);
CREATE TABLE consent (
    consent_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL,
    granted_at timestamptz,
    expires_at timestamptz,
    withdrawn_at timestamptz,
    CONSTRAINT consent_pk PRIMARY KEY (consent_id)
);
CREATE INDEX consent_person ON consent (person_id, kind);
CREATE TABLE safety_flag (
    flag_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    blocks boolean NOT NULL,
    raised_at timestamptz,
    cleared_at timestamptz,
    CONSTRAINT safety_flag_pk PRIMARY KEY (flag_id)
);
CREATE INDEX safety_flag_person ON safety_flag (person_id);
"""

PLANS = """
CREATE TABLE plan (
    plan_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    protocol_code text NOT NULL,
    protocol_version integer NOT NULL,
    library_code text NOT NULL,
    indication text NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    drafted_by uuid NOT NULL,
    drafted_at timestamptz NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    suspended_at timestamptz,
    suspended_reason_code text,
    completed_at timestamptz,
    CONSTRAINT plan_pk PRIMARY KEY (plan_id),
    CONSTRAINT plan_of_protocol FOREIGN KEY(protocol_code, protocol_version)
        REFERENCES protocol (protocol_code, version),
    CONSTRAINT plan_state CHECK (state IN ('draft', 'signed', 'suspended', 'completed')),
    CONSTRAINT plan_signed_by_somebody CHECK (state = 'draft' OR (signed_at IS NOT NULL AND signed_by IS NOT NULL))
);
CREATE INDEX plan_person ON plan (person_id, plan_id);
CREATE TABLE plan_version (
    plan_id uuid NOT NULL,
    version integer NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    weight_kg numeric(30, 12) NOT NULL,
    dose_mg_per_kg numeric(30, 12) NOT NULL,
    duration_min integer NOT NULL,
    concentration_mg_per_ml numeric(30, 12) NOT NULL,
    sessions_planned integer NOT NULL,
    ordered_mg numeric(30, 12) NOT NULL,
    dose_mg numeric(30, 12) NOT NULL,
    rate_ml_per_h numeric(12, 1) NOT NULL,
    vtbi_ml numeric(12, 1) NOT NULL,
    programme_duration_min numeric(9, 2) NOT NULL,
    limits jsonb NOT NULL,
    soft_limit_reason_code text,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT plan_version_pk PRIMARY KEY (plan_id, version),
    CONSTRAINT plan_version_of_plan FOREIGN KEY(plan_id) REFERENCES plan (plan_id),
    CONSTRAINT plan_version_never_above_ordered CHECK (dose_mg <= ordered_mg)
);
CREATE TABLE session_record (
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    ordinal integer NOT NULL,
    state text NOT NULL,
    starts_at timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    cancelled_reason_code text,
    CONSTRAINT session_record_pk PRIMARY KEY (session_id),
    CONSTRAINT session_record_of_plan FOREIGN KEY(plan_id) REFERENCES plan (plan_id),
    CONSTRAINT session_record_state CHECK (
        state IN ('planned', 'ready', 'authorised', 'infusing', 'ended', 'closed', 'cancelled')
    )
);
CREATE INDEX session_record_plan ON session_record (plan_id, state);
CREATE TABLE treatment_order (
    order_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    plan_version integer NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    drug_code text NOT NULL,
    concentration_mg_per_ml numeric(30, 12) NOT NULL,
    rate_ml_per_h numeric(12, 1) NOT NULL,
    vtbi_ml numeric(12, 1) NOT NULL,
    ordered_mg numeric(30, 12) NOT NULL,
    dose_mg numeric(30, 12) NOT NULL,
    duration_min numeric(9, 2) NOT NULL,
    weight_kg numeric(30, 12) NOT NULL,
    prescriber_id uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    pump_id uuid,
    authorisation_id uuid,
    revoked_at timestamptz,
    revoked_reason_code text,
    CONSTRAINT treatment_order_pk PRIMARY KEY (order_id),
    CONSTRAINT treatment_order_of_plan FOREIGN KEY(plan_id, plan_version) REFERENCES plan_version (plan_id, version),
    CONSTRAINT treatment_order_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT treatment_order_used_or_revoked CHECK (used_at IS NULL OR revoked_at IS NULL),
    CONSTRAINT treatment_order_used_by_a_pump CHECK (
        (used_at IS NULL) = (pump_id IS NULL) AND (used_at IS NULL) = (authorisation_id IS NULL)
    )
);
CREATE UNIQUE INDEX treatment_order_one_live ON treatment_order (session_id) WHERE revoked_at IS NULL;
CREATE INDEX treatment_order_unused ON treatment_order (person_id) WHERE revoked_at IS NULL AND used_at IS NULL;
"""

SESSIONS = """
CREATE TABLE session_readiness (
    session_id uuid NOT NULL,
    order_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    arrival_weight_kg numeric(30, 12) NOT NULL,
    bag_prepared_by uuid NOT NULL,
    bag_checked_by uuid NOT NULL,
    ndc text NOT NULL,
    vial_concentration_mg_per_ml numeric(30, 12) NOT NULL,
    drawn_ml numeric(30, 12) NOT NULL,
    bag_volume_ml numeric(30, 12) NOT NULL,
    recorded_by uuid NOT NULL,
    ready_at timestamptz NOT NULL,
    CONSTRAINT session_readiness_pk PRIMARY KEY (order_id),
    CONSTRAINT session_readiness_of_order FOREIGN KEY(order_id) REFERENCES treatment_order (order_id),
    CONSTRAINT session_readiness_two_people CHECK (bag_prepared_by <> bag_checked_by),
    CONSTRAINT session_readiness_ndc CHECK (ndc ~ '^[0-9]{11}$')
);
CREATE TABLE pump_totals (
    session_id uuid NOT NULL,
    order_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    outcome text NOT NULL,
    started_at timestamptz,
    stopped_at timestamptz,
    delivered_ml numeric(30, 12) NOT NULL,
    keep_vein_open_ml numeric(30, 12) NOT NULL,
    expected_ml numeric(30, 12) NOT NULL,
    delivering_seconds bigint NOT NULL,
    paused_seconds bigint NOT NULL,
    reason_code text,
    CONSTRAINT pump_totals_pk PRIMARY KEY (session_id),
    CONSTRAINT pump_totals_of_order FOREIGN KEY(order_id) REFERENCES treatment_order (order_id),
    CONSTRAINT pump_totals_outcome CHECK (outcome IN ('completed', 'aborted'))
);
CREATE TABLE session_closure (
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    opened_mg numeric(30, 12) NOT NULL,
    returned_mg numeric(30, 12) NOT NULL,
    wasted_mg numeric(30, 12) NOT NULL,
    pump_mg numeric(30, 12) NOT NULL,
    delivered_ml numeric(30, 12) NOT NULL,
    delivered_mg numeric(30, 12) NOT NULL,
    discrepancy boolean NOT NULL,
    closed_by uuid NOT NULL,
    witnessed_by uuid NOT NULL,
    closed_at timestamptz NOT NULL,
    CONSTRAINT session_closure_pk PRIMARY KEY (session_id),
    CONSTRAINT session_closure_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT session_closure_balances CHECK (opened_mg - pump_mg - returned_mg - wasted_mg = 0),
    CONSTRAINT session_closure_witness CHECK (wasted_mg = 0 OR witnessed_by <> closed_by)
);
CREATE TABLE adverse_event (
    adverse_event_id uuid NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind_code text NOT NULL,
    severity_code text NOT NULL,
    recorded_by uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT adverse_event_pk PRIMARY KEY (adverse_event_id),
    CONSTRAINT adverse_event_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT adverse_event_severity CHECK (severity_code IN ('mild', 'moderate', 'severe'))
);
CREATE INDEX adverse_event_session ON adverse_event (session_id);
"""


def upgrade() -> None:
    """Creates everything that treatment plan stands on."""
    create_plumbing(op)
    # One at a time: a prepared statement holds one. None of these holds a semicolon inside.
    for statements in (REFERENCE, PLANS, SESSIONS):
        for statement in filter(str.strip, statements.split(";")):
            op.execute(statement)
