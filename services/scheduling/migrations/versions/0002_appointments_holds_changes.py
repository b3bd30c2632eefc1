"""Appointment types, opening hours and numbers as policy; holds, changes, consultations, waiting list, checklist, overrides.

Bookings that stand keep what they hold: their chairs were claimed without cleaning time and stay so.
"""

from alembic import op

from chassis.policy import add_policy_columns, add_policy_number_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_POLICY = """scope text NOT NULL DEFAULT 'network',
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL DEFAULT 'house policy',
    review_state text NOT NULL DEFAULT 'default, to be reviewed',
    signed_by uuid,
    signed_at timestamptz"""


def _review(table: str) -> str:
    return (
        f"CONSTRAINT {table}_review CHECK (review_state = 'default, to be reviewed'"
        " OR (review_state = 'signed' AND signed_by IS NOT NULL AND signed_at IS NOT NULL))"
    )


KINDS = """
ALTER TABLE resource DROP CONSTRAINT resource_kind;
ALTER TABLE resource ADD CONSTRAINT resource_kind
    CHECK (kind IN ('chair', 'pump', 'monitor', 'nurse', 'room', 'practitioner'));
ALTER TABLE claim DROP CONSTRAINT claim_kind;
ALTER TABLE claim ADD CONSTRAINT claim_kind
    CHECK (kind IN ('chair', 'pump', 'monitor', 'nurse', 'room', 'practitioner', 'person'));
"""

BOOKINGS = """
ALTER TABLE booking ADD COLUMN infusion_starts_at timestamptz;
ALTER TABLE booking ADD COLUMN infusion_ends_at timestamptz;
ALTER TABLE booking ADD COLUMN moves integer NOT NULL DEFAULT 0;
UPDATE booking SET infusion_starts_at = lower(claim.during) FROM claim
    WHERE claim.session_id = booking.session_id AND claim.kind = 'person';
UPDATE booking SET infusion_starts_at = starts_at WHERE infusion_starts_at IS NULL;
UPDATE booking SET infusion_ends_at = infusion_starts_at + make_interval(mins => infusion_min);
ALTER TABLE booking ALTER COLUMN infusion_starts_at SET NOT NULL, ALTER COLUMN infusion_ends_at SET NOT NULL;
"""

BOOKING_POLICY = """
ALTER TABLE booking_policy ADD COLUMN type_code text NOT NULL DEFAULT 'infusion'
    CONSTRAINT booking_policy_type CHECK (type_code = 'infusion');
ALTER TABLE booking_policy ADD COLUMN cleaning_min integer NOT NULL DEFAULT 10
    CONSTRAINT booking_policy_cleaning CHECK (cleaning_min BETWEEN 0 AND 120);
ALTER TABLE booking_policy ADD COLUMN soft_interval_min integer NOT NULL DEFAULT 2640;
ALTER TABLE booking_policy ADD CONSTRAINT booking_policy_soft_interval
    CHECK (soft_interval_min >= infusion_interval_min);
ALTER TABLE booking_policy ALTER COLUMN cleaning_min DROP DEFAULT, ALTER COLUMN soft_interval_min DROP DEFAULT;
"""

