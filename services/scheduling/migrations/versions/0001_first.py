"""Sites, resources, shifts, plans as copies, bookings and the claims that keep them apart."""

from alembic import op

from chassis.plumbing import create_plumbing

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PLACES = """
CREATE TABLE site (
    site_id uuid NOT NULL CONSTRAINT site_pkey PRIMARY KEY,
    site_code text NOT NULL CONSTRAINT site_code_taken UNIQUE,
    time_zone text NOT NULL,
    opened_at timestamptz NOT NULL
);
CREATE TABLE resource (
    resource_id uuid NOT NULL CONSTRAINT resource_pkey PRIMARY KEY,
    site_id uuid NOT NULL CONSTRAINT resource_of_site REFERENCES site,
    kind text NOT NULL CONSTRAINT resource_kind CHECK (kind IN ('chair', 'pump', 'monitor', 'nurse')),
    resource_code text NOT NULL CONSTRAINT resource_code_taken UNIQUE
);
CREATE INDEX resource_by_site ON resource (site_id, kind, resource_code);
CREATE TABLE shift (
    shift_id uuid NOT NULL CONSTRAINT shift_pkey PRIMARY KEY,
    nurse_id uuid NOT NULL CONSTRAINT shift_of_nurse REFERENCES resource,
    site_id uuid NOT NULL CONSTRAINT shift_at_site REFERENCES site,
    during tstzrange NOT NULL CONSTRAINT shift_not_empty CHECK (NOT isempty(during)),
    CONSTRAINT shift_no_overlap EXCLUDE USING gist (nurse_id WITH =, during WITH &&)
);
CREATE INDEX shift_by_site ON shift USING gist (site_id, during);
"""

POLICY = """
CREATE TABLE booking_policy (
    effective_from timestamptz NOT NULL CONSTRAINT booking_policy_pkey PRIMARY KEY,
    preparation_min integer NOT NULL,
    recovery_min integer NOT NULL,
    first_recovery_min integer NOT NULL,
    pain_recovery_min integer NOT NULL,
    infusion_interval_min integer NOT NULL,
    grid_min integer NOT NULL,
    search_max_days integer NOT NULL,
    review_state text NOT NULL,
    CONSTRAINT booking_policy_preparation CHECK (preparation_min BETWEEN 0 AND 120),
    CONSTRAINT booking_policy_recovery CHECK (
        recovery_min BETWEEN 0 AND 240 AND first_recovery_min BETWEEN 0 AND 240 AND pain_recovery_min BETWEEN 0 AND 240
    ),
    CONSTRAINT booking_policy_interval CHECK (infusion_interval_min >= 360),
    CONSTRAINT booking_policy_grid CHECK (grid_min BETWEEN 1 AND 30 AND 60 % grid_min = 0),
    CONSTRAINT booking_policy_search CHECK (search_max_days BETWEEN 1 AND 366)
);
INSERT INTO booking_policy (
    effective_from, preparation_min, recovery_min, first_recovery_min, pain_recovery_min, infusion_interval_min,
    grid_min, search_max_days, review_state
) VALUES ('2020-01-01T00:00:00Z', 15, 60, 120, 120, 1440, 5, 31, 'default, to be reviewed');
"""

BOOKINGS = """
CREATE TABLE plan (
    plan_id uuid NOT NULL CONSTRAINT plan_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    state text NOT NULL CONSTRAINT plan_state CHECK (state IN ('signed', 'suspended', 'completed')),
    sessions_planned integer NOT NULL,
    indication text NOT NULL
);
CREATE TABLE booking (
    session_id uuid NOT NULL CONSTRAINT booking_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    ordinal integer NOT NULL,
    state text NOT NULL
        CONSTRAINT booking_state CHECK (state IN ('booked', 'arrived', 'fulfilled', 'cancelled', 'no_show')),
    starts_at timestamptz NOT NULL,
    infusion_min integer NOT NULL,
    ends_at timestamptz NOT NULL,
    chair_id uuid NOT NULL,
    pump_id uuid NOT NULL,
    monitor_id uuid NOT NULL,
    nurse_id uuid NOT NULL,
    booked_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    cancel_reason_code text,
    CONSTRAINT booking_cancel_reason CHECK ((state = 'cancelled') = (cancel_reason_code IS NOT NULL)),
    CONSTRAINT booking_ends_later CHECK (starts_at < ends_at)
);
CREATE UNIQUE INDEX booking_one_an_ordinal ON booking (plan_id, ordinal)
    WHERE state IN ('booked', 'arrived', 'fulfilled');
CREATE INDEX booking_by_site ON booking (site_id, starts_at, session_id);
CREATE TABLE claim (
    session_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT claim_kind CHECK (kind IN ('chair', 'pump', 'monitor', 'nurse', 'person')),
    resource_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    during tstzrange NOT NULL CONSTRAINT claim_not_empty CHECK (NOT isempty(during)),
    active boolean NOT NULL,
    CONSTRAINT claim_pkey PRIMARY KEY (session_id, kind),
    CONSTRAINT claim_no_overlap EXCLUDE USING gist (resource_id WITH =, during WITH &&) WHERE (active)
);
"""


def upgrade() -> None:
    create_plumbing(op)
    # uuid equality inside a GiST index, for the exclusion constraints. Trusted: the owner of the database may add it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    # One at a time: a prepared statement holds one. None of these holds a semicolon inside.
    for statements in (PLACES, POLICY, BOOKINGS):
        for statement in filter(str.strip, statements.split(";")):
            op.execute(statement)
