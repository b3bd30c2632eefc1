"""The statements of revision 0001. Once released they are never changed: a later revision changes the schema."""

_PERSON = "person_id uuid NOT NULL, site_id uuid NOT NULL"
_PROGRAMME = """drug_code text NOT NULL, concentration_mg_per_ml numeric(15, 6) NOT NULL,
    rate_ml_per_h numeric(15, 6) NOT NULL, vtbi_ml numeric(15, 6) NOT NULL"""
_IN_FORCE = "effective_from timestamptz NOT NULL, effective_to timestamptz, review_mark text NOT NULL"

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    CREATE TABLE device (
        device_id uuid CONSTRAINT device_pk PRIMARY KEY,
        site_id uuid NOT NULL,
        kind text NOT NULL CONSTRAINT device_kind CHECK (kind IN ('pump', 'monitor')),
        equipment_id text CONSTRAINT device_equipment_id UNIQUE,
        hl7_sequence bigint NOT NULL DEFAULT 0
    )
    """,
    f"""
    CREATE TABLE infusion_session (
        session_id uuid CONSTRAINT infusion_session_pk PRIMARY KEY, {_PERSON},
        correlation_id uuid NOT NULL,
        booked_at timestamptz NOT NULL, ready_at timestamptz, cancelled_at timestamptz
    )
    """,
    f"""
    CREATE TABLE infusion_order (
        order_id uuid CONSTRAINT infusion_order_pk PRIMARY KEY,
        session_id uuid NOT NULL, {_PERSON}, {_PROGRAMME},
        issued_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz, revoked_at timestamptz
    )
    """,
    "CREATE INDEX infusion_order_session ON infusion_order (session_id)",
    f"""
    CREATE TABLE attachment (
        attachment_id uuid CONSTRAINT attachment_pk PRIMARY KEY,
        device_id uuid NOT NULL CONSTRAINT attachment_device_fk REFERENCES device (device_id),
        kind text NOT NULL,
        session_id uuid NOT NULL CONSTRAINT attachment_session_fk REFERENCES infusion_session (session_id), {_PERSON},
        during tstzrange NOT NULL,
        attached_by uuid NOT NULL,
        detached_by uuid,
        CONSTRAINT attachment_one_session_a_device EXCLUDE USING gist (device_id WITH =, during WITH &&),
        CONSTRAINT attachment_one_of_a_kind_a_session EXCLUDE USING gist (session_id WITH =, kind WITH =, during WITH &&)
    )
    """,
    """
    CREATE TABLE attachment_version (
        one boolean CONSTRAINT attachment_version_pk PRIMARY KEY CONSTRAINT attachment_version_one CHECK (one),
        version bigint NOT NULL
    )
    """,
    "INSERT INTO attachment_version VALUES (true, 1)",
    f"""
    CREATE TABLE authorisation (
        authorisation_id uuid CONSTRAINT authorisation_pk PRIMARY KEY,
        session_id uuid NOT NULL CONSTRAINT authorisation_one_a_session UNIQUE,
        order_id uuid NOT NULL CONSTRAINT authorisation_one_an_order UNIQUE, {_PERSON},
        pump_id uuid NOT NULL, {_PROGRAMME},
        authorised_at timestamptz NOT NULL,
        authorised_by uuid NOT NULL
    )
    """,
    f"""
    CREATE TABLE start_attempt (
        request_id uuid CONSTRAINT start_attempt_pk PRIMARY KEY,
        session_id uuid NOT NULL,
        order_id uuid NOT NULL, {_PERSON},
        pump_id uuid NOT NULL, {_PROGRAMME},
        echoed_at timestamptz NOT NULL
    )
    """,
    f"""
    CREATE TABLE session_state (
        session_id uuid CONSTRAINT session_state_pk PRIMARY KEY, {_PERSON},
        state jsonb NOT NULL,
        phase text NOT NULL,
        log_at timestamptz NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        stopped_alarm_id uuid
    ) WITH (fillfactor = 50)
    """,
    "CREATE INDEX session_state_live ON session_state (applied_at) WHERE phase IN ('infusing', 'paused')",
    """
    CREATE TABLE unassigned_feed (
        device_id uuid CONSTRAINT unassigned_feed_pk PRIMARY KEY,
        sequences jsonb NOT NULL,
        frames bigint NOT NULL,
        first_received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        last_received_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    f"""
    CREATE TABLE frame (
        received_day date NOT NULL,
        session_id uuid NOT NULL, {_PERSON},
        device_id uuid NOT NULL,
        sequence bigint NOT NULL,
        ends_at timestamptz NOT NULL,
        samples integer NOT NULL,
        payload bytea STORAGE EXTERNAL NOT NULL
    ) PARTITION BY RANGE (received_day)
    """,
    "CREATE INDEX frame_session ON frame (session_id, ends_at)",
    # The safety net: a day without a partition of its own still finds room.
    "CREATE TABLE frame_default PARTITION OF frame DEFAULT",
    # The worker has no DDL; it makes the days ahead through this function, which runs with its owner's rights.
    """
    CREATE FUNCTION make_frame_partition(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
    BEGIN
        IF day NOT BETWEEN current_date - 400 AND current_date + 400 THEN
            RAISE EXCEPTION 'a frame partition is made for a day near today only';
        END IF;
        IF to_regclass('frame_' || to_char(day, 'YYYYMMDD')) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF frame FOR VALUES FROM (%L) TO (%L)',
                           'frame_' || to_char(day, 'YYYYMMDD'), day, day + 1);
        END IF;
    END $$
    """,
    """
    CREATE TABLE unassigned_frame (
        device_id uuid NOT NULL,
        sequence bigint NOT NULL,
        ends_at timestamptz NOT NULL,
        received_day date NOT NULL,
        payload bytea STORAGE EXTERNAL NOT NULL
    )
    """,
    "CREATE INDEX unassigned_frame_device ON unassigned_frame (device_id, sequence)",
    f"""
    CREATE TABLE alarm (
        alarm_id uuid CONSTRAINT alarm_pk PRIMARY KEY,
        session_id uuid NOT NULL, {_PERSON},
        device_id uuid,
        kind_code text NOT NULL,
        priority smallint NOT NULL CONSTRAINT alarm_priority CHECK (priority BETWEEN 1 AND 3),
        category smallint NOT NULL CONSTRAINT alarm_category CHECK (category BETWEEN 1 AND 2),
        measured_at timestamptz NOT NULL,
        detected_at timestamptz NOT NULL,
        cleared_at timestamptz,
        acknowledged_at timestamptz,
        acknowledged_by uuid
    )
    """,
    "CREATE INDEX alarm_session ON alarm (session_id, measured_at, alarm_id)",
    f"""
    CREATE TABLE pump_echo (
        session_id uuid NOT NULL, device_id uuid NOT NULL, {_PERSON},
        reported_at timestamptz NOT NULL,
        report bytea NOT NULL,
        CONSTRAINT pump_echo_pk PRIMARY KEY (session_id, device_id)
    )
    """,
    f"""
    CREATE TABLE alarm_limit (
        alarm_limit_id uuid CONSTRAINT alarm_limit_pk PRIMARY KEY,
        site_id uuid,
        kind_code text NOT NULL,
        metric text NOT NULL,
        side text NOT NULL CONSTRAINT alarm_limit_side CHECK (side IN ('low', 'high')),
        bound numeric(9, 3) NOT NULL,
        inclusive boolean NOT NULL,
        priority smallint NOT NULL,
        duration_s integer NOT NULL,
        confirm_s integer NOT NULL, {_IN_FORCE}
    )
    """,
    f"""
    CREATE TABLE silence_limit (
        silence_limit_id uuid CONSTRAINT silence_limit_pk PRIMARY KEY,
        site_id uuid,
        kind_code text NOT NULL,
        metrics text NOT NULL,
        after_s integer NOT NULL,
        priority smallint NOT NULL,
        required boolean NOT NULL, {_IN_FORCE}
    )
    """,
    f"""
    CREATE TABLE telemetry_policy (
        telemetry_policy_id uuid CONSTRAINT telemetry_policy_pk PRIMARY KEY,
        site_id uuid,
        name text NOT NULL,
        seconds integer NOT NULL, {_IN_FORCE}
    )
    """,
    """
    CREATE TABLE hl7_message (
        message_id uuid CONSTRAINT hl7_message_pk PRIMARY KEY,
        digest bytea NOT NULL CONSTRAINT hl7_message_digest UNIQUE,
        content_sealed bytea NOT NULL,
        frames jsonb NOT NULL,
        usable_samples integer NOT NULL,
        durable boolean NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)
