"""A database of the first release is upgraded with its rows: nothing charged or paid is lost, and every invoice gets its lines."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import create_engine, text

from billing.app import INDEX
from chassis.database import Database, engine_url
from chassis.migrate import migrate, scripts_of
from chassis.testing import ServiceHarness
from tests.billing.desk import Desk
from tests.conftest import SEALING_KEY, Server

_SITE, _PERSON = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
_SET, _SESSION = "00000000-0000-7000-8000-000000000003", "00000000-0000-7000-8000-000000000004"
_INVOICE, _PAYMENT = "00000000-0000-7000-8000-000000000005", "00000000-0000-7000-8000-000000000006"
_HELD, _HELD_SESSION = "00000000-0000-7000-8000-000000000007", "00000000-0000-7000-8000-000000000008"
_AT = "2026-07-15T18:00:00Z"

_ROWS = (
    f"INSERT INTO site VALUES ('{_SITE}', 'America/Phoenix')",
    f"INSERT INTO account VALUES ('{_PERSON}', '{_SITE}', '{_AT}', true)",
    f"INSERT INTO invoice VALUES ('{_INVOICE}', '{_PERSON}', '{_SITE}', 450.00, '{_AT}')",
    f"""INSERT INTO charge_set VALUES ('{_SET}', '{_SESSION}', '{_PERSON}', '{_SITE}', '2026-07-15', true, 2400, 40, 50,
        '67457-108-10', 'charged', '', 450.00, '{_AT}', '{_INVOICE}')""",
    f"""INSERT INTO charge_set VALUES ('{_HELD}', '{_HELD_SESSION}', '{_PERSON}', '{_SITE}', '2026-07-15', true, 2400, 40,
        50, '67457-108-10', 'held', 'price_list.missing', 0, '{_AT}', NULL)""",
    f"INSERT INTO charge_line VALUES ('{_SET}', 1, '96365', 1, 400, 400.00, '', NULL)",
    f"INSERT INTO charge_line VALUES ('{_SET}', 2, 'J3490', 1, 50, 50.00, '67457010810', 0.80)",
    f"INSERT INTO payment VALUES ('{_PAYMENT}', '{_INVOICE}', '{_PERSON}', '{_SITE}', 100.00, 'card', '{_AT}')",
    f"INSERT INTO ledger_transaction VALUES ('{_SET}', '{_PERSON}', '{_SITE}', 'charge', '{_SET}', '{_AT}')",
    f"INSERT INTO ledger_transaction VALUES ('{_PAYMENT}', '{_PERSON}', '{_SITE}', 'payment', '{_PAYMENT}', '{_AT}')",
    f"""INSERT INTO ledger_entry VALUES
        ('{_SET}', 'accounts_receivable', '{_PERSON}', '{_SITE}', 450.00),
        ('{_SET}', 'revenue.96365', '{_PERSON}', '{_SITE}', -400.00),
        ('{_SET}', 'revenue.J3490', '{_PERSON}', '{_SITE}', -50.00),
        ('{_PAYMENT}', 'cash', '{_PERSON}', '{_SITE}', 100.00),
        ('{_PAYMENT}', 'accounts_receivable', '{_PERSON}', '{_SITE}', -100.00)""",
)


def _first_release(url: str, password: str) -> None:
    """The schema of the first release with a day's rows."""
    scripts = scripts_of(INDEX)
    engine = create_engine(engine_url(url, password))
    try:
        with engine.begin() as connection:

            def upgrade(revision: Any, _context: Any) -> Any:
                return scripts._upgrade_revs("0001", revision)

            with EnvironmentContext(Config(), scripts, fn=upgrade, destination_rev="0001") as environment:
                environment.configure(connection=connection, target_metadata=INDEX.metadata)
                environment.run_migrations()
        with engine.begin() as connection:
            for statement in _ROWS:
                connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture
def upgraded(server: Server) -> Iterator[Desk]:
    """A desk on a database that was one of the first release."""
    server.migrate(INDEX)
    name, owner = "billing_of_the_first_release", "billing_owner"
    with psycopg.connect(server.postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE billing OWNER {owner}")
        connection.execute(f"GRANT CONNECT ON DATABASE {name} TO billing_worker")
    # Emptied rather than made anew, so that what the roles may do by default is there.
    with psycopg.connect(server.postgres.dsn(database=name), autocommit=True) as connection:
        for kind, listed in (("TABLE", "pg_tables"),):
            for (table,) in connection.execute(
                f"SELECT tablename FROM {listed} WHERE schemaname = 'public'"
            ).fetchall():
                connection.execute(f"DROP {kind} {table} CASCADE")
        for (function,) in connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
        ).fetchall():
            connection.execute(f"DROP FUNCTION {function} CASCADE")
    url, password = server.url(owner, name), server.password(owner)
    _first_release(url, password)
    assert migrate(INDEX, url, password) == INDEX.required_revision
    database = Database(
        server.url("billing_worker", name),
        server.password("billing_worker"),
        service="billing",
        sealing_key=SEALING_KEY,
    )
    yield Desk(ServiceHarness(INDEX, database))
    database.dispose()
    server.drop(name)


def test_what_was_charged_and_paid_is_there_and_goes_on(upgraded: Desk) -> None:
    invoice = upgraded.invoice_now(_INVOICE)
    assert [(line.line.code, line.line.amount_usd) for line in invoice.lines] == [
        ("96365", "400.00"),
        ("J3490", "50.00"),
    ]
    assert (invoice.total_usd, invoice.paid_usd, invoice.due_usd) == ("450.00", "100.00", "350.00")
    assert upgraded.overpay(_INVOICE, "360.00").credit_usd == "10.00"
    upgraded.refund(_PAYMENT, "10.00")
    charged, held = upgraded.charges(_PERSON)
    assert (charged.kind, charged.source_id, held.state) == ("session", _SESSION, "held")
    upgraded.publish(_SITE)
    assert upgraded.charge_set(_HELD_SESSION).total_usd == "362.25"
    # The session of then is not charged once more.
    event = upgraded.closed(_SITE, _PERSON, session_id=_SESSION)
    assert upgraded.harness.deliver(event) == "applied"
    accounts, sum_usd = upgraded.ledger(_SITE)
    assert (accounts["accounts_receivable"], sum_usd) == ("362.25", "0.00")
    assert upgraded.statement(_PERSON).closing_usd == "362.25"


def test_the_coding_policy_of_then_is_in_force(upgraded: Desk) -> None:
    with upgraded.harness.database.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM coding_policy")).one()
    assert (row.payer_code, row.scope, row.review_state, row.bills_paused_time) == (
        "any", "network", "default, to be reviewed", False,
    )  # fmt: skip
    assert row.effective_from.isoformat() == "2020-01-01T00:00:00+00:00"