POLICIES = f"""
CREATE TABLE appointment_resource (
    type_code text NOT NULL,
    resource_kind text NOT NULL,
    from_phase text NOT NULL,
    until_phase text NOT NULL,
    {_POLICY},
    CONSTRAINT appointment_resource_pkey PRIMARY KEY (type_code, resource_kind, scope, effective_from),
    CONSTRAINT appointment_resource_type CHECK (type_code IN ('infusion', 'consultation')),
    CONSTRAINT appointment_resource_kind
        CHECK (resource_kind IN ('chair', 'pump', 'monitor', 'nurse', 'room', 'practitioner', 'person')),
    CONSTRAINT appointment_resource_from CHECK (from_phase IN ('arrival', 'infusion_start')),
    CONSTRAINT appointment_resource_until
        CHECK (until_phase IN ('infusion_end', 'visit_end', 'cleaning_end', 'interval_end')),
    CONSTRAINT appointment_resource_person
        CHECK (resource_kind <> 'person' OR (from_phase = 'infusion_start' AND until_phase = 'interval_end')),
    {_review("appointment_resource")}
);
CREATE TABLE opening_hours (
    iso_weekday integer NOT NULL,
    opens text NOT NULL,
    closes text NOT NULL,
    {_POLICY},
    CONSTRAINT opening_hours_pkey PRIMARY KEY (iso_weekday, scope, effective_from),
    CONSTRAINT opening_hours_weekday CHECK (iso_weekday BETWEEN 1 AND 7),
    CONSTRAINT opening_hours_opens CHECK (opens ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    CONSTRAINT opening_hours_closes CHECK (closes ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' AND closes >= opens),
    {_review("opening_hours")}
);
CREATE TABLE checklist_policy (
    item_code text NOT NULL,
    required boolean NOT NULL,
    {_POLICY},
    CONSTRAINT checklist_policy_pkey PRIMARY KEY (item_code, scope, effective_from),
    {_review("checklist_policy")}
);
INSERT INTO appointment_resource (type_code, resource_kind, from_phase, until_phase, effective_from) VALUES
    ('infusion', 'chair', 'arrival', 'cleaning_end', '2020-01-01T00:00:00Z'),
    ('infusion', 'pump', 'arrival', 'infusion_end', '2020-01-01T00:00:00Z'),
    ('infusion', 'monitor', 'arrival', 'visit_end', '2020-01-01T00:00:00Z'),
    ('infusion', 'nurse', 'arrival', 'visit_end', '2020-01-01T00:00:00Z'),
    ('infusion', 'person', 'infusion_start', 'interval_end', '2020-01-01T00:00:00Z'),
    ('consultation', 'practitioner', 'arrival', 'visit_end', '2020-01-01T00:00:00Z'),
    ('consultation', 'room', 'arrival', 'cleaning_end', '2020-01-01T00:00:00Z');
INSERT INTO checklist_policy (item_code, required, effective_from, source) VALUES
    ('fasting', true, '2020-01-01T00:00:00Z', 'house policy, after ASA practice guidelines for preoperative fasting (2023)'),
    ('driver', true, '2020-01-01T00:00:00Z', 'house policy, after the label of esketamine (Spravato, section 5)'),
    ('medicines_held', true, '2020-01-01T00:00:00Z', 'house policy');
"""

NUMBERS = """
INSERT INTO policy_number (policy_code, value, unit, effective_from, source) VALUES
    ('hold_min', 15, 'min', '2020-01-01T00:00:00Z', 'house policy'),
    ('offer_min', 120, 'min', '2020-01-01T00:00:00Z', 'house policy'),
    ('no_show_after_min', 15, 'min', '2020-01-01T00:00:00Z', 'house policy'),
    ('change_answer_s', 60, 's', '2020-01-01T00:00:00Z', 'house policy'),
    ('consultation_min', 60, 'min', '2020-01-01T00:00:00Z', 'house policy'),
    ('consultation_cleaning_min', 5, 'min', '2020-01-01T00:00:00Z', 'house policy');
"""

HOLDS = """
CREATE TABLE hold (
    hold_id uuid NOT NULL CONSTRAINT hold_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    ordinal integer NOT NULL,
    state text NOT NULL CONSTRAINT hold_state CHECK (state IN ('held', 'confirmed', 'released', 'expired')),
    starts_at timestamptz NOT NULL,
    infusion_min integer NOT NULL,
    infusion_starts_at timestamptz NOT NULL,
    infusion_ends_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    chair_id uuid NOT NULL,
    pump_id uuid NOT NULL,
    monitor_id uuid NOT NULL,
    nurse_id uuid NOT NULL,
    waiting_id uuid,
    held_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT hold_expires_later CHECK (held_at < expires_at)
);
CREATE INDEX hold_by_site ON hold (site_id, expires_at) WHERE state = 'held';
CREATE INDEX hold_by_waiting ON hold (waiting_id) WHERE waiting_id IS NOT NULL;
CREATE TABLE session_change (
    change_id uuid NOT NULL CONSTRAINT session_change_pkey PRIMARY KEY,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT session_change_kind CHECK (kind IN ('move', 'cancel')),
    state text NOT NULL CONSTRAINT session_change_state CHECK (state IN ('proposed', 'done', 'refused')),
    reason_code text NOT NULL,
    refused_reason_code text,
    plan_accepted boolean,
    devices_accepted boolean,
    proposed_at timestamptz NOT NULL,
    settled_at timestamptz,
    starts_at timestamptz,
    infusion_starts_at timestamptz,
    infusion_ends_at timestamptz,
    ends_at timestamptz,
    cleaned_at timestamptz,
    person_free_at timestamptz,
    chair_id uuid,
    pump_id uuid,
    monitor_id uuid,
    nurse_id uuid,
    earlier_hold_id uuid,
    later_hold_id uuid,
    phases jsonb,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    correlation_id uuid NOT NULL,
    CONSTRAINT session_change_settled CHECK ((state = 'proposed') = (settled_at IS NULL)),
    CONSTRAINT session_change_refused CHECK ((state = 'refused') = (refused_reason_code IS NOT NULL)),
    CONSTRAINT session_change_new_time CHECK (
        (kind = 'cancel') = (num_nonnulls(starts_at, infusion_starts_at, infusion_ends_at, ends_at, cleaned_at,
            person_free_at, chair_id, pump_id, monitor_id, nurse_id, earlier_hold_id, later_hold_id, phases) = 0)
    )
);
CREATE UNIQUE INDEX session_change_one_at_a_time ON session_change (session_id) WHERE state = 'proposed';
CREATE INDEX session_change_asked ON session_change (asked_at) WHERE state = 'proposed';
"""

