"""The migrated schema, the index and the default policy are what they say they are."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from chassis.database import Database
from saguaro.treatment_plan.v1 import service_pb2
from treatment_plan.app import INDEX
from treatment_plan.tables import metadata

# Policy is about no person.
OF_NOBODY = {name for name, table in metadata.tables.items() if "review_state" in table.c}

# Copies of who may do what, and where.
OF_STAFF = {"practitioner", "practitioner_site", "site"}


def test_the_migrated_schema_is_that_of_the_tables(database_of: Callable[..., Database]) -> None:
    with database_of("treatment_plan").engine.connect() as connection:
        ours = {"include_name": lambda name, kind, _parents: kind != "table" or name in metadata.tables}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), metadata) == []
        found = connection.execute(
            text("SELECT conname FROM pg_constraint WHERE contype <> 'n' AND conrelid::regclass::text = ANY(:tables)"),
            {"tables": list(metadata.tables)},
        ).scalars()
        written = {str(item.name) for table in metadata.tables.values() for item in table.constraints}
        assert set(found) == written


def test_every_table_about_a_person_says_whose_and_where() -> None:
    for name, table in metadata.tables.items():
        if name not in OF_NOBODY | OF_STAFF:
            assert not table.c.person_id.nullable, name
            assert not table.c.site_id.nullable, name


def test_no_clinic_fact_has_a_default_of_the_database() -> None:
    assert [
        column
        for name, table in metadata.tables.items()
        for column in table.c
        if name not in OF_NOBODY and column.server_default is not None
    ] == []


def test_every_rpc_of_the_contract_is_a_row_of_the_index() -> None:
    contract = {
        method.name: method.input_type.full_name
        for method in service_pb2.DESCRIPTOR.services_by_name["TreatmentPlanService"].methods
    }
    rows = {row.rpc: row.request.DESCRIPTOR.full_name for row in (*INDEX.commands, *INDEX.queries)}
    ours = {rpc: name for rpc, name in rows.items() if not name.startswith("saguaro.policy.")}
    assert ours == contract


def test_every_default_waits_for_review(database_of: Callable[..., Database]) -> None:
    with database_of("treatment_plan").engine.connect() as connection:
        for table in sorted(OF_NOBODY):
            states = connection.execute(text(f"SELECT review_state, count(*) FROM {table} GROUP BY 1")).all()
            assert [state for state, count in states if count] == ["default, to be reviewed"], table


def test_the_worker_writes_with_its_own_role(database_of: Callable[..., Database]) -> None:
    with database_of("treatment_plan", role="worker").engine.connect() as connection:
        for table in metadata.tables:
            allowed = connection.execute(
                text(
                    "SELECT has_table_privilege(:name, 'SELECT, INSERT, UPDATE') AND NOT has_schema_privilege('public', 'CREATE')"
                ),
                {"name": table},
            ).scalar_one()
            assert allowed, table
