"""Alembic revisions of billing's own database."""