PEOPLE = """
CREATE TABLE consultation (
    consultation_id uuid NOT NULL CONSTRAINT consultation_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    practitioner_id uuid NOT NULL,
    room_id uuid NOT NULL,
    state text NOT NULL CONSTRAINT consultation_state CHECK (state IN ('booked', 'completed', 'cancelled')),
    during tstzrange NOT NULL CONSTRAINT consultation_not_empty CHECK (NOT isempty(during)),
    booked_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    cancel_reason_code text,
    CONSTRAINT consultation_cancel_reason CHECK ((state = 'cancelled') = (cancel_reason_code IS NOT NULL)),
    CONSTRAINT consultation_one_a_person
        EXCLUDE USING gist (person_id WITH =, during WITH &&) WHERE (state <> 'cancelled')
);
CREATE INDEX consultation_by_site ON consultation USING gist (site_id, during);
CREATE TABLE waiting_entry (
    waiting_id uuid NOT NULL CONSTRAINT waiting_entry_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    site_ids uuid[] NOT NULL,
    plan_id uuid NOT NULL,
    ordinal integer NOT NULL,
    infusion_min integer NOT NULL,
    earliest timestamptz NOT NULL,
    latest timestamptz NOT NULL,
    state text NOT NULL CONSTRAINT waiting_entry_state CHECK (state IN ('waiting', 'offered', 'booked', 'left')),
    joined_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT waiting_entry_window CHECK (earliest < latest)
);
CREATE UNIQUE INDEX waiting_entry_one_an_ordinal ON waiting_entry (plan_id, ordinal)
    WHERE state IN ('waiting', 'offered');
CREATE INDEX waiting_entry_in_order ON waiting_entry (joined_at, waiting_id) WHERE state = 'waiting';
CREATE TABLE visit_check (
    session_id uuid NOT NULL,
    item_code text NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    confirmed_with text NOT NULL,
    confirmed_by uuid NOT NULL,
    confirmed_at timestamptz NOT NULL,
    CONSTRAINT visit_check_pkey PRIMARY KEY (session_id, item_code)
);
CREATE TABLE no_show (
    session_id uuid NOT NULL CONSTRAINT no_show_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL
);
INSERT INTO no_show SELECT session_id, person_id, site_id, changed_at FROM booking WHERE state = 'no_show';
CREATE INDEX no_show_by_person ON no_show (person_id);
CREATE TABLE rule_override (
    session_id uuid NOT NULL,
    rule text NOT NULL,
    overridden_at timestamptz NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    reason_code text NOT NULL,
    overridden_by uuid NOT NULL,
    role text NOT NULL,
    CONSTRAINT rule_override_pkey PRIMARY KEY (session_id, rule, overridden_at)
);
"""


def _run(statements: str) -> None:
    # One at a time: a prepared statement holds one. None of these holds a semicolon inside.
    for statement in filter(str.strip, statements.split(";")):
        op.execute(statement)


def upgrade() -> None:
    for statements in (KINDS, BOOKINGS, BOOKING_POLICY):
        _run(statements)
    add_policy_columns(op, "booking_policy", ("type_code",), source="house policy", primary_key="booking_policy_pkey")
    add_policy_number_table(op)
    for statements in (POLICIES, NUMBERS, HOLDS, PEOPLE):
        _run(statements)
