"""What the migration made is what tables.py says."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from chassis.database import Database
from scheduling.tables import metadata


def test_the_migrated_schema_is_that_of_the_tables(database_of: Callable[..., Database]) -> None:
    with database_of("scheduling").engine.connect() as connection:
        ours = {"include_name": lambda name, kind, _parents: kind != "table" or name in metadata.tables}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), metadata) == []
        found = connection.execute(
            text("""
            SELECT conname FROM pg_constraint WHERE contype <> 'n' AND conrelid::regclass::text = ANY(:tables)
        """),
            {"tables": list(metadata.tables)},
        ).scalars()
        written = {str(item.name) for table in metadata.tables.values() for item in table.constraints}
        assert set(found) == written
