"""Free flow and no flow are judged by policy.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

from device_telemetry.migrations import default_policy_0004

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows alone: states of sessions under way take what is new as not seen yet."""
    for statement in default_policy_0004.STATEMENTS:
        op.execute(statement)
