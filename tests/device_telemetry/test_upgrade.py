"""A database of the first release is upgraded with an infusion under way: nobody is forgotten, and the policy of then stays in force."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import create_engine, text

from chassis.database import Database, engine_url
from chassis.migrate import migrate, scripts_of
from chassis.testing import ServiceHarness
from device_telemetry.app import INDEX
from device_telemetry.frames.policy_cache import policies_in_force
from saguaro.device_telemetry.v1 import events_pb2 as events
from tests.conftest import SEALING_KEY, Server
from tests.device_telemetry.frames_by_hand import START, START_MS, frame, pump_report
from tests.device_telemetry.ward import Ward

_SITE, _PERSON = UUID(int=0x51), UUID(int=0x9E)
_SESSION, _ORDER, _PUMP = UUID(int=0x5E), UUID(int=0x0D), UUID(int=0xB1)
_ALARM = UUID(int=0xA1)

# As the first release wrote it, after ten minutes of an infusion.
_STATE: dict[str, Any] = {
    "session_id": str(_SESSION), "log_ms": START_MS + 600_000, "devices": {str(_PUMP): {"last": 3, "missing": []}},
    "metrics": {"hr": {"last_ms": START_MS + 600_000, "period_ms": 60000, "device_id": str(UUID(int=0xB2))}}, "runs": {},
    "active": {"pump.programme_changed": str(_ALARM)}, "alarms_raised": 1, "pump_seen_ms": START_MS + 600_000,
    "pump": {
        "phase": "infusing", "started_ms": START_MS, "stopped_ms": None, "last_ms": START_MS + 600_000,
        "last_infusing": True, "last_total_ml": "50.0", "start_total_ml": "40.0",
        "account": {
            "segment_from_ml": "40.0", "carried_ml": "0", "last_total_ml": "50.0", "last_ms": START_MS + 600_000,
            "last_delivering": True, "last_paused": False, "delivering_ms": 600_000, "paused_ms": 0, "ended_ms": None,
        },
    },
}  # fmt: skip
_WHOSE = f"'{_PERSON}', '{_SITE}'"
_PROGRAMME = "'ketamine', 1, 60, 40"
_ROWS = (
    f"INSERT INTO device (device_id, site_id, kind) VALUES ('{_PUMP}', '{_SITE}', 'pump')",
    f"INSERT INTO infusion_session VALUES ('{_SESSION}', {_WHOSE}, '{UUID(int=5)}', '2026-07-14Z', '2026-07-15Z', NULL)",
    f"INSERT INTO infusion_order VALUES ('{_ORDER}', '{_SESSION}', {_WHOSE}, {_PROGRAMME}, '2026-07-15Z', '2026-07-16Z', NULL, NULL)",
    f"INSERT INTO authorisation VALUES ('{UUID(int=7)}', '{_SESSION}', '{_ORDER}', {_WHOSE}, '{_PUMP}', {_PROGRAMME}, '{START}',"
    f" '{UUID(int=8)}')",
    f"INSERT INTO session_state (session_id, person_id, site_id, state, phase, log_at) VALUES ('{_SESSION}', {_WHOSE},"
    f" '{json.dumps(_STATE)}', 'infusing', '{START}')",
    f"INSERT INTO alarm VALUES ('{_ALARM}', '{_SESSION}', {_WHOSE}, '{_PUMP}', 'pump.programme_changed', 3, 2, '{START}', '{START}',"
    " NULL, NULL, NULL)",
    f"INSERT INTO telemetry_policy VALUES ('{UUID(int=9)}', '{_SITE}', 'feed_slack', 30, '2026-01-01Z', NULL, 'signed')",
    f"INSERT INTO alarm_limit VALUES ('{UUID(int=10)}', '{_SITE}', 'hr.low.stop', 'hr', 'low', 42, false, 3, 0, 0, '2026-01-01Z', NULL,"
    " 'default, to be reviewed')",
)


def _first_release(url: str, password: str) -> None:
    """The schema of the first release with an infusion under way."""
    scripts, engine = scripts_of(INDEX), create_engine(engine_url(url, password))
    try:
        with engine.begin() as connection:

            def upgrade(revision: Any, _context: Any) -> Any:
                return scripts._upgrade_revs("0001", revision)

            with EnvironmentContext(Config(), scripts, fn=upgrade, destination_rev="0001") as environment:
                environment.configure(connection=connection, target_metadata=INDEX.metadata)
                environment.run_migrations()
        with engine.begin() as connection:
            for statement in _ROWS:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


@pytest.fixture
def upgraded(server: Server) -> Iterator[ServiceHarness]:
    """The service on a database that was one of the first release."""
    server.migrate(INDEX)
    name, owner = "telemetry_of_the_first_release", "device_telemetry_owner"
    with psycopg.connect(server.postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE device_telemetry OWNER {owner}")
        connection.execute(f"GRANT CONNECT ON DATABASE {name} TO device_telemetry_worker")
    # Emptied rather than made anew, so that what the roles may do by default is there.
    with psycopg.connect(server.postgres.dsn(database=name), autocommit=True) as connection:
        for (table,) in connection.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND NOT c.relispartition"
        ).fetchall():
            connection.execute(f"DROP TABLE {table} CASCADE")
        for (function,) in connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
        ).fetchall():
            connection.execute(f"DROP FUNCTION {function} CASCADE")
    url, password = server.url(owner, name), server.password(owner)
    _first_release(url, password)
    assert migrate(INDEX, url, password) == INDEX.required_revision
    database = Database(
        server.url("device_telemetry_worker", name),
        server.password("device_telemetry_worker"),
        service="device_telemetry",
        sealing_key=SEALING_KEY,
    )
    yield ServiceHarness(INDEX, database)
    database.dispose()
    server.drop(name)


def test_an_infusion_under_way_goes_on_to_its_end(upgraded: ServiceHarness) -> None:
    ward = Ward.__new__(Ward)
    ward.harness, ward.database, ward.session_id, ward._offset = upgraded, upgraded.database, str(_SESSION), 0
    ward.read(
        frame(_PUMP, 4, report=pump_report("60.0"), at_s=1200.0),
        frame(_PUMP, 5, report=pump_report("80.0", False, not_delivering_reason="completed"), at_s=2400.0),
    )
    (completed,) = upgraded.events(events.InfusionCompleted)
    assert (completed.delivered_ml, completed.delivering_seconds, completed.order_id) == ("40.0", 2400, str(_ORDER))
    assert completed.stopped_at.ToDatetime(tzinfo=START.tzinfo) == START + timedelta(minutes=40)
    # The alarm of then had no pump in its key, and is cleared by the pump's next report all the same.
    assert [event.alarm_id for event in upgraded.events(events.AlarmCleared)] == [str(_ALARM)]


def test_the_policy_of_then_stays_in_force(upgraded: ServiceHarness) -> None:
    with upgraded.database.unit_of_work(upgraded.context(at=START)) as uow:
        found = policies_in_force(uow, [(_SITE, START)])[_SITE, START]
    assert found.feed_slack_ms == 30_000
    assert [limit.bound_e6 for limit in found.limits if limit.kind == "hr.low.stop"] == [42_000_000]
    assert found.pump is not None
    with upgraded.database.engine.connect() as connection:
        rows = connection.execute(text("SELECT scope, review_state FROM telemetry_policy WHERE seconds = 30")).all()
    # There was no signature yet, whatever the mark said.
    assert {tuple(row) for row in rows} >= {(str(_SITE), "default, to be reviewed")}
