"""A network that ran the first release is brought to the newest schema: what is on record survives, and is read as before."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from psycopg import sql
from sqlalchemy import Connection, create_engine, text

from chassis.database import Database, engine_url
from chassis.migrate import migrate, scripts_of
from chassis.testing import ServiceHarness
from intake.app import INDEX
from saguaro.intake.v1 import service_pb2 as pb
from tests.conftest import MATCH_TOKEN_KEY, SEALING_KEY, Server

from .conftest import NOW, PHOENIX, Desk

FIRST = "0001"
PERSON, RESULT, FLAG = UUID(int=1), UUID(int=2), UUID(int=3)
# As the first release wrote them.
RECORD = """
INSERT INTO person (person_id, site_id, synthetic, registered_at) VALUES (:person, :site, true, :at);
INSERT INTO instrument_result
    (result_id, person_id, site_id, instrument, version, total, band, prorated, completed_at, completed_by)
    VALUES (:result, :person, :site, 'PHQ-9', '2001', 20, 'severe', false, :at, :actor);
INSERT INTO instrument_answer (result_id, person_id, site_id, item, value) VALUES (:result, :person, :site, '1', 3);
"""
# A flag that is open, a check that is due, and a clearance in force.
OPEN = """
INSERT INTO site (site_id, site_code, time_zone, opened_at) VALUES (:site, 'PHX', 'America/Phoenix', :at);
INSERT INTO safety_flag (flag_id, person_id, site_id, result_id, reason_code, blocks, raised_at, due_at)
    VALUES (:flag, :person, :site, :result, 'cssrs.high', true, :at, :at);
INSERT INTO follow_up (follow_up_id, person_id, site_id, session_id, kind, due_at)
    VALUES (:result, :person, :site, :result, 'after_session', :at);
INSERT INTO clearance (clearance_id, person_id, site_id, indication, outcome, decided_at, expires_at, decided_by)
    VALUES (:result, :person, :site, 'depression', 'cleared', :at, :until, :actor);
INSERT INTO clearance_rule (clearance_id, person_id, site_id, position, code, level, met, source)
    VALUES (:result, :person, :site, 1, 'contraindication.pregnancy.absent', 'block', true, 'label');
"""


@pytest.fixture
def upgraded(server: Server) -> Iterator[ServiceHarness]:
    """Intake as the first release left it, with a result on record, and then migrated."""
    server.migrate(INDEX)
    name = empty_database(server)
    url, password = server.url("intake_owner", name), server.password("intake_owner")
    engine = create_engine(engine_url(url, password))
    with engine.begin() as connection:
        to_revision(connection, FIRST)
        values = {"person": PERSON, "site": UUID(PHOENIX), "result": RESULT, "at": NOW, "actor": uuid4()}
        values |= {"flag": FLAG, "until": NOW + timedelta(days=180)}
        for statement in filter(str.strip, (RECORD + OPEN).split(";")):
            connection.execute(text(statement), values)
    engine.dispose()
    migrate(INDEX, url, password)
    secrets = {"match_token_key": MATCH_TOKEN_KEY}
    database = Database(url, password, service="intake", sealing_key=SEALING_KEY, secrets=secrets)
    yield ServiceHarness(INDEX, database)
    database.dispose()
    server.drop(name)


def empty_database(server: Server) -> str:
    """A database of intake's own with nothing in it."""
    name = f"intake_upgraded_{next(server.numbers)}"
    with psycopg.connect(server.postgres.dsn(), autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} OWNER intake_owner").format(sql.Identifier(name))
        connection.execute(create)
    with psycopg.connect(server.postgres.dsn(database=name), autocommit=True) as connection:
        connection.execute("ALTER SCHEMA public OWNER TO intake_owner")
        connection.execute("CREATE EXTENSION btree_gist")
    return name


