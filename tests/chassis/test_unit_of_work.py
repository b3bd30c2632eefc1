"""One transaction with its context: what it shows, what it refuses, what its roles may do."""

from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chassis.context import RequestContext
from chassis.database import Database
from chassis.records import plumbing_context
from chassis.testing import DEFAULT_TIME
from chassis.unit_of_work import UnitOfWork
from saguaro.billing.v1 import events_pb2 as billing
from saguaro.billing.v1 import service_pb2 as pb
from tests.chassis.toy.app import INDEX
from tests.conftest import Server

CONTEXT = RequestContext(uuid4(), "nurse", "tucson", "treatment", uuid4(), DEFAULT_TIME)
SETTINGS = ("actor", "role", "sites", "purpose")


def shown(uow: UnitOfWork) -> list[str]:
    """The context as the database sees it."""
    columns = ", ".join(f"current_setting('saguaro.{name}', true)" for name in SETTINGS)
    return list(uow.driver.execute(f"SELECT {columns}").fetchone())


def one_connection(server: Server, database: Database) -> Database:
    """The same database with a pool of one, so that the next transaction meets the same connection."""
    url = server.url("toy_worker", str(database.url.database))
    return Database(url, server.password("toy_worker"), service="toy", sealing_key=bytes(32), pool_size=1)


def test_the_context_lasts_as_long_as_the_transaction(server: Server, toy_database: Callable[[], Database]) -> None:
    database = one_connection(server, toy_database())
    with database.unit_of_work(CONTEXT) as uow:
        backend = uow.driver.info.backend_pid
        assert shown(uow) == [str(CONTEXT.actor_id), "nurse", "tucson", "treatment"]
    with pytest.raises(RuntimeError), database.unit_of_work(CONTEXT) as uow:
        raise RuntimeError
    with database.engine.connect() as connection:
        assert connection.connection.driver_connection.info.backend_pid == backend
        assert [
            connection.execute(text(f"SELECT current_setting('saguaro.{name}', true)")).scalar() for name in SETTINGS
        ] == [""] * 4
    database.dispose()


def test_autocommit_is_refused(toy_database: Callable[[], Database]) -> None:
    engine = toy_database().engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, pytest.raises(RuntimeError, match="autocommit"):
        UnitOfWork(toy_database(), connection, CONTEXT, read_only=False).begin()


def test_a_query_cannot_write(server: Server, toy_database: Callable[[], Database]) -> None:
    """And what is read-only for one is not for the next on the same connection."""
    database = one_connection(server, toy_database())
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.unit_of_work(CONTEXT, read_only=True) as uow:
        uow.emit(billing.PaymentReceived(person_id="p", amount_usd="1"))
    with database.unit_of_work(CONTEXT) as uow:
        uow.emit(billing.PaymentReceived(person_id="p", amount_usd="1"))
    database.dispose()


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (pb.RecordPaymentRequest(), "is not an event"),
        (billing.PaymentReceived(amount_usd="1"), "person_id is empty"),
        (billing.PaymentReceived(person_id="p", payment_id="secret" * 200_000), "is larger than"),
    ],
)
def test_only_an_event_with_a_key_that_the_broker_takes_is_emitted(
    toy_database: Callable[[], Database], message: billing.PaymentReceived, rule: str
) -> None:
    database = toy_database()
    with pytest.raises(ValueError, match=rule) as refused, database.unit_of_work(CONTEXT) as uow:
        uow.emit(message)
    assert "secret" not in str(refused.value)
    with database.unit_of_work(CONTEXT) as uow:
        assert uow.execute(text("SELECT count(*) FROM outbox")).scalar() == 0


def test_what_fails_leaves_nothing(toy_database: Callable[[], Database]) -> None:
    """State, event and version go together."""
    database = toy_database()
    with pytest.raises(RuntimeError), database.unit_of_work(CONTEXT) as uow:  # noqa: PT012
        uow.execute(text("INSERT INTO heard (kind, key, what) VALUES ('a', 'b', 'c')"))
        uow.emit(billing.PaymentReceived(person_id="p", amount_usd="1"))
        raise RuntimeError
    with database.unit_of_work(CONTEXT) as uow:
        for table in ("heard", "outbox", "event_sequence"):
            assert uow.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


@pytest.mark.parametrize("role", ["api", "worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE of_my_own (n int)",
        "ALTER TABLE heard ADD COLUMN more text",
        "DROP TABLE heard",
        "TRUNCATE heard",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE alembic_version SET version_num = '9999'",
        "SET ROLE toy_owner",
    ],
)
def test_a_process_cannot_change_the_schema(
    server: Server, toy_database: Callable[[], Database], role: str, statement: str
) -> None:
    where = str(toy_database().url.database)
    database = Database(
        server.url(f"toy_{role}", where), server.password(f"toy_{role}"), service="toy", sealing_key=bytes(32)
    )
    with pytest.raises(ProgrammingError) as refused, database.unit_of_work(plumbing_context()) as uow:
        uow.execute(text(statement))
    assert refused.value.orig is not None
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"
    with database.unit_of_work(plumbing_context()) as uow:
        row = uow.driver.execute(
            "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False,)
    database.dispose()


def test_the_toys_index_is_migrated(toy_database: Callable[[], Database]) -> None:
    assert toy_database().revision() == INDEX.required_revision
