"""Brings a service's database to the newest schema, under an advisory lock, without alembic's own files of configuration."""

from importlib import import_module
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from chassis.database import engine_url
from chassis.index import Service

# One migration of a database at a time, whoever starts it.
_LOCK = 7_263_001
# Processes may change the rows of every table that the owner makes, and alembic's is one of them: they only read it.
_ONLY_MIGRATIONS_SAY_WHICH = """
DO $$ DECLARE process name; BEGIN
    FOR process IN SELECT DISTINCT grantee::name FROM information_schema.role_table_grants
        WHERE table_schema = current_schema() AND table_name = 'alembic_version' AND grantee <> current_user
        AND privilege_type <> 'SELECT'
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM %I', process);
    END LOOP;
END $$
"""


def scripts_of(index: Service) -> ScriptDirectory:
    """Alembic's view of the service's migrations."""
    package = import_module(index.migrations)
    if package.__file__ is None:
        raise RuntimeError(f"{index.migrations} needs an __init__.py")
    config = Config()
    config.set_main_option("script_location", str(Path(package.__file__).parent))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def migrate(index: Service, database_url: str, password: str | None) -> str:
    """Upgrades to the newest revision as the owner role; returns the revision. Safe to run twice and by two at once."""
    scripts = scripts_of(index)
    head = scripts.get_current_head()
    if head is None:
        raise RuntimeError(f"{index.migrations} holds no revision")
    engine = create_engine(engine_url(database_url, password), hide_parameters=True)
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})

            def upgrade(revision: Any, _context: Any) -> Any:
                return scripts._upgrade_revs(head, revision)

            with EnvironmentContext(Config(), scripts, fn=upgrade, destination_rev=head) as environment:
                environment.configure(connection=connection, target_metadata=index.metadata)
                environment.run_migrations()
            connection.execute(text(_ONLY_MIGRATIONS_SAY_WHICH))
    finally:
        engine.dispose()
    return head
