"""Alembic revisions of the benchmark's consumer."""
