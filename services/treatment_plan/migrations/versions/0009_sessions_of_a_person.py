"""A person's sessions are found without reading everybody's: each result and each ended infusion looks at the series."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the index."""
    op.execute("CREATE INDEX session_record_person ON session_record (person_id, session_id)")
