"""The first schema of device telemetry: devices, attachments, frames, alarms, and the default limits.

Revision ID: 0001
Revises:
"""

from alembic import op

from chassis.plumbing import create_plumbing
from device_telemetry.migrations import default_policy, schema_0001

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Plumbing first, then the service's own tables, then the policy rows."""
    create_plumbing(op)
    for statement in schema_0001.STATEMENTS:
        op.execute(statement)
    for statement in default_policy.STATEMENTS:
        op.execute(statement)
