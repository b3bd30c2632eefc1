"""The migrated schema, the policy data in it, and the index against the contract."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from chassis.database import Database
from intake.app import INDEX
from saguaro.intake.v1 import service_pb2
from saguaro.policy.v1 import service_pb2 as policy_pb2

OWN_TABLES = INDEX.metadata.tables
# Copies and policy are about no person.
NOT_ABOUT_A_PERSON = {"site", "practitioner", "practitioner_revision", "practitioner_site"} | {
    name for name, table in OWN_TABLES.items() if "effective_from" in table.c
}


def test_the_migrated_schema_is_that_of_the_tables(database_of: Callable[..., Database]) -> None:
    with database_of("intake").engine.connect() as connection:
        ours = {"include_name": lambda name, kind, _parents: kind != "table" or name in OWN_TABLES}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), INDEX.metadata) == []
        found = connection.execute(
            text("SELECT conname FROM pg_constraint WHERE contype <> 'n' AND conrelid::regclass::text = ANY(:tables)"),
            {"tables": list(OWN_TABLES)},
        ).scalars()
        written = {str(item.name) for table in OWN_TABLES.values() for item in table.constraints}
        assert set(found) == written


def test_every_table_about_a_person_says_whom_and_where() -> None:
    about = [table for name, table in OWN_TABLES.items() if name not in NOT_ABOUT_A_PERSON]
    assert len(about) >= 12
    for table in about:
        assert not table.c.person_id.nullable
        assert not table.c.site_id.nullable
    assert [column.name for table in about for column in table.c if column.server_default is not None] == []


def test_policy_data_name_their_source_and_wait_for_review(database_of: Callable[..., Database]) -> None:
    policy = [name for name, table in OWN_TABLES.items() if "effective_from" in table.c]
    assert len(policy) >= 10
    with database_of("intake").engine.connect() as connection:
        for name in policy:
            state = "review_state" if "review_state" in OWN_TABLES[name].c else "status"
            rows = connection.execute(text(f"SELECT source, {state} AS state FROM {name}")).all()
            assert rows, name
            assert {row.state for row in rows} == {"default, to be reviewed"}
            assert all(row.source for row in rows)


def test_the_index_answers_every_rpc_of_the_contract() -> None:
    contract = {
        method.name: method.input_type.full_name
        for module, name in ((service_pb2, "IntakeService"), (policy_pb2, "PolicyService"))
        for method in module.DESCRIPTOR.services_by_name[name].methods
    }
    assert INDEX.grpc_services == ("saguaro.intake.v1.IntakeService", "saguaro.policy.v1.PolicyService")
    assert {row.rpc: row.request.DESCRIPTOR.full_name for row in (*INDEX.commands, *INDEX.queries)} == contract
    assert all(row.roles for row in (*INDEX.commands, *INDEX.queries) if row.rpc != "ListPolicy")
