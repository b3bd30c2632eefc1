"""Schemas: brought up once by whoever comes first, equal to what the code believes, and refused when they are too old."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql

from chassis.database import Database
from chassis.migrate import migrate, scripts_of
from chassis.plumbing import PLUMBING_TABLES
from network.roles import SERVICES
from tests.chassis.toy.app import INDEX
from tests.chassis.toy.processes import ROOT
from tests.conftest import Server

_MIGRATES = """
import sys
from importlib import import_module
from chassis.migrate import migrate
print(migrate(import_module(sys.argv[1]).INDEX, sys.argv[2], sys.stdin.read()))
"""


def empty_copy(server: Server, service: str) -> str:
    """A database of the service with nothing in it but what the roles were given."""
    name = server.copy_of(service)
    owner = f"{service}_owner"
    with psycopg.connect(server.postgres.dsn(database=name), autocommit=True) as connection:
        connection.execute("DROP EXTENSION btree_gist CASCADE")
        connection.execute(
            sql.SQL("DROP OWNED BY {}, {}").format(*map(sql.Identifier, (f"{service}_api", f"{service}_worker")))
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute(sql.SQL("CREATE SCHEMA public AUTHORIZATION {}").format(sql.Identifier(owner)))
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute(
            sql.SQL(
                "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}"
            ).format(sql.Identifier(owner), sql.Identifier(f"{service}_worker"))
        )
    return name


@pytest.mark.parametrize("service", SERVICES)
def test_two_processes_migrate_at_once_and_once_more(server: Server, service: str) -> None:
    """One does the work, the other waits and finds it done; a third time changes nothing."""
    index = import_module(f"{service}.app").INDEX
    server.migrate(index)
    name = empty_copy(server, service)
    url, password = server.url(f"{service}_owner", name), server.password(f"{service}_owner")
    path = os.pathsep.join(str(ROOT / part) for part in ("services", "build/contracts"))
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATES, f"{service}.app", url],
            env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    head = scripts_of(index).get_current_head()
    for process in both:
        if process.stdin is not None:
            process.stdin.write(password)
            process.stdin.close()
            process.stdin = None
    for process in both:
        out, said = process.communicate(timeout=120)
        assert (process.returncode, out.strip()) == (0, head), said
    assert migrate(index, url, password) == head
    with psycopg.connect(server.postgres.dsn(database=name)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(head,)]
        assert connection.execute("SELECT count(*) FROM relay_idle").fetchone() == (1,)
    server.drop(name)


@pytest.mark.parametrize("service", SERVICES)
def test_the_migrated_schema_is_what_the_tables_say(database_of: Callable[..., Database], service: str) -> None:
    """Both ways: no table, column, type, index or unique constraint that only one of them has, beside the plumbing."""
    index = import_module(f"{service}.app").INDEX

    with database_of(service).engine.connect() as connection:
        parts = set(connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relispartition").scalars())

        def ours(item: Any, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
            if kind == "table":
                return name not in {*PLUMBING_TABLES, "alembic_version", *parts}
            # A partition's indexes come with those of its table.
            return name not in parts and getattr(getattr(item, "table", None), "name", None) not in parts

        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, index.metadata) == []


@pytest.mark.parametrize("service", SERVICES)
def test_plumbing_is_there_in_every_service_and_its_list_is_whole(
    database_of: Callable[..., Database], service: str
) -> None:
    index = import_module(f"{service}.app").INDEX
    with database_of(service).engine.connect() as connection:
        found = set(
            connection.exec_driver_sql(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
                " AND relnamespace = 'public'::regnamespace"
            ).scalars()
        )
    assert found == {*PLUMBING_TABLES, "alembic_version", *index.metadata.tables}


def test_a_migration_that_fails_leaves_the_old_schema(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.migrate(INDEX)
    name = empty_copy(server, "toy")
    url, password = server.url("toy_owner", name), server.password("toy_owner")
    from chassis import migrate as module

    monkeypatch.setattr(module, "_ONLY_MIGRATIONS_SAY_WHICH", "SELECT 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        migrate(INDEX, url, password)
    with psycopg.connect(server.postgres.dsn(database=name)) as connection:
        assert connection.execute("SELECT to_regclass('alembic_version'), to_regclass('heard')").fetchone() == (
            None,
            None,
        )
    monkeypatch.undo()
    assert migrate(INDEX, url, password) == "0001"
    server.drop(name)


def test_a_process_refuses_an_older_schema_and_takes_a_newer_one(toy_database: Callable[[], Database]) -> None:
    """Exit code and reason are the process's; the comparison is of revisions as text of four digits."""
    from chassis.process import EXIT_SCHEMA

    database = toy_database()
    program = """
import sys
from types import SimpleNamespace
from typing import Any
from chassis import process
from chassis.database import Database
found = process.Process("toy", "api", None, SimpleNamespace(register=lambda *_: None), None,
    SimpleNamespace(critical=lambda *_a, **k: print(k["revision"], k["expected"])), SimpleNamespace(is_set=lambda: False))
database = Database(sys.argv[1], sys.stdin.read(), service="toy", sealing_key=bytes(32))
found.await_schema(SimpleNamespace(required_revision=sys.argv[2]), database)
"""
    path = os.pathsep.join(str(ROOT / part) for part in ("services", "build/contracts"))
    url = database.url.set(drivername="postgresql", password=None).render_as_string()
    codes = {}
    for needed in ("0000", "0001", "0002"):
        done = subprocess.run(
            [sys.executable, "-c", program, url, needed],
            input=str(database.url.password), capture_output=True, text=True, timeout=60, check=False,
            env={"PYTHONPATH": path, "PATH": os.environ["PATH"]},
        )  # fmt: skip
        codes[needed] = (done.returncode, done.stdout.strip())
    assert codes == {"0000": (0, ""), "0001": (0, ""), "0002": (EXIT_SCHEMA, "0001 0002")}


def test_an_index_without_revisions_is_refused(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from chassis import migrate as module

    monkeypatch.setattr(module, "scripts_of", lambda _index: SimpleNamespace(get_current_head=lambda: None))
    with pytest.raises(RuntimeError, match="holds no revision"):
        migrate(replace(INDEX), "postgresql://nobody@127.0.0.1:9/none", None)
