"""What each role of a service may do, and may not."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from network.postgres import Postgres
from network.roles import SERVICES, ensure_roles, password_file


class Network:
    """A PostgreSQL whose roles are made."""

    def __init__(self, server: Postgres, secrets: Path) -> None:
        self.server = server
        self.secrets = secrets

    def connect(self, role: str, database: str) -> psycopg.Connection:
        password = password_file(self.secrets, role).read_text().strip()
        return psycopg.connect(self.server.dsn(role, database, password=password), autocommit=True)


@pytest.fixture(scope="module")
def network(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Network:
    made = Network(postgres, tmp_path_factory.mktemp("secrets"))
    ensure_roles(postgres.dsn(), made.secrets)
    with made.connect("billing_owner", "billing") as owner:
        owner.execute("CREATE TABLE ledger (id bigserial PRIMARY KEY, amount numeric NOT NULL)")
        owner.execute("REVOKE UPDATE, DELETE ON ledger FROM billing_api")
        owner.execute("CREATE TABLE charge (id int PRIMARY KEY, during tstzrange, EXCLUDE USING gist (id WITH =))")
    return made


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_its_database_and_its_roles(network: Network, service: str) -> None:
    for role in (f"{service}_owner", f"{service}_api", f"{service}_worker", "saguaro_verify"):
        with network.connect(role, service) as connection:
            assert connection.execute("SELECT current_user, current_database()").fetchone() == (role, service)


@pytest.mark.parametrize("role", ["billing_api", "billing_worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE charge ADD COLUMN extra int",
        "ALTER TABLE charge DISABLE ROW LEVEL SECURITY",
        "TRUNCATE charge",
        "DROP TABLE charge",
        "SET ROLE billing_owner",
    ],
)
def test_the_roles_of_processes_can_do_no_ddl(network: Network, role: str, statement: str) -> None:
    with network.connect(role, "billing") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("role", ["billing_api", "billing_worker"])
def test_the_roles_of_processes_use_what_the_owner_made_later(network: Network, role: str) -> None:
    with network.connect(role, "billing") as connection:
        connection.execute("INSERT INTO ledger (amount) VALUES (1)")
        connection.execute("INSERT INTO charge VALUES (1)")
        assert connection.execute("UPDATE charge SET id = 2").rowcount == 1
        assert connection.execute("DELETE FROM charge").rowcount == 1


def test_verify_reads_and_nothing_else(network: Network) -> None:
    with network.connect("saguaro_verify", "billing") as connection:
        connection.execute("SELECT count(*) FROM ledger")
        with pytest.raises(ReadOnlySqlTransaction):
            connection.execute("DELETE FROM ledger")
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("DELETE FROM ledger")


@pytest.mark.parametrize("role", ["billing_owner", "billing_api", "billing_worker"])
@pytest.mark.parametrize("database", ["intake", "postgres", "template1"])
def test_nobody_enters_a_foreign_database(network: Network, role: str, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        network.connect(role, database)


def test_a_second_run_mends_a_lost_password_and_gives_back_no_right(network: Network) -> None:
    password_file(network.secrets, "billing_worker").unlink()
    kept = password_file(network.secrets, "billing_api").read_text()
    ensure_roles(network.server.dsn(), network.secrets)
    network.connect("billing_worker", "billing").close()
    assert password_file(network.secrets, "billing_api").read_text() == kept
    with network.connect("billing_api", "billing") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute("UPDATE ledger SET amount = 0")


def test_passwords_are_files_for_their_owner_alone(network: Network) -> None:
    files = list(network.secrets.iterdir())
    assert len(files) == 3 * len(SERVICES) + 1
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert len({file.read_text() for file in files}) == len(files)
