"""The session record: what happens before, during and after an infusion, and the policy that its gates are held against."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

POLICY = """
CREATE TABLE ready_item (
    item_code text NOT NULL,
    severity text NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT ready_item_pk PRIMARY KEY (item_code, scope, effective_from),
    CONSTRAINT ready_item_severity CHECK (severity IN ('soft', 'hard')),
    CONSTRAINT ready_item_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
CREATE TABLE pre_infusion_limit (
    item_code text NOT NULL,
    measure_code text NOT NULL,
    side text NOT NULL,
    bound numeric(30, 12) NOT NULL,
    at_bound text NOT NULL,
    unit text NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT pre_infusion_limit_pk PRIMARY KEY (item_code, measure_code, side, scope, effective_from),
    CONSTRAINT pre_infusion_limit_side CHECK (side IN ('lower', 'upper')),
    CONSTRAINT pre_infusion_limit_at_bound CHECK (at_bound IN ('allowed', 'refused')),
    CONSTRAINT pre_infusion_limit_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
CREATE TABLE observation_step (
    phase text NOT NULL,
    measure_code text NOT NULL,
    at_minute integer NOT NULL,
    repeat_minutes integer NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT observation_step_pk PRIMARY KEY (phase, measure_code, at_minute, scope, effective_from),
    CONSTRAINT observation_step_phase CHECK (phase IN ('infusion', 'recovery')),
    CONSTRAINT observation_step_minutes CHECK (at_minute >= 0 AND repeat_minutes >= 0),
    CONSTRAINT observation_step_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
CREATE TABLE score_band (
    scale_code text NOT NULL,
    band_code text NOT NULL,
    lower_score numeric(30, 12) NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT score_band_pk PRIMARY KEY (scale_code, band_code, scope, effective_from),
    CONSTRAINT score_band_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
CREATE TABLE vial_product (
    product_code text NOT NULL,
    concentration_mg_per_ml numeric(30, 12) NOT NULL,
    vial_ml numeric(30, 12) NOT NULL,
    scope text DEFAULT 'network' NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text DEFAULT 'house policy' NOT NULL,
    review_state text DEFAULT 'default, to be reviewed' NOT NULL,
    signed_by uuid,
    signed_at timestamptz,
    CONSTRAINT vial_product_pk PRIMARY KEY (product_code, scope, effective_from),
    CONSTRAINT vial_product_code CHECK (product_code ~ '^[0-9]{9}$'),
    CONSTRAINT vial_product_positive CHECK (concentration_mg_per_ml > 0 AND vial_ml > 0),
    CONSTRAINT vial_product_review CHECK (
        review_state = 'default, to be reviewed'
        OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL)
    )
);
"""

SESSIONS = """
CREATE TABLE identity_check (
    check_id uuid NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    identifier_kinds text[] NOT NULL,
    checked_by uuid NOT NULL,
    checked_at timestamptz NOT NULL,
    CONSTRAINT identity_check_pk PRIMARY KEY (check_id),
    CONSTRAINT identity_check_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT identity_check_two CHECK (cardinality(identifier_kinds) = 2)
);
CREATE INDEX identity_check_session ON identity_check (session_id);
CREATE TABLE arrival_answer (
    answer_id uuid NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    weight_kg numeric(30, 12),
    pregnancy_code text,
    last_food_at timestamptz,
    last_liquids_at timestamptz,
    fasting_confirmed boolean,
    driver_confirmed boolean,
    medications_reconciled boolean,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT arrival_answer_pk PRIMARY KEY (answer_id),
    CONSTRAINT arrival_answer_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id)
);
CREATE INDEX arrival_answer_session ON arrival_answer (session_id);
CREATE TABLE observation (
    observation_id uuid NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    phase text NOT NULL,
    taken_at timestamptz NOT NULL,
    systolic_mmhg numeric(6, 2),
    diastolic_mmhg numeric(6, 2),
    heart_rate_per_min numeric(6, 2),
    spo2_percent numeric(6, 2),
    respiratory_rate_per_min numeric(6, 2),
    on_oxygen boolean,
    moaas integer,
    moaas_variant text,
    cadss_form text,
    cadss_total integer,
    cadss_items integer[],
    cadss_band text,
    aldrete_activity integer,
    aldrete_respiration integer,
    aldrete_circulation integer,
    aldrete_consciousness integer,
    aldrete_oxygen_saturation integer,
    aldrete_variant text,
    side_effects jsonb NOT NULL,
    steady_gait boolean,
    nausea_controlled boolean,
    iv_out boolean,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT observation_pk PRIMARY KEY (observation_id),
    CONSTRAINT observation_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT observation_phase CHECK (phase IN ('baseline', 'infusion', 'recovery')),
    CONSTRAINT observation_pressure_whole CHECK ((systolic_mmhg IS NULL) = (diastolic_mmhg IS NULL)),
    CONSTRAINT observation_moaas CHECK (moaas BETWEEN 0 AND 5),
    CONSTRAINT observation_moaas_variant CHECK ((moaas IS NULL) = (moaas_variant IS NULL)),
    CONSTRAINT observation_cadss_form CHECK ((cadss_total IS NULL) = (cadss_form IS NULL)),
    CONSTRAINT observation_aldrete_whole CHECK (
        num_nulls(aldrete_activity, aldrete_respiration, aldrete_circulation, aldrete_consciousness,
            aldrete_oxygen_saturation, aldrete_variant) IN (0, 6)
    )
);
CREATE INDEX observation_session ON observation (session_id, taken_at);
CREATE TABLE bag (
    bag_id uuid NOT NULL,
    session_id uuid NOT NULL,
    order_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    ndc text NOT NULL,
    lot text NOT NULL,
    expires_on date NOT NULL,
    vial_concentration_mg_per_ml numeric(30, 12) NOT NULL,
    drawn_ml numeric(30, 12) NOT NULL,
    final_ml numeric(30, 12) NOT NULL,
    prepared_by uuid NOT NULL,
    prepared_at timestamptz NOT NULL,
    checked_by uuid,
    checked_at timestamptz,
    CONSTRAINT bag_pk PRIMARY KEY (bag_id),
    CONSTRAINT bag_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT bag_of_order FOREIGN KEY(order_id) REFERENCES treatment_order (order_id),
    CONSTRAINT bag_ndc CHECK (ndc ~ '^[0-9]{11}$'),
    CONSTRAINT bag_two_people CHECK (prepared_by <> checked_by),
    CONSTRAINT bag_checked_by_somebody CHECK ((checked_by IS NULL) = (checked_at IS NULL))
);
CREATE INDEX bag_session ON bag (session_id);
CREATE TABLE ready_override (
    override_id uuid NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    item_code text NOT NULL,
    reason_code text NOT NULL,
    overridden_by uuid NOT NULL,
    overridden_at timestamptz NOT NULL,
    CONSTRAINT ready_override_pk PRIMARY KEY (override_id),
    CONSTRAINT ready_override_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id)
);
CREATE INDEX ready_override_session ON ready_override (session_id);
CREATE TABLE infusion_progress (
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    started_at timestamptz,
    last_paused_at timestamptz,
    last_resumed_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT infusion_progress_pk PRIMARY KEY (session_id),
    CONSTRAINT infusion_progress_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id)
);
CREATE TABLE abort_reason (
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    reason_code text NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT abort_reason_pk PRIMARY KEY (session_id),
    CONSTRAINT abort_reason_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id)
);
CREATE TABLE aftercare (
    aftercare_id uuid NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    status_code text NOT NULL,
    instruction_codes text[] NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT aftercare_pk PRIMARY KEY (aftercare_id),
    CONSTRAINT aftercare_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT aftercare_status CHECK (status_code IN ('given', 'due'))
);
CREATE INDEX aftercare_session ON aftercare (session_id);
CREATE TABLE session_discharge (
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    discharged_by uuid NOT NULL,
    discharged_at timestamptz NOT NULL,
    CONSTRAINT session_discharge_pk PRIMARY KEY (session_id),
    CONSTRAINT session_discharge_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id)
);
CREATE TABLE follow_up (
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    status_code text NOT NULL,
    due_at timestamptz NOT NULL,
    given_at timestamptz,
    recorded_by uuid,
    outcome_codes text[] NOT NULL,
    attempts integer NOT NULL,
    CONSTRAINT follow_up_pk PRIMARY KEY (session_id),
    CONSTRAINT follow_up_of_session FOREIGN KEY(session_id) REFERENCES session_record (session_id),
    CONSTRAINT follow_up_status CHECK (status_code IN ('due', 'given')),
    CONSTRAINT follow_up_given_by_somebody CHECK (
        (status_code = 'given') = (given_at IS NOT NULL AND recorded_by IS NOT NULL)
    )
);
CREATE INDEX follow_up_due ON follow_up (site_id, status_code, due_at, session_id);
CREATE TABLE suicide_risk_screening (
    result_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    instrument text NOT NULL,
    band text NOT NULL,
    completed_at timestamptz NOT NULL,
    CONSTRAINT suicide_risk_screening_pk PRIMARY KEY (result_id)
);
CREATE INDEX suicide_risk_screening_person ON suicide_risk_screening (person_id, completed_at);
"""

# Rows of the first release stay as they are: a session that ended under it has no baseline to be discharged by, and is closed as then.
EXISTING = """
ALTER TABLE session_record DROP CONSTRAINT session_record_state;
ALTER TABLE session_record ADD CONSTRAINT session_record_state CHECK (
    state IN (
        'planned', 'prepared', 'ready', 'authorised', 'infusing', 'paused', 'ended', 'recovering', 'discharged', 'closed', 'cancelled'
    )
);
ALTER TABLE session_readiness
    ADD COLUMN bag_id uuid,
    ADD COLUMN responsible_prescriber_id uuid,
    ADD COLUMN administering_clinician_id uuid,
    ADD COLUMN baseline_systolic_mmhg numeric(6, 2),
    ADD COLUMN baseline_diastolic_mmhg numeric(6, 2),
    ADD COLUMN baseline_heart_rate_per_min numeric(6, 2),
    ADD COLUMN baseline_spo2_percent numeric(6, 2),
    ADD COLUMN baseline_respiratory_rate_per_min numeric(6, 2),
    ADD COLUMN baseline_cadss_form text,
    ADD COLUMN baseline_cadss_total integer;
ALTER TABLE adverse_event ADD COLUMN action_codes text[], ADD COLUMN outcome_code text;
CREATE INDEX session_record_site ON session_record (site_id, starts_at, session_id);
"""


def upgrade() -> None:
    """Adds the tables; what exists is widened."""
    # One at a time: a prepared statement holds one. None of these holds a semicolon inside.
    for statements in (POLICY, SESSIONS, EXISTING):
        for statement in filter(str.strip, statements.split(";")):
            op.execute(statement)
