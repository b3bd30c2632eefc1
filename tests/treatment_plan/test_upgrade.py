"""A database of the first release is upgraded with its rows: plans, orders and sessions go on as they were."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from sqlalchemy import create_engine, text

from chassis.database import Database, engine_url
from chassis.migrate import migrate, scripts_of
from chassis.testing import ServiceHarness
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.conftest import SEALING_KEY, Server
from tests.treatment_plan.ward import Ward
from treatment_plan.app import INDEX

LAST = "0002"
AT = "2026-07-15T15:00:00Z"
SITE, PERSON = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
PLAN, PRESCRIBER = "00000000-0000-7000-8000-000000000003", "00000000-0000-7000-8000-000000000004"
ENDED, PLANNED = "00000000-0000-7000-8000-000000000005", "00000000-0000-7000-8000-000000000006"
USED, UNUSED = "00000000-0000-7000-8000-000000000007", "00000000-0000-7000-8000-000000000008"
PUMP = "00000000-0000-7000-8000-000000000009"

ORDER = (
    f"'{PLAN}', 1, '{{session}}', '{PERSON}', '{SITE}', 'ketamine', 1, 60.0, 40.0, 40, 40, 40.00, 80, '{PRESCRIBER}', '{AT}',"
    " '2026-07-17T15:00:00Z'"
)
ROWS = (
    f"""INSERT INTO plan (plan_id, person_id, site_id, protocol_code, protocol_version, library_code, indication, state,
        version, drafted_by, drafted_at, signed_by, signed_at)
        VALUES ('{PLAN}', '{PERSON}', '{SITE}', 'depression', 1, 'psychiatry', 'depression', 'signed', 1, '{PRESCRIBER}',
        '{AT}', '{PRESCRIBER}', '{AT}')""",
    f"""INSERT INTO plan_version (plan_id, version, person_id, site_id, weight_kg, dose_mg_per_kg, duration_min,
        concentration_mg_per_ml, sessions_planned, ordered_mg, dose_mg, rate_ml_per_h, vtbi_ml, programme_duration_min, limits,
        recorded_by, recorded_at)
        VALUES ('{PLAN}', 1, '{PERSON}', '{SITE}', 80, 0.5, 40, 1, 6, 40, 40, 60.0, 40.0, 40.00, '[]', '{PRESCRIBER}', '{AT}')""",
    *(
        f"INSERT INTO session_record (session_id, person_id, site_id, plan_id, ordinal, state, starts_at, booked_at)"
        f" VALUES ('{session}', '{PERSON}', '{SITE}', '{PLAN}', {ordinal}, '{state}', '{AT}', '{AT}')"
        for session, ordinal, state in ((ENDED, 1, "ended"), (PLANNED, 2, "planned"))
    ),
    f"INSERT INTO treatment_order VALUES ('{USED}', {ORDER.format(session=ENDED)}, '{AT}', '{PUMP}', '{PUMP}')",
    f"INSERT INTO treatment_order VALUES ('{UNUSED}', {ORDER.format(session=PLANNED)})",
)


def first_release(url: str, password: str) -> None:
    """The schema of the first release with a day's rows."""
    scripts = scripts_of(INDEX)
    engine = create_engine(engine_url(url, password))
    try:
        with engine.begin() as connection:

            def upgrade(revision: Any, _context: Any) -> Any:
                return scripts._upgrade_revs(LAST, revision)

            with EnvironmentContext(Config(), scripts, fn=upgrade, destination_rev=LAST) as environment:
                environment.configure(connection=connection, target_metadata=INDEX.metadata)
                environment.run_migrations()
        with engine.begin() as connection:
            for statement in ROWS:
                connection.execute(text(statement.replace(":", r"\:")))
    finally:
        engine.dispose()


@pytest.fixture
def upgraded(server: Server) -> Iterator[ServiceHarness]:
    """The service on a database that was one of the first release."""
    server.migrate(INDEX)
    name, owner = "treatment_plan_of_the_first_release", "treatment_plan_owner"
    with psycopg.connect(server.postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE treatment_plan OWNER {owner}")
        connection.execute(f"GRANT CONNECT ON DATABASE {name} TO treatment_plan_worker")
    # Emptied rather than made anew, so that what the roles may do by default is there.
    with psycopg.connect(server.postgres.dsn(database=name), autocommit=True) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            connection.execute(f"DROP TABLE {table} CASCADE")
        for (function,) in connection.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
        ).fetchall():
            connection.execute(f"DROP FUNCTION {function} CASCADE")
    url, password = server.url(owner, name), server.password(owner)
    first_release(url, password)
    assert migrate(INDEX, url, password) == INDEX.required_revision
    database = Database(
        server.url("treatment_plan_worker", name),
        server.password("treatment_plan_worker"),
        service="treatment_plan",
        sealing_key=SEALING_KEY,
    )
    yield ServiceHarness(INDEX, database)
    database.dispose()
    server.drop(name)


def test_a_plan_of_the_first_release_goes_on(upgraded: ServiceHarness) -> None:
    ward = Ward(upgraded)
    plan = ward.call("GetPlan", pb.GetPlanRequest(plan_id=PLAN)).plan
    assert plan.state == types.PLAN_STATE_SIGNED
    assert (plan.measured_weight_kg, plan.weight_rule, plan.phase, plan.interval_days) == (
        "80",
        "actual",
        "induction",
        0,
    )
    assert (plan.dose.dose_mg, plan.dose_request.dose_rate) == ("40", "")
    session = ward.call("GetSession", pb.GetSessionRequest(session_id=PLANNED)).session
    assert (session.order_id, session.responsible_prescriber_id) == (UNUSED, PRESCRIBER)
    assert ward.state_of(ENDED) == types.SESSION_STATE_ENDED


def test_a_plan_of_the_first_release_is_revised_by_a_prescriber_on_record(upgraded: ServiceHarness) -> None:
    ward = Ward(upgraded)
    signer = ward.practitioner(
        ward.nurse, "sign", site_id=SITE, licence_type="MD", dea_expires_on="2027-12-31", revision=2
    )
    with upgraded.database.unit_of_work(upgraded.context()) as uow:
        uow.execute(text(f"INSERT INTO site VALUES ('{SITE}', 'America/Phoenix')"))
    request = pb.RevisePlanRequest(plan_id=PLAN, dose_mg_per_kg="0.6")
    revised = ward.call("RevisePlan", request, actor=signer, at=datetime(2026, 7, 16, tzinfo=UTC))
    assert list(revised.revoked_order_ids) == [UNUSED]
    assert (revised.plan.version, revised.plan.dose.dose_mg) == (2, "48")
