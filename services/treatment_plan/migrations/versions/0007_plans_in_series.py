"""Policy in the one shape; doses as rates, weights by rule, plans in phases; the person's results and what they suggest."""

from alembic import op

from chassis.policy import add_policy_columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LIBRARY_SOURCE = "house policy within published ranges"

COLUMNS = """
ALTER TABLE protocol ADD COLUMN phase text NOT NULL DEFAULT 'induction', ADD COLUMN interval_days integer,
    ADD COLUMN dose_rate numeric(30, 12), ADD COLUMN dose_rate_unit text;
ALTER TABLE protocol ALTER COLUMN phase DROP DEFAULT;
ALTER TABLE protocol ADD CONSTRAINT protocol_phase CHECK (phase IN ('induction', 'maintenance')),
    ADD CONSTRAINT protocol_interval CHECK ((phase = 'maintenance') = (interval_days IS NOT NULL)),
    ADD CONSTRAINT protocol_dose_rate CHECK ((dose_rate IS NULL) = (dose_rate_unit IS NULL)
        AND (dose_rate_unit IS NULL OR dose_rate_unit IN ('mg/kg/h', 'mg/h')));
ALTER TABLE library_limit ADD COLUMN unit text NOT NULL DEFAULT '';
ALTER TABLE policy_number ADD COLUMN unit text NOT NULL DEFAULT '';
ALTER TABLE plan ADD COLUMN phase text NOT NULL DEFAULT 'induction', ADD COLUMN ended_reason_code text;
ALTER TABLE plan ALTER COLUMN phase DROP DEFAULT;
ALTER TABLE plan ADD CONSTRAINT plan_phase CHECK (phase IN ('induction', 'maintenance'));
ALTER TABLE plan_version ADD COLUMN measured_weight_kg numeric(30, 12), ADD COLUMN weight_rule text NOT NULL DEFAULT 'actual',
    ADD COLUMN height_cm numeric(30, 12), ADD COLUMN dose_rate numeric(30, 12), ADD COLUMN dose_rate_unit text,
    ADD COLUMN interval_days integer;
UPDATE plan_version SET measured_weight_kg = weight_kg;
ALTER TABLE plan_version ALTER COLUMN weight_rule DROP DEFAULT, ALTER COLUMN measured_weight_kg SET NOT NULL;
ALTER TABLE plan_version ADD CONSTRAINT plan_version_weight_rule CHECK (weight_rule IN ('actual', 'cap', 'adjusted')),
    ADD CONSTRAINT plan_version_dose_rate CHECK ((dose_rate IS NULL) = (dose_rate_unit IS NULL)
        AND (dose_rate_unit IS NULL OR dose_rate_unit IN ('mg/kg/h', 'mg/h')));
ALTER TABLE treatment_order ADD COLUMN measured_weight_kg numeric(30, 12), ADD COLUMN responsible_prescriber_id uuid;
UPDATE treatment_order SET measured_weight_kg = weight_kg, responsible_prescriber_id = prescriber_id;
ALTER TABLE treatment_order ALTER COLUMN measured_weight_kg SET NOT NULL, ALTER COLUMN responsible_prescriber_id SET NOT NULL
"""

