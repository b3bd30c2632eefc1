"""HL7 messages tell their transaction, an assumed zone and a refusal; the patient that devices named in a session.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Messages of the first release were all taken as PCD-01; whether they assumed a zone was not kept."""
    op.execute(
        "ALTER TABLE hl7_message ADD COLUMN transaction text NOT NULL DEFAULT 'pcd01',"
        " ADD COLUMN zone_assumed boolean NOT NULL DEFAULT false, ADD COLUMN refused boolean NOT NULL DEFAULT false,"
        " ADD CONSTRAINT hl7_message_transaction CHECK (transaction IN ('pcd01', 'pcd04', 'pcd10', 'other'))"
    )
    op.execute(
        """
        CREATE TABLE session_patient (
            session_id uuid CONSTRAINT session_patient_pk PRIMARY KEY
                CONSTRAINT session_patient_session_fk REFERENCES infusion_session (session_id),
            person_id uuid NOT NULL, site_id uuid NOT NULL,
            identifiers_sealed bytea NOT NULL
        )
        """
    )
