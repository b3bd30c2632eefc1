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
    finally:
        engine.dispose()
    return head
