"""The embedded PostgreSQL keeps its data, its port and its silence, and leaves nobody behind."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

import psutil
import psycopg
import pytest

from network.account import can_reach, service_account
from network.postgres import Postgres, processes_of
from network.postgres_place import place_for


def query(server: Postgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_answers_with_the_settings_that_the_house_asks_for(postgres: Postgres) -> None:
    wanted = {"password_encryption": "scram-sha-256", "max_wal_size": "1GB", "log_error_verbosity": "terse"}
    for name, value in wanted.items():
        assert query(postgres, f"SHOW {name}") == [(value,)]


def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.dsn(password="wrong"))


def test_a_missing_password_is_refused_on_the_socket_too(postgres: Postgres) -> None:
    address = f"host={postgres.socket_dir()} port={postgres.port} user=postgres dbname=postgres"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(address)


def test_the_superuser_secret_is_for_its_owner_alone(postgres: Postgres) -> None:
    [secret] = Path(postgres.log.parent.parent, "secrets").iterdir()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700


def test_committed_rows_and_the_port_survive_a_kill(postgres: Postgres) -> None:
    query(postgres, "CREATE TABLE survives (n int)")
    query(postgres, "INSERT INTO survives SELECT generate_series(1, 1000)")
    port, pid = postgres.port, postgres.pid
    postgres.kill()
    assert postgres.pid is None
    postgres.start()
    assert (postgres.port, postgres.pid != pid) == (port, True)
    assert query(postgres, "SELECT count(*), sum(n) FROM survives") == [(1000, 500500)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'Mrs Begaye'::int",
        "INSERT INTO names VALUES ('Mrs Begaye')",
        "SELECT nothing FROM names WHERE name = 'Mrs Begaye'",
        "DO $$ BEGIN RAISE WARNING 'Mrs Begaye'; END $$",
    ],
)
def test_no_value_of_a_failing_statement_reaches_the_log(postgres: Postgres, statement: str) -> None:
    query(postgres, "CREATE TABLE IF NOT EXISTS names (name text PRIMARY KEY)")
    query(postgres, "INSERT INTO names VALUES ('Mrs Begaye') ON CONFLICT DO NOTHING")
    with contextlib.suppress(psycopg.Error):
        query(postgres, statement)
    assert "Begaye" not in postgres.log.read_text()


def test_a_server_that_a_dead_supervisor_left_is_replaced(postgres: Postgres) -> None:
    left = postgres.pid
    assert left is not None
    query(postgres, "CREATE TABLE left_behind AS SELECT 1 AS n")
    successor = Postgres(postgres.log.parent.parent)
    successor.start()
    try:
        assert postgres.pid is None
        assert successor.port == postgres.port
        assert query(successor, "SELECT n FROM left_behind") == [(1,)]
    finally:
        successor.stop()
        postgres.start()


def test_backends_of_a_killed_postmaster_do_not_stop_the_next_start(postgres: Postgres) -> None:
    data = place_for(postgres.log.parent.parent).data
    connection = psycopg.connect(postgres.dsn())
    [(backend,)] = connection.execute("SELECT pg_backend_pid()").fetchall()
    # Frozen, it cannot notice that its postmaster is gone, and holds on to the shared memory.
    psutil.Process(backend).suspend()
    postgres.kill()
    postgres.start()
    connection.close()
    assert backend not in [process.pid for process in processes_of(data)]


def test_two_homes_run_side_by_side(postgres: Postgres, tmp_path: Path) -> None:
    other = Postgres(tmp_path)
    other.start()
    try:
        query(other, "CREATE TABLE only_here (n int)")
        assert other.port != postgres.port
        assert query(postgres, "SELECT to_regclass('only_here')") == [(None,)]
    finally:
        other.destroy()
    assert query(postgres, "SELECT 1") == [(1,)]


def test_a_port_that_someone_else_took_is_given_up(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    server.start()
    taken = server.port
    server.stop()
    with socket.create_server(("127.0.0.1", taken)):
        server.start()
        try:
            assert server.port != taken
        finally:
            server.destroy()


def test_an_init_that_was_cut_short_does_not_count(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    torn = place_for(tmp_path).root / "init-torn" / "data"
    torn.mkdir(parents=True)
    (torn / "PG_VERSION").write_text("18\n")
    try:
        assert not server.initialised()
        server.start()
        assert query(server, "SELECT 1") == [(1,)]
    finally:
        server.destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_runs_it_as_somebody_else_even_where_the_home_is_out_of_reach(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    account = service_account()
    assert account is not None
    server = Postgres(home)
    server.start()
    try:
        place = place_for(home)
        assert not can_reach(account, home)
        assert not place.root.is_relative_to(home)
        assert all(process.uids().real == account.uid for process in processes_of(place.data))
        assert place_for(home).root == place.root
    finally:
        server.destroy()
    assert not place.root.exists()


def test_a_long_home_still_has_a_socket(tmp_path: Path) -> None:
    server = Postgres(tmp_path / ("long" * 30))
    server.start()
    try:
        with psycopg.connect(server.dsn(), host=str(server.socket_dir())) as connection:
            assert connection.execute("SELECT inet_client_addr()").fetchall() == [(None,)]
    finally:
        server.destroy()