def to_revision(connection: Connection, revision: str) -> None:
    """What `migrate` did while that revision was the newest."""
    scripts = scripts_of(INDEX)
    with EnvironmentContext(
        Config(), scripts, fn=lambda found, _context: scripts._upgrade_revs(revision, found), destination_rev=revision
    ) as environment:
        environment.configure(connection=connection, target_metadata=INDEX.metadata)
        environment.run_migrations()


def test_a_result_of_the_first_release_is_read_as_before(upgraded: ServiceHarness) -> None:
    request = pb.ListInstrumentResultsRequest(person_id=str(PERSON))
    (result,) = upgraded.call("ListInstrumentResults", request, role="clinician", at=NOW).results
    assert (result.result_id, result.total, result.score, result.band) == (str(RESULT), 20, "20", "severe")
    assert [(answer.item, answer.value) for answer in result.answers] == [("1", 3)]
    assert (list(result.finding_codes), result.baseline_result_id) == ([], "")


def test_the_forms_of_the_first_release_are_in_force_as_before(upgraded: ServiceHarness) -> None:
    for instrument, version, items in (
        ("PHQ-9", "2001", 9),
        ("C-SSRS-SCREENER", "lifetime-recent", 7),
        ("C-SSRS-SCREENER", "since-last-visit", 6),
    ):
        request = pb.GetInstrumentFormRequest(site_id=PHOENIX, instrument=instrument, instrument_version=version)
        found = upgraded.call("GetInstrumentForm", request, role="clinician", at=NOW)
        assert sum(item.scored for item in found.items) == items
        assert found.form.rated_by == "person"


def test_code_of_the_first_release_still_scores_while_it_runs_on(upgraded: ServiceHarness) -> None:
    """Migrations come before the code: what its query of the items finds is what it found before, and it may write."""
    as_it_reads = (
        "SELECT position, item, lowest, highest, level, loinc, status FROM instrument_item WHERE instrument = 'PHQ-9'"
    )
    with upgraded.database.engine.begin() as connection:
        assert len(connection.execute(text(as_it_reads)).all()) == 9
        values = {"person": PERSON, "site": UUID(PHOENIX), "result": uuid4(), "at": NOW, "actor": uuid4()}
        connection.execute(text(RECORD.split(";")[1]), values)
    request = pb.ListInstrumentResultsRequest(person_id=str(PERSON))
    assert len(upgraded.call("ListInstrumentResults", request, role="clinician", at=NOW).results) == 2


def test_a_flag_and_a_check_of_the_first_release_are_seen_to(upgraded: ServiceHarness) -> None:
    listed = upgraded.call("ListSafetyFlags", pb.ListSafetyFlagsRequest(site_id=PHOENIX), role="nurse", at=NOW)
    (flag,) = listed.flags
    assert (flag.flag_id, flag.owner_id, flag.overdue) == (str(FLAG), "", True)
    checks = upgraded.call("ListFollowUps", pb.ListFollowUpsRequest(site_id=PHOENIX), role="nurse", at=NOW).follow_ups
    assert [one.kind for one in checks] == ["after_session"]
    desk = Desk(upgraded)
    doctor = desk.practitioner(upgraded.actor_id, site_ids=[PHOENIX])
    handed_on = pb.AssignSafetyFlagRequest(flag_id=flag.flag_id, owner_id=doctor)
    assert desk.call("AssignSafetyFlag", handed_on).owner_id == doctor
    assert desk.clear_flag(flag.flag_id).note_id
    done = pb.CompleteFollowUpRequest(follow_up_id=checks[0].follow_up_id, outcome_code="reached_well")
    desk.call("CompleteFollowUp", done, "nurse")


def test_code_of_the_first_release_still_finds_its_numbers_while_it_runs_on(upgraded: ServiceHarness) -> None:
    as_it_reads = (
        "SELECT value FROM policy_value WHERE code = 'age.minimum_years'"
        " AND effective_from <= :at AND (effective_until IS NULL OR effective_until > :at)"
    )
    with upgraded.database.engine.begin() as connection:
        assert connection.execute(text(as_it_reads), {"at": NOW}).scalar_one() == 18
