"""A network that ran the first release is brought to the newest schema: bookings survive and hold what they held."""

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
from chassis.values import from_timestamp
from saguaro.policy.v1 import service_pb2 as policy_pb
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.app import INDEX
from tests.conftest import SEALING_KEY, Server
from tests.scheduling.clinic import NINE, NOW, Clinic

FIRST = "0001"
BOOKED, MISSED = UUID(int=1), UUID(int=2)
# As the first release wrote them.
BOOKING = """
INSERT INTO site VALUES (:site, 'PHX', 'America/Phoenix', :now);
INSERT INTO booking (session_id, person_id, site_id, plan_id, ordinal, state, starts_at, infusion_min, ends_at, chair_id,
                     pump_id, monitor_id, nurse_id, booked_at, changed_at)
    VALUES (:session, :person, :site, :session, 1, :state, :start, 40, :visit_end, :chair, :pump, :monitor, :nurse, :now, :now);
INSERT INTO claim VALUES
    (:session, 'chair', :chair, :person, :site, tstzrange(:start, :visit_end), :active),
    (:session, 'pump', :pump, :person, :site, tstzrange(:start, :infusion_end), :active),
    (:session, 'monitor', :monitor, :person, :site, tstzrange(:start, :visit_end), :active),
    (:session, 'nurse', :nurse, :person, :site, tstzrange(:start, :visit_end), :active),
    (:session, 'person', :person, :person, :site, tstzrange(:infusion, :person_free), :active);
"""


@pytest.fixture
def upgraded(server: Server) -> Iterator[Clinic]:
    """Scheduling as the first release left it, with a booking and a miss, and then migrated."""
    server.migrate(INDEX)
    name = f"scheduling_upgraded_{next(server.numbers)}"
    with psycopg.connect(server.postgres.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER scheduling_owner").format(sql.Identifier(name)))
    with psycopg.connect(server.postgres.dsn(database=name), autocommit=True) as connection:
        connection.execute("ALTER SCHEMA public OWNER TO scheduling_owner")
        connection.execute("CREATE EXTENSION btree_gist")
    url, password = server.url("scheduling_owner", name), server.password("scheduling_owner")
    engine = create_engine(engine_url(url, password))
    with engine.begin() as connection:
        _to_first(connection)
        site, insert_site, *rest = uuid4(), *filter(str.strip, BOOKING.split(";"))
        connection.execute(text(insert_site), {"site": site, "now": NOW})
        for session, state in ((BOOKED, "booked"), (MISSED, "no_show")):
            _keep(connection, rest, site, session, state)
    engine.dispose()
    migrate(INDEX, url, password)
    database = Database(url, password, service="scheduling", sealing_key=SEALING_KEY)
    yield Clinic(ServiceHarness(INDEX, database))
    database.dispose()
    server.drop(name)


def _keep(connection: Connection, statements: list[str], site: UUID, session: UUID, state: str) -> None:
    ids = {name: uuid4() for name in ("person", "chair", "pump", "monitor", "nurse")}
    infusion = NINE + timedelta(minutes=15)
    times = {
        "now": NOW,
        "start": NINE,
        "infusion": infusion,
        "infusion_end": infusion + timedelta(minutes=40),
        "visit_end": infusion + timedelta(minutes=160),
        "person_free": infusion + timedelta(minutes=40, hours=24),
    }
    for statement in statements:
        values = ids | times | {"session": session, "site": site, "state": state, "active": state == "booked"}
        connection.execute(text(statement), values)


def _to_first(connection: Connection) -> None:
    scripts = scripts_of(INDEX)
    with EnvironmentContext(
        Config(), scripts, fn=lambda found, _context: scripts._upgrade_revs(FIRST, found), destination_rev=FIRST
    ) as environment:
        environment.configure(connection=connection, target_metadata=INDEX.metadata)
        environment.run_migrations()


def test_a_booking_of_the_first_release_has_its_infusion_and_can_be_moved_and_cancelled(upgraded: Clinic) -> None:
    booking = upgraded.get(str(BOOKED))
    assert booking.state == types.BOOKING_STATE_BOOKED
    assert from_timestamp(booking.infusion_starts_at) == NINE + timedelta(minutes=15)
    assert from_timestamp(booking.infusion_ends_at) == NINE + timedelta(minutes=55)
    upgraded.cancelled(str(BOOKED))
    assert upgraded.get(str(BOOKED)).state == types.BOOKING_STATE_CANCELLED


def test_what_it_holds_is_held_and_earlier_misses_count(upgraded: Clinic) -> None:
    booking, missed = upgraded.get(str(BOOKED)), upgraded.get(str(MISSED))
    place = upgraded.open()
    with upgraded.harness.database.engine.begin() as connection:
        taken = connection.execute(
            text(
                "INSERT INTO claim VALUES (:session, 'chair', :chair, :session, :site, tstzrange(:start, :visit_end), true)"
                " ON CONFLICT DO NOTHING"
            ),
            {
                "session": uuid4(),
                "chair": UUID(booking.chair_id),
                "site": UUID(place.site_id),
                "start": NINE,
                "visit_end": NINE + timedelta(minutes=1),
            },
        )
        assert taken.rowcount == 0
    count = upgraded.call("CountNoShows", pb.CountNoShowsRequest(person_id=missed.person_id))
    assert count.no_shows == 1
    assert upgraded.booked(place).session_id


def test_its_policy_is_in_force_for_the_network_with_a_source(upgraded: Clinic) -> None:
    rows = upgraded.call("ListPolicy", policy_pb.ListPolicyRequest(policy_set="booking_policy")).rows
    (row,) = rows
    values = {one.name: one.value for one in row.values}
    assert (row.site_id, row.source) == ("", "house policy")
    assert (values["preparation_min"], values["infusion_interval_min"]) == ("15", "1440")
    assert (values["soft_interval_min"], values["cleaning_min"]) == ("2640", "10")
