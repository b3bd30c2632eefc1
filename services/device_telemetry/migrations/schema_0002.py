"""The statements of revision 0002: practitioners, resumes, stops, changes of a booking, and policy in the shape of every service."""

from chassis.policy import DEFAULT

_PERSON = "person_id uuid NOT NULL, site_id uuid NOT NULL"
_PROGRAMME = """drug_code text NOT NULL, concentration_mg_per_ml numeric(15, 6) NOT NULL,
    rate_ml_per_h numeric(15, 6) NOT NULL, vtbi_ml numeric(15, 6) NOT NULL"""

FACTS = (
    "ALTER TABLE infusion_session ADD COLUMN baseline_sbp numeric(9, 3), ADD COLUMN baseline_dbp numeric(9, 3),"
    " ADD COLUMN baseline_hr numeric(9, 3), ADD COLUMN baseline_spo2 numeric(9, 3), ADD COLUMN baseline_rr numeric(9, 3),"
    " ADD COLUMN responsible_prescriber_id uuid, ADD COLUMN administering_clinician_id uuid",
    "ALTER TABLE infusion_order ADD COLUMN weight_kg numeric(9, 3)",
    "ALTER TABLE alarm ADD COLUMN repetitions smallint NOT NULL DEFAULT 0, ADD COLUMN escalated_to text,"
    " ADD COLUMN latching boolean NOT NULL DEFAULT false",
    # What the worker asks of each session in each batch; nearly always nothing.
    "CREATE INDEX alarm_acknowledged_on ON alarm (session_id) WHERE acknowledged_at IS NOT NULL AND cleared_at IS NULL",
    """
    CREATE TABLE site (
        site_id uuid CONSTRAINT site_pk PRIMARY KEY,
        time_zone text NOT NULL
    )
    """,
    """
    CREATE TABLE practitioner (
        practitioner_id uuid CONSTRAINT practitioner_pk PRIMARY KEY,
        revision bigint NOT NULL,
        licence_type text NOT NULL,
        licence_state text NOT NULL,
        licence_expires_on date NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE practitioner_site (
        practitioner_id uuid NOT NULL CONSTRAINT practitioner_site_practitioner_fk REFERENCES practitioner (practitioner_id),
        site_id uuid NOT NULL,
        privileges text[] NOT NULL,
        dea_expires_on date,
        CONSTRAINT practitioner_site_pk PRIMARY KEY (practitioner_id, site_id)
    )
    """,
    f"""
    CREATE TABLE resume (
        resume_id uuid CONSTRAINT resume_pk PRIMARY KEY,
        session_id uuid NOT NULL,
        order_id uuid NOT NULL, {_PERSON},
        pump_id uuid NOT NULL, {_PROGRAMME},
        remaining_ml numeric(15, 6) NOT NULL,
        reason_code text NOT NULL,
        privilege text NOT NULL CONSTRAINT resume_privilege CHECK (privilege IN ('administer', 'sign')),
        authorised_at timestamptz NOT NULL,
        authorised_by uuid NOT NULL
    )
    """,
    "CREATE INDEX resume_session ON resume (session_id, authorised_at)",
    f"""
    CREATE TABLE infusion_stop (
        session_id uuid CONSTRAINT infusion_stop_pk PRIMARY KEY
            CONSTRAINT infusion_stop_session_fk REFERENCES infusion_session (session_id), {_PERSON},
        reason_code text NOT NULL,
        recorded_at timestamptz NOT NULL,
        recorded_by uuid NOT NULL
    )
    """,
    f"""
    CREATE TABLE session_change (
        change_id uuid CONSTRAINT session_change_pk PRIMARY KEY,
        session_id uuid NOT NULL, {_PERSON},
        kind text NOT NULL,
        accepted boolean NOT NULL,
        reason_code text NOT NULL,
        proposed_at timestamptz NOT NULL,
        settled_at timestamptz,
        outcome text CONSTRAINT session_change_outcome CHECK (outcome IN ('moved', 'cancelled', 'refused'))
    )
    """,
    "CREATE INDEX session_change_pending ON session_change (session_id) WHERE settled_at IS NULL",
    """
    CREATE TABLE device_alarm (
        device_alarm_id uuid CONSTRAINT device_alarm_pk PRIMARY KEY,
        device_id uuid NOT NULL CONSTRAINT device_alarm_device_fk REFERENCES device (device_id),
        site_id uuid NOT NULL,
        kind_code text NOT NULL,
        priority smallint NOT NULL CONSTRAINT device_alarm_priority CHECK (priority BETWEEN 1 AND 3),
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        frames bigint NOT NULL,
        cleared_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX device_alarm_on ON device_alarm (device_id, kind_code) WHERE cleared_at IS NULL",
    "CREATE INDEX device_alarm_site ON device_alarm (site_id, first_at, device_alarm_id)",
)


def _shape(table: str, key: str) -> tuple[str, ...]:
    """An older policy table in the one shape: its site becomes the scope, its mark the state of review, its own id goes."""
    return (
        f"ALTER TABLE {table} ADD COLUMN scope text NOT NULL DEFAULT 'network', ADD COLUMN effective_until timestamptz,"
        f" ADD COLUMN source text, ADD COLUMN review_state text NOT NULL DEFAULT '{DEFAULT}',"
        " ADD COLUMN signed_by uuid, ADD COLUMN signed_at timestamptz",
        # Whoever changed a row before there was a signature did not sign it.
        f"UPDATE {table} SET scope = coalesce(site_id::text, 'network'), effective_until = effective_to",
        f"UPDATE {table} SET source = 'house policy' WHERE source IS NULL",
        f"ALTER TABLE {table} ALTER COLUMN source SET NOT NULL, ALTER COLUMN source SET DEFAULT 'house policy',"
        f" DROP COLUMN {table}_id, DROP COLUMN site_id, DROP COLUMN effective_to, DROP COLUMN review_mark",
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_pk PRIMARY KEY ({key}, scope, effective_from),"
        f" ADD CONSTRAINT {table}_review CHECK (review_state = '{DEFAULT}'"
        " OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL))",
    )


POLICY = (
    *_shape("alarm_limit", "kind_code"),
    "ALTER TABLE alarm_limit ADD COLUMN unit text",
    "UPDATE alarm_limit SET unit = CASE WHEN metric IN ('sbp', 'dbp', 'map') THEN 'mm[Hg]' WHEN metric = 'spo2' THEN '%' ELSE '/min' END",
    "ALTER TABLE alarm_limit ALTER COLUMN unit SET NOT NULL",
    "ALTER TABLE alarm_limit ADD CONSTRAINT alarm_limit_unit CHECK (unit IN ('mm[Hg]', '/min', '%', '%{baseline}')),"
    " ADD CONSTRAINT alarm_limit_priority CHECK (priority BETWEEN 1 AND 3),"
    " ADD CONSTRAINT alarm_limit_lengths CHECK (duration_s >= 0 AND confirm_s >= 0)",
    *_shape("silence_limit", "kind_code"),
    # The alarm of a metric that nobody hears can be given another delay, within bounds; it cannot be taken away.
    "ALTER TABLE silence_limit ADD CONSTRAINT silence_limit_delay CHECK (after_s BETWEEN 5 AND 960),"
    " ADD CONSTRAINT silence_limit_priority CHECK (priority BETWEEN 2 AND 3),"
    " ADD CONSTRAINT silence_limit_stays CHECK ((scope <> 'network' OR effective_until IS NULL) AND required AND metrics ="
    " CASE kind_code WHEN 'hr.silent' THEN 'hr' WHEN 'spo2.silent' THEN 'spo2' WHEN 'nibp.silent' THEN 'sbp'"
    " WHEN 'hr_spo2.silent' THEN 'hr,spo2' WHEN 'pump.silent' THEN 'pump' ELSE metrics END)",
    *_shape("telemetry_policy", "name"),
    "ALTER TABLE telemetry_policy ADD CONSTRAINT telemetry_policy_bounds CHECK (seconds BETWEEN 0 AND 86400"
    " AND (name <> 'log_stopped' OR seconds BETWEEN 10 AND 300)"
    " AND (name <> 'feed_slack' OR seconds <= 60) AND (name <> 'clock_tolerance' OR seconds <= 60))",
    f"""
    CREATE TABLE alarm_escalation (
        priority smallint NOT NULL CONSTRAINT alarm_escalation_priority CHECK (priority BETWEEN 1 AND 3),
        repetition smallint NOT NULL CONSTRAINT alarm_escalation_repetition CHECK (repetition >= 1),
        after_s integer NOT NULL CONSTRAINT alarm_escalation_after CHECK (after_s > 0),
        escalated_to text NOT NULL CONSTRAINT alarm_escalation_to
            CHECK (escalated_to IN ('nurse', 'charge_nurse', 'prescriber')),
        scope text NOT NULL DEFAULT 'network', effective_from timestamptz NOT NULL, effective_until timestamptz,
        source text NOT NULL DEFAULT 'house policy', review_state text NOT NULL DEFAULT '{DEFAULT}',
        signed_by uuid, signed_at timestamptz,
        CONSTRAINT alarm_escalation_pk PRIMARY KEY (priority, repetition, scope, effective_from),
        CONSTRAINT alarm_escalation_review CHECK (review_state = '{DEFAULT}'
            OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL))
    )
    """,
)
