"""The migrated schema is what tables.py says, and the policy ships marked for review."""

from sqlalchemy import inspect

from device_telemetry.domain.policy import Policy
from device_telemetry.frames.policy_cache import policies_in_force
from device_telemetry.tables import metadata
from tests.device_telemetry.frames_by_hand import START, default_limits
from tests.device_telemetry.ward import Ward


def test_the_migrated_tables_are_those_of_tables_py(ward: Ward) -> None:
    inspector = inspect(ward.database.engine)
    for table in metadata.sorted_tables:
        found = {
            column["name"]: (str(column["type"].compile(ward.database.engine.dialect)), column["nullable"])
            for column in inspector.get_columns(table.name)
        }
        said = {
            column.name: (str(column.type.compile(ward.database.engine.dialect)), bool(column.nullable))
            for column in table.columns
        }
        assert found == said, table.name


def test_every_table_about_a_person_says_whose_and_where(ward: Ward) -> None:
    for table in metadata.sorted_tables:
        if "session_id" in table.columns:
            assert not table.columns["person_id"].nullable
            assert not table.columns["site_id"].nullable


def test_the_default_policy_is_what_the_rules_are_tested_with(ward: Ward) -> None:
    with ward.database.unit_of_work(ward.harness.context(at=START)) as uow:
        from uuid import UUID

        site_id = UUID(ward.site_id)
        found: Policy = policies_in_force(uow, [(site_id, START)])[site_id, START]
    expected = default_limits()
    assert set(found.limits) == set(expected.limits)
    assert set(found.silences) == set(expected.silences)
    assert (found.feed_slack_ms, found.clock_tolerance_ms) == (expected.feed_slack_ms, expected.clock_tolerance_ms)
    assert found.pump == expected.pump
    assert found.pump_silence == expected.pump_silence
    assert found.steps == expected.steps
    assert found.latching_priority == expected.latching_priority


def test_policy_rows_are_marked_for_review(ward: Ward) -> None:
    for table in ("alarm_limit", "silence_limit", "telemetry_policy", "alarm_escalation", "policy_number"):
        states = {row.review_state for row in ward.rows(f"SELECT review_state FROM {table}")}
        assert states == {"default, to be reviewed"}


def test_a_site_s_own_limit_goes_before_the_network_s(ward: Ward) -> None:
    from uuid import UUID

    with ward.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO telemetry_policy (name, seconds, scope, effective_from) VALUES ('feed_slack', 30, %s, '2021-01-01Z')",
            (ward.site_id,),
        )
    site_id, elsewhere = UUID(ward.site_id), UUID(int=1)
    with ward.database.unit_of_work(ward.harness.context(at=START)) as uow:
        found = policies_in_force(uow, [(site_id, START), (elsewhere, START)])
    assert found[site_id, START].feed_slack_ms == 30_000
    assert found[elsewhere, START].feed_slack_ms == 15_000
