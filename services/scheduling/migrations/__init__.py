"""Alembic revisions of scheduling's own database."""
