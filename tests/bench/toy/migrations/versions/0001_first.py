"""The plumbing and one table of effects.

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
        "CREATE TABLE effect (payment_id text CONSTRAINT effect_pk PRIMARY KEY, person_id text NOT NULL,"
        " amount_usd numeric(12, 2) NOT NULL, received_at timestamptz NOT NULL,"
        " done_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
