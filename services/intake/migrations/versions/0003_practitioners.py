"""Practitioners with licences, privileges and registrations; the older policy tables in the one shape; numbers with their units."""

import sqlalchemy as sa
from alembic import op

from chassis.policy import add_policy_columns
from intake.migrations import practitioner_rows

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PRACTITIONERS = """
CREATE TABLE practitioner (
    practitioner_id uuid NOT NULL,
    revision bigint NOT NULL,
    npi text NOT NULL,
    CONSTRAINT practitioner_pk PRIMARY KEY (practitioner_id),
    CONSTRAINT practitioner_npi UNIQUE (npi)
);
CREATE TABLE practitioner_revision (
    practitioner_id uuid NOT NULL,
    revision bigint NOT NULL,
    licence_type text NOT NULL,
    licence_state text NOT NULL,
    licence_number_sealed bytea NOT NULL,
    licence_expires_on date NOT NULL,
    npi text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by uuid NOT NULL,
    CONSTRAINT practitioner_revision_pk PRIMARY KEY (practitioner_id, revision),
    CONSTRAINT practitioner_revision_practitioner FOREIGN KEY(practitioner_id) REFERENCES practitioner (practitioner_id)
);
CREATE TABLE practitioner_site (
    practitioner_id uuid NOT NULL,
    revision bigint NOT NULL,
    site_id uuid NOT NULL,
    privileges text[] NOT NULL,
    dea_number_sealed bytea,
    dea_expires_on date,
    CONSTRAINT practitioner_site_pk PRIMARY KEY (practitioner_id, revision, site_id),
    CONSTRAINT practitioner_site_revision
        FOREIGN KEY(practitioner_id, revision) REFERENCES practitioner_revision (practitioner_id, revision),
    CONSTRAINT practitioner_site_dea CHECK ((dea_number_sealed IS NULL) = (dea_expires_on IS NULL))
);
CREATE INDEX practitioner_site_site ON practitioner_site (site_id, practitioner_id);
CREATE TABLE licence_privilege (
    licence_type text NOT NULL,
    privilege text NOT NULL,
    allowed boolean NOT NULL,
    effective_from timestamptz NOT NULL,
    CONSTRAINT licence_privilege_pk PRIMARY KEY (licence_type, privilege, effective_from),
    CONSTRAINT licence_privilege_privilege CHECK (privilege IN ('diagnose', 'clear', 'sign', 'administer'))
);
"""

# Processes of the first release may still read while this runs: they find their numbers under the old name.
NUMBERS = """
ALTER TABLE policy_value RENAME TO policy_number;
ALTER TABLE policy_number RENAME COLUMN code TO policy_code;
ALTER TABLE policy_number RENAME CONSTRAINT policy_value_pk TO policy_number_pk;
ALTER TABLE policy_number ALTER COLUMN value TYPE numeric(30, 12);
ALTER TABLE policy_number ADD COLUMN unit text NOT NULL DEFAULT '';
CREATE VIEW policy_value AS
    SELECT policy_code AS code, value, effective_from, effective_until, source, review_state AS status
    FROM policy_number WHERE scope = 'network';
"""

KEYS = {
    "policy_number": ("policy_code",),
    "flag_policy": ("reason_code",),
    "diagnosis_group": ("indication", "code_group"),
    "contraindication": ("code",),
    "gate_rule": ("gate", "code"),
    "licence_privilege": ("licence_type", "privilege"),
}


def upgrade() -> None:
    """The shape first, then rows."""
    op.execute(PRACTITIONERS)
    before_the_view, view = NUMBERS.split("CREATE VIEW")
    op.execute(before_the_view)
    for table, keys in KEYS.items():
        add_policy_columns(op, table, keys, source="house policy", primary_key=f"{table}_pk")
    op.execute("ALTER TABLE policy_number DROP COLUMN status")
    for table in ("flag_policy", "diagnosis_group", "contraindication", "gate_rule"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN status SET DEFAULT 'default, to be reviewed'")
    op.execute(f"CREATE VIEW{view}")
    for ending, unit in (("%_years", "a"), ("%_days", "d"), ("%_hours", "h"), ("match.%", "1")):
        op.execute(
            sa.text("UPDATE policy_number SET unit = :unit WHERE policy_code LIKE :ending").bindparams(
                unit=unit, ending=ending
            )
        )
    for name, rows in practitioner_rows.rows().items():
        op.bulk_insert(sa.table(name, *(sa.column(column) for column in rows[0])), rows)
