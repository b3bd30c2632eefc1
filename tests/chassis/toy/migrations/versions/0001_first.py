"""The plumbing and one table.

Revision ID: 0001
"""

from alembic import op

from chassis.plumbing import create_plumbing

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes everything."""
    create_plumbing(op)
    op.execute(
        "CREATE TABLE heard (n bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT heard_pk PRIMARY KEY,"
        " kind text NOT NULL, key text NOT NULL, what text NOT NULL)"
    )
