"""The ledger cannot be put out of balance or rewritten, not even by raw SQL with the service's own rights."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from billing.schema import metadata
from chassis.database import Database
from chassis.errors import InvalidArgument
from chassis.values import decimal_text
from tests.billing.desk import Desk
from tests.conftest import Server

_TRANSACTION = text("""
INSERT INTO ledger_transaction (transaction_id, person_id, site_id, kind, source_id, posted_at)
VALUES (:transaction_id, :whose, :whose, 'charge', :transaction_id, '2026-07-15T16:00:00Z')
""")
_ENTRY = text("""
INSERT INTO ledger_entry (transaction_id, account_code, person_id, site_id, amount_usd)
VALUES (:transaction_id, :account, :whose, :whose, :amount)
""")


def _begin(connection: Connection) -> dict[str, UUID]:
    whose = {"transaction_id": uuid4(), "whose": uuid4()}
    connection.execute(_TRANSACTION, whose)
    return whose


def _constraint(error: DBAPIError) -> str:
    return str(getattr(getattr(error.orig, "diag", None), "constraint_name", ""))


@pytest.fixture(params=["worker", "api"])
def raw(request: pytest.FixtureRequest, database_of: Callable[..., Database]) -> Database:
    """The database of billing as one of the roles that the service runs under."""
    return database_of("billing", role=request.param)


@pytest.mark.parametrize("entries", [[], ["10.00"], ["10.00", "-9.99"], ["0.01", "0.02"]])
def test_what_does_not_sum_to_zero_cannot_be_committed(raw: Database, entries: list[str]) -> None:
    with pytest.raises(IntegrityError) as refused, raw.engine.begin() as connection:  # noqa: PT012
        whose = _begin(connection)
        for number, amount in enumerate(entries):
            connection.execute(_ENTRY, whose | {"account": f"account.{number}", "amount": amount})
    assert _constraint(refused.value) == "ledger_balance"
    with raw.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM ledger_transaction")).scalar() == 0


def test_a_balanced_one_can_and_nothing_can_be_added_to_it_later(raw: Database) -> None:
    with raw.engine.begin() as connection:
        whose = _begin(connection)
        connection.execute(_ENTRY, whose | {"account": "cash", "amount": "10.00"})
        connection.execute(_ENTRY, whose | {"account": "accounts_receivable", "amount": "-10.00"})
    with pytest.raises(IntegrityError) as refused, raw.engine.begin() as connection:
        connection.execute(_ENTRY, whose | {"account": "revenue.96365", "amount": "0.01"})
    assert _constraint(refused.value) == "ledger_balance"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount_usd = amount_usd * 2",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "UPDATE ledger_transaction SET kind = 'payment'",
        "DELETE FROM ledger_transaction",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_entry_balance ON ledger_entry",
        "SET session_replication_role = replica",
    ],
)
def test_the_services_roles_have_no_right_to_rewrite_it(raw: Database, statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused, raw.engine.begin() as connection:
        connection.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", None) == "42501"


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET person_id = person_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_even_their_owner_is_stopped_by_the_triggers(desk: Desk, server: Server, table: str, statement: str) -> None:
    desk.charge(desk.closed(desk.priced_site(), desk.person()))
    as_owner = desk.harness.database.url.set(
        username="billing_owner",
        password=server.password("billing_owner"),
    )
    owner = Database(as_owner.render_as_string(hide_password=False), None, service="billing", sealing_key=bytes(32))
    try:
        with pytest.raises(IntegrityError) as refused, owner.engine.begin() as connection:
            connection.execute(text(statement.format(table)))
        assert _constraint(refused.value) == "ledger_append_only"
    finally:
        owner.dispose()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 20_000), min_size=1, max_size=4),
    st.lists(st.decimals("0.01", "900", places=2), max_size=5),
)
def test_whatever_is_charged_and_paid_the_books_agree(desk: Desk, seconds: list[int], payments: list[Decimal]) -> None:
    site, person = desk.priced_site(), desk.person()
    charged = sum(Decimal(desk.charge(desk.closed(site, person, seconds=length)).total_usd) for length in seconds)
    issued = desk.invoice(person, site)
    assert Decimal(issued.total_usd) == charged
    paid = Decimal(0)
    for amount in payments:
        if amount > charged - paid:
            with pytest.raises(InvalidArgument):
                desk.pay(issued.invoice_id, decimal_text(amount))
        else:
            desk.pay(issued.invoice_id, decimal_text(amount))
            paid += amount
    found, sum_usd = desk.ledger(site)
    assert sum_usd == "0.00"
    assert Decimal(found["accounts_receivable"]) == charged - paid
    assert Decimal(found.get("cash", "0")) == paid


def test_the_migrated_schema_is_that_of_the_tables(desk: Desk) -> None:
    with desk.harness.database.engine.connect() as connection:
        ours = {"include_name": lambda name, kind, _parents: kind != "table" or name in metadata.tables}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), metadata) == []
        found = connection.execute(
            text("""
            SELECT conname FROM pg_constraint
            WHERE contype NOT IN ('n', 't') AND conrelid::regclass::text = ANY(:tables)
            """),
            {"tables": list(metadata.tables)},
        ).scalars()
        written = {str(item.name) for table in metadata.tables.values() for item in table.constraints}
        assert set(found) == written
