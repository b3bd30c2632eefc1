"""An operator and a parked event, by the commands alone; on a second network beside the first."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from google.protobuf.message import Message

from chassis.context import RequestContext
from chassis.envelope import headers_of, wire_headers
from chassis.fields import key_of, spec_of
from chassis.kafka_client import make_producer
from cli.running import readers
from network.postgres import Postgres
from saguaro.scheduling.v1 import events_pb2 as scheduling
from tests.whole.network_under_test import NetworkUnderTest, eventually

pytestmark = pytest.mark.timeout(300)

TOPIC = "saguaro.scheduling.booking"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, network: NetworkUnderTest) -> Iterator[NetworkUnderTest]:
    """A second network; the first goes on running beside it."""
    found = NetworkUnderTest(tmp_path_factory.mktemp("other"))
    found.up()
    yield found
    found.down()
    Postgres(found.path).destroy()


def send(network: NetworkUnderTest, *events: tuple[Message, int]) -> None:
    """Sends events as scheduling's relay would, with their versions."""
    producer = make_producer(network.state()["kafka"]["bootstrap"], "test")()
    context = RequestContext(uuid4(), "scheduler", "", "treatment", uuid4(), datetime(2026, 7, 15, tzinfo=UTC))
    for event, sequence in events:
        spec, key = spec_of(event), key_of(event)
        headers = headers_of(
            event_id=uuid4(),
            source="scheduling",
            spec=spec,
            key=key,
            context=context,
            recorded_at=datetime.now(UTC),
            traceparent=None,
        ) | {"ce_sequence": str(sequence)}
        producer.send(spec.topic, value=event.SerializeToString(), key=key.encode(), headers=wire_headers(headers)).get(
            10
        )
    producer.close()


def booked(session_id: str) -> scheduling.SessionBooked:
    """A booking on a plan that nobody ever signed."""
    ids = {
        name: str(uuid4())
        for name in ("person_id", "site_id", "plan_id", "chair_id", "pump_id", "monitor_id", "nurse_id")
    }
    return scheduling.SessionBooked(session_id=session_id, ordinal=1, **ids)


def arrived(session_id: str) -> scheduling.PatientArrived:
    """What follows it under the same key."""
    return scheduling.PatientArrived(session_id=session_id, person_id=str(uuid4()), site_id=str(uuid4()))


def parked(network: NetworkUnderTest) -> list[dict[str, Any]]:
    """What is parked."""
    rows: list[dict[str, Any]] = network.run("parked", "list").answer["parked"]
    return rows


def acts(network: NetworkUnderTest) -> list[tuple[str, str]]:
    """What operators did, from treatment plan's own record."""
    with psycopg.connect(readers(network.home, network.state())["treatment_plan"]) as connection:
        return connection.execute("SELECT act, reason_code FROM operator_act ORDER BY act_id").fetchall()


def test_a_poison_event_is_listed_shown_retried_and_skipped(other: NetworkUnderTest, network: NetworkUnderTest) -> None:
    """It parks its key with what follows; retry changes nothing while the cause stands; skip needs a reason and lets go on."""
    key = str(uuid4())
    send(other, (booked(key), 1), (arrived(key), 2))
    eventually(lambda: len(parked(other)) == 2, "both events to be parked")
    rows = parked(other)
    assert [(row["service"], row["reason"], row["key"]) for row in rows] == [
        ("treatment_plan", "poison", key),
        ("treatment_plan", "follower", key),
    ]
    assert all(UUID(row["event_id"]) for row in rows)

    shown = other.run("parked", "show", "treatment_plan", TOPIC, key)
    assert [event["sequence"] for event in shown.answer["events"]] == [1, 2]
    assert "value_sealed" not in shown.answer["events"][0]

    again = other.run("parked", "retry", "treatment_plan", TOPIC, key)
    assert (again.code, again.answer["applied"], again.answer["left"]) == (1, 0, 2)

    assert other.run("parked", "skip", "treatment_plan", TOPIC, key).code != 0, "a reason is required"
    skipped = other.run("parked", "skip", "treatment_plan", TOPIC, key, "--reason", "sent_by_a_test")
    assert (skipped.code, skipped.answer["left"]) == (0, 0)
    assert parked(other) == []
    assert ("skip", "sent_by_a_test") in acts(other)
    assert network.run("parked", "list").answer["parked"] == [], "the other network has nothing of it"


def test_commands_say_what_to_do_when_there_is_nothing(other: NetworkUnderTest) -> None:
    """Errors name the command that helps."""
    nothing = other.run("parked", "show", "treatment_plan", TOPIC, str(uuid4()))
    assert nothing.code == 1
    assert "saguaro parked list" in nothing.answer["error"]
    no_spans = other.run("trace", str(uuid4()))
    assert no_spans.code == 1
    assert "no span" in no_spans.answer["error"]


def test_down_ends_everything_and_up_finds_it_again(other: NetworkUnderTest) -> None:
    """State stays over a stop; nothing is left running in between."""
    import psutil

    pids = [item["pid"] for item in other.run("status").answer["processes"]]
    assert other.down().answer == {"ok": True, "was_running": True}
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert other.run("status").code == 1
    other.up()
    assert ("skip", "sent_by_a_test") in acts(other)
