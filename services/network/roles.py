"""Databases and roles of the services: one database each, and nobody with more rights than its process needs.

For each service `s` there is a database `s` with

* `s_owner`, which owns it and its schema: migrations only;
* `s_api` and `s_worker`, which read and write rows and can make or alter nothing, not even a temporary table;
* `saguaro_verify`, the same role everywhere, which reads.

What the owner makes later is theirs to use at once, by default privileges. Those are the only table rights given here:
a migration that takes one back (a ledger that may not be updated) is not undone by the next run of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from network.secret_files import secret_in

SERVICES = ("intake", "scheduling", "treatment_plan", "device_telemetry", "billing")
VERIFY = "saguaro_verify"

_SETUP_LOCK = 0x5A6_0A50  # one advisory lock for all of this: two runs at once would trip over each other's CREATE


def password_file(secrets: Path, role: str) -> Path:
    """Where the password of a role lies."""
    return secrets / f"{role}.password"


def ensure_roles(superuser_dsn: str, secrets: Path, services: Sequence[str] = SERVICES) -> None:
    """Make the databases and roles that are missing, and set each password to the one in its file; safe to repeat."""
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_SETUP_LOCK,))
        # The check needs no rows of a person: row security would make it pass by showing nothing.
        _role(connection, secrets, VERIFY, sql.SQL("BYPASSRLS"))
        connection.execute(
            sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(VERIFY))
        )
        # Everybody may enter these by default; a service has nothing to look for there.
        connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
        for service in services:
            for role in (f"{service}_owner", f"{service}_api", f"{service}_worker"):
                _role(connection, secrets, role, sql.SQL("NOBYPASSRLS"))
            _database(connection, service)
            with psycopg.connect(make_conninfo(superuser_dsn, dbname=service), autocommit=True) as inside:
                _schema(inside, service)


def _role(connection: psycopg.Connection, secrets: Path, name: str, row_security: sql.SQL) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    # Hashed here, as libpq does it: the password itself never travels and can reach no log.
    password = secret_in(password_file(secrets, name)).encode()
    hashed = connection.pgconn.encrypt_password(password, name.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {} PASSWORD {}").format(
            sql.Identifier(name), row_security, sql.Literal(hashed)
        )
    )


def _database(connection: psycopg.Connection, service: str) -> None:
    database, owner = sql.Identifier(service), sql.Identifier(f"{service}_owner")
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (service,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, _users(service)))


def _schema(inside: psycopg.Connection, service: str) -> None:
    owner, users, verify = sql.Identifier(f"{service}_owner"), _users(service), sql.Identifier(VERIFY)
    processes = sql.SQL(", ").join(map(sql.Identifier, (f"{service}_api", f"{service}_worker")))
    # Only a superuser may: what the extension makes is not the owner's to change.
    inside.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    inside.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
    inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    inside.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(users))
    later = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT {} ON {} TO {}")
    rows = sql.SQL("SELECT, INSERT, UPDATE, DELETE")
    inside.execute(later.format(owner, rows, sql.SQL("TABLES"), processes))
    inside.execute(later.format(owner, sql.SQL("USAGE"), sql.SQL("SEQUENCES"), processes))
    inside.execute(later.format(owner, sql.SQL("SELECT"), sql.SQL("TABLES"), verify))


def _users(service: str) -> sql.Composed:
    """Everybody but the owner."""
    return sql.SQL(", ").join(map(sql.Identifier, (f"{service}_api", f"{service}_worker", VERIFY)))
