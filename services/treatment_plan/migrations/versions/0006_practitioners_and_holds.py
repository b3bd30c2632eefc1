"""Copies of practitioners and sites, holds on the next order, changes of a booking under way."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE practitioner (
    practitioner_id uuid NOT NULL,
    revision bigint NOT NULL,
    licence_type text NOT NULL,
    licence_state text NOT NULL,
    licence_expires_on date NOT NULL,
    CONSTRAINT practitioner_pk PRIMARY KEY (practitioner_id)
);
CREATE TABLE practitioner_site (
    practitioner_id uuid NOT NULL,
    site_id uuid NOT NULL,
    privileges text[] NOT NULL,
    dea_expires_on date,
    CONSTRAINT practitioner_site_pk PRIMARY KEY (practitioner_id, site_id),
    CONSTRAINT practitioner_site_of_practitioner FOREIGN KEY(practitioner_id) REFERENCES practitioner (practitioner_id)
);
CREATE TABLE site (
    site_id uuid NOT NULL,
    time_zone text NOT NULL,
    CONSTRAINT site_pk PRIMARY KEY (site_id)
);
CREATE TABLE prescriber_hold (
    hold_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    session_id uuid NOT NULL,
    reason_code text NOT NULL,
    placed_at timestamptz NOT NULL,
    released_by uuid,
    released_reason_code text,
    released_at timestamptz,
    CONSTRAINT prescriber_hold_pk PRIMARY KEY (hold_id),
    CONSTRAINT prescriber_hold_released_by_somebody CHECK (
        (released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (released_reason_code IS NULL)
    )
);
CREATE UNIQUE INDEX prescriber_hold_one_open ON prescriber_hold (session_id, reason_code) WHERE released_at IS NULL;
CREATE INDEX prescriber_hold_person ON prescriber_hold (person_id, hold_id);
CREATE TABLE session_change (
    change_id uuid NOT NULL,
    session_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL,
    accepted boolean NOT NULL,
    proposed_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT session_change_pk PRIMARY KEY (change_id)
);
CREATE INDEX session_change_pending ON session_change (session_id) WHERE settled_at IS NULL;
"""


def upgrade() -> None:
    """Adds the tables; nothing existing changes."""
    for statement in filter(str.strip, STATEMENTS.split(";")):
        op.execute(statement)