POLICY = """
CREATE TABLE dosing_weight_rule (
    library_code text NOT NULL,
    weight_rule text NOT NULL,
    above_kg numeric(30, 12),
    above_bmi numeric(30, 12),
    ideal_bmi numeric(30, 12),
    excess_fraction numeric(30, 12),
    CONSTRAINT dosing_weight_rule_pk PRIMARY KEY (library_code, scope, effective_from),
    CONSTRAINT dosing_weight_rule_kind CHECK (
        weight_rule = 'actual' OR (weight_rule = 'cap' AND above_kg > 0) OR (weight_rule = 'adjusted' AND above_bmi > 0
            AND ideal_bmi > 0 AND ideal_bmi <= above_bmi AND excess_fraction >= 0 AND excess_fraction <= 1)
    )
);
CREATE TABLE series_rule (
    indication text NOT NULL,
    leading_instrument text NOT NULL,
    first_review_after integer,
    final_review_after integer NOT NULL,
    min_gain_percent numeric(30, 12) NOT NULL,
    raise_least_mg_per_kg numeric(30, 12),
    raise_most_mg_per_kg numeric(30, 12),
    remissions_in_a_row integer NOT NULL,
    interval_start_days integer NOT NULL,
    interval_step_days integer NOT NULL,
    interval_least_days integer NOT NULL,
    interval_most_days integer NOT NULL,
    relapse_interval_fraction numeric(30, 12) NOT NULL,
    relapse_rise numeric(30, 12),
    relapse_least_score numeric(30, 12),
    trial_dose_mg numeric(30, 12),
    trial_minutes integer,
    result_window_days integer NOT NULL,
    CONSTRAINT series_rule_pk PRIMARY KEY (indication, scope, effective_from),
    CONSTRAINT series_rule_reviews CHECK (
        final_review_after > 0 AND (first_review_after IS NULL OR first_review_after < final_review_after)
    ),
    CONSTRAINT series_rule_raise CHECK (
        (raise_least_mg_per_kg IS NULL) = (raise_most_mg_per_kg IS NULL)
        AND (raise_least_mg_per_kg IS NULL OR (raise_least_mg_per_kg > 0 AND raise_most_mg_per_kg >= raise_least_mg_per_kg))
    ),
    CONSTRAINT series_rule_intervals CHECK (
        interval_least_days > 0 AND interval_most_days >= interval_start_days AND interval_start_days >= interval_least_days
        AND interval_step_days > 0 AND relapse_interval_fraction > 0 AND relapse_interval_fraction < 1
        AND remissions_in_a_row > 0 AND result_window_days > 0
    )
)
"""

RESPONSE = """
CREATE TABLE instrument_result (
    result_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    instrument text NOT NULL,
    instrument_version text NOT NULL,
    total integer,
    score numeric(30, 12),
    completed_at timestamptz NOT NULL,
    baseline_total integer,
    improvement_percent numeric(30, 12),
    outcome_codes text[] NOT NULL,
    CONSTRAINT instrument_result_pk PRIMARY KEY (result_id)
);
CREATE INDEX instrument_result_person ON instrument_result (person_id, instrument, completed_at);
CREATE TABLE suggestion (
    suggestion_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind_code text NOT NULL,
    after_sessions integer NOT NULL,
    result_id uuid NOT NULL,
    suggested_dose_mg_per_kg numeric(30, 12),
    suggested_interval_days integer,
    suggested_at timestamptz NOT NULL,
    state text NOT NULL,
    decided_by uuid,
    reason_code text,
    decided_at timestamptz,
    CONSTRAINT suggestion_pk PRIMARY KEY (suggestion_id),
    CONSTRAINT suggestion_once UNIQUE (plan_id, kind_code, after_sessions),
    CONSTRAINT suggestion_of_plan FOREIGN KEY(plan_id) REFERENCES plan (plan_id),
    CONSTRAINT suggestion_kind CHECK (kind_code IN ('raise_dose', 'stop_no_response', 'end_early_remission',
        'maintenance_extend', 'maintenance_shorten')),
    CONSTRAINT suggestion_state CHECK (state IN ('open', 'accepted', 'declined', 'withdrawn')),
    CONSTRAINT suggestion_decided_by_somebody CHECK ((state IN ('accepted', 'declined')) = (decided_at IS NOT NULL)
        AND (decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (reason_code IS NULL))
);
CREATE INDEX suggestion_person ON suggestion (person_id, suggestion_id)
"""


def upgrade() -> None:
    """Rows of a running network stay; what they did not say is what the first release meant."""
    for statement in COLUMNS.split(";"):
        op.execute(statement)
    for table in ("protocol", "library_limit", "library_concentration", "policy_number"):
        add_policy_columns(op, table, (), source=LIBRARY_SOURCE if table != "policy_number" else "house policy")
    for statement in POLICY.split(";"):
        op.execute(statement.replace("    CONSTRAINT", SHAPE + "    CONSTRAINT", 1))
    for table in ("dosing_weight_rule", "series_rule"):
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_review CHECK (review_state = 'default, to be reviewed'"
            " OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL))"
        )
    for statement in RESPONSE.split(";"):
        op.execute(statement)


SHAPE = """    scope text NOT NULL DEFAULT 'network',
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL DEFAULT 'house policy',
    review_state text NOT NULL DEFAULT 'default, to be reviewed',
    signed_by uuid,
    signed_at timestamptz,
"""
