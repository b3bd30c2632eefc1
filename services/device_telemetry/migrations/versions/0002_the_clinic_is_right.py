"""Practitioners, resumes, stops, changes of a booking; policy in the one shape, with relative limits and escalation.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

from chassis.policy import add_policy_number_table
from device_telemetry.migrations import default_policy_0002, schema_0002

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables first, then the shape of the policy tables, then the new rows."""
    for statement in schema_0002.FACTS:
        op.execute(statement)
    for statement in schema_0002.POLICY:
        op.execute(statement)
    add_policy_number_table(op)
    for statement in default_policy_0002.STATEMENTS:
        op.execute(statement)
