"""The schema of treatment plan and its default policy, by alembic."""
