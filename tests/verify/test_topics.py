"""What is read from the topics, on a real broker: a lost, doubled, foreign or torn record is found, a repeated one is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device
from saguaro.intake.v1 import events_pb2 as intake
from tests.verify.conftest import Day
from tests.verify.rows_of_a_day import ORDER, PERSON, PUMP, SESSION, SITE, at
from tests.verify.topic_writer import TopicWriter
from verify.checks import run_checks
from verify.contract import event_topics
from verify.databases import Databases
from verify.settled import await_settled
from verify.topics import Log, TopicReader
from verify.world import World, open_world

_TOPIC = "saguaro.intake.person"
_INFUSION = "saguaro.device_telemetry.infusion"


def _registered(person_id: object = PERSON) -> intake.PatientRegistered:
    return intake.PatientRegistered(
        person_id=str(person_id), site_id=str(SITE), registered_at=to_timestamp(at(-5000)), synthetic=True
    )


def _started() -> device.InfusionStarted:
    return device.InfusionStarted(
        session_id=str(SESSION),
        person_id=str(PERSON),
        site_id=str(SITE),
        order_id=str(ORDER),
        pump_id=str(PUMP),
        started_at=to_timestamp(at(1)),
        start_total_ml="0",
    )


def _completed(**changes: Any) -> device.InfusionCompleted:
    values: dict[str, Any] = {"delivered_ml": "40.0", "keep_vein_open_ml": "0", "expected_ml": "40"} | changes
    return device.InfusionCompleted(
        session_id=str(SESSION),
        person_id=str(PERSON),
        site_id=str(SITE),
        order_id=str(ORDER),
        started_at=to_timestamp(at(1)),
        stopped_at=to_timestamp(at(41)),
        delivering_seconds=2400,
        **values,
    )


def _read(writer: TopicWriter) -> Log:
    reader = TopicReader(writer.bootstrap)
    try:
        return reader.read(event_topics())
    finally:
        reader.close()


def _offsets(day: Day, service: str, writer: TopicWriter, topic: str, behind: int = 0) -> None:
    """Lets the service have read every partition of the topic, but for so many records of each that has any."""
    for (name, partition), end in _read(writer).ends.items():
        if name == topic:
            day.break_in(
                service,
                "INSERT INTO consumer_offset (topic, partition, next)"
                f" VALUES ('{topic}', {partition}, {max(0, end - behind)})",
            )


def _position(day: Day, service: str, topic: str, key: object, last: int) -> None:
    day.break_in(service, f"INSERT INTO inbox_position VALUES ('{topic}', '{key}', {last})")


def _raised(day: Day, service: str, topic: str, key: object, last: int) -> None:
    day.break_in(service, f"INSERT INTO event_sequence VALUES ('{topic}', '{key}', {last})")


def test_the_whole_of_a_day_holds(day: Day, topics: TopicWriter) -> None:
    topics.event(_started())
    topics.watermark(_INFUSION, "device_telemetry")
    topics.event(_completed())
    topics.watermark(_INFUSION, "device_telemetry")
    _raised(day, "device_telemetry", _INFUSION, SESSION, 2)
    _offsets(day, "treatment_plan", topics, _INFUSION)
    _position(day, "treatment_plan", _INFUSION, SESSION, 2)
    assert await_settled(day.urls, topics.bootstrap, within_s=10) == []
    result = run_checks(day.urls, topics.bootstrap)
    assert [check for check in result["checks"] if not check["ok"]] == []
    assert result["ok"]
    looked = {check["name"]: check["looked_at"] for check in result["checks"]}
    assert looked["start.authorised"] == 3
    assert looked["delivery.totals"] == 1
    assert looked["events.envelope"] == 2 + 2 * 4
    day.break_in("billing", "DELETE FROM charge_set")
    assert not run_checks(day.urls, topics.bootstrap)["ok"]


def test_repeated_records_are_no_breach(day: Day, topics: TopicWriter) -> None:
    first = topics.event(_registered())
    second = topics.event(_registered())
    topics.event(_registered(), event_id=first, sequence=1)
    topics.event(_registered(), event_id=second, sequence=2)
    result = day.check("events.sequence", _read(topics))
    assert result["ok"], result["found"]
    assert result["looked_at"] > 0


def _lost(writer: TopicWriter) -> None:
    writer.event(_registered(), sequence=1)
    writer.event(_registered(), sequence=3)


def _two_ids(writer: TopicWriter) -> None:
    writer.event(_registered(), sequence=1)
    writer.event(_registered(), sequence=1)


def _out_of_order(writer: TopicWriter) -> None:
    for number in (1, 3, 2):
        writer.event(_registered(), sequence=number)


def _first_lost(writer: TopicWriter) -> None:
    writer.event(_registered(), sequence=2)


def _no_sequence(writer: TopicWriter) -> None:
    writer.event(_registered(), headers={"ce_sequence": None})


@pytest.mark.parametrize(
    ("write", "finding"),
    [
        (_lost, f"{_TOPIC} {PERSON}: sequences [2] are missing"),
        (_first_lost, f"{_TOPIC} {PERSON}: sequences [1] are missing"),
        (_two_ids, f"{_TOPIC} {PERSON}: sequence 1 belongs to events"),
        (_out_of_order, "stands behind a later one of its key"),
        (_no_sequence, "has no sequence"),
    ],
)
def test_a_broken_sequence_is_found(
    day: Day, topics: TopicWriter, write: Callable[[TopicWriter], None], finding: str
) -> None:
    write(topics)
    result = day.check("events.sequence", _read(topics))
    assert any(finding in text for text in result["found"]), result["found"]


def test_an_event_that_never_reached_its_topic_is_found(day: Day, topics: TopicWriter) -> None:
    topics.event(_registered())
    _raised(day, "intake", _TOPIC, PERSON, 2)
    found = day.check("events.all_arrived", _read(topics))["found"]
    assert found == [f"intake: {_TOPIC} {PERSON}: the topic does not end with the last event that was raised"]
    # While it is in the outbox it is not lost.
    day.break_in(
        "intake",
        "INSERT INTO outbox (event_id, topic, key, sequence, headers, value)"
        f" VALUES (gen_random_uuid(), '{_TOPIC}', '{PERSON}', 2, '{{}}', '')",
    )
    assert day.check("events.all_arrived", _read(topics))["ok"]


def test_an_event_that_nobody_raised_is_found(day: Day, topics: TopicWriter) -> None:
    topics.event(_registered())
    found = day.check("events.all_arrived", _read(topics))["found"]
    assert found == [f"{_TOPIC} {PERSON}: no service has raised events of this key"]


def test_an_event_that_was_not_applied_is_found(day: Day, topics: TopicWriter) -> None:
    topics.event(_registered())
    topics.event(_registered())
    _offsets(day, "billing", topics, _TOPIC)
    _position(day, "billing", _TOPIC, PERSON, 1)
    assert day.check("events.applied", _read(topics))["found"] == [f"billing: {_TOPIC} {PERSON} is applied to 1 of 2"]
    day.break_in("billing", "UPDATE inbox_position SET last = 3")
    assert "is applied to 3, which is not on the topic" in day.check("events.applied", _read(topics))["found"][0]
    day.break_in("billing", "UPDATE inbox_position SET last = 2")
    assert day.check("events.applied", _read(topics))["ok"]


def test_what_is_not_read_to_the_end_is_found_and_watermarks_do_not_count(day: Day, topics: TopicWriter) -> None:
    topics.event(_registered())
    topics.watermark(_TOPIC, "intake")
    _offsets(day, "billing", topics, _TOPIC, behind=1)
    assert day.check("events.read_to_the_end", _read(topics))["ok"]
    day.break_in("billing", "UPDATE consumer_offset SET next = 0")
    found = day.check("events.read_to_the_end", _read(topics))["found"]
    assert len(found) == 1
    assert "is not read to its last event" in found[0]
    day.break_in("billing", "UPDATE consumer_offset SET next = 1000")
    assert "is read past its end" in day.check("events.read_to_the_end", _read(topics))["found"][0]


@pytest.mark.parametrize(
    ("how", "finding"),
    [
        ({"headers": {"ce_time": None}}, "ce_time is missing"),
        ({"headers": {"ce_time": "yesterday"}}, "ce_time must be a time with its offset"),
        ({"headers": {"ce_type": "saguaro.intake.v1.Nobody"}}, "its type is not in the contract"),
        ({"headers": {"ce_id": "seven"}}, "ce_id must be a UUID"),
        ({"headers": {"ce_specversion": "0.3"}}, "ce_specversion must be 1.0"),
        ({"headers": {"x-note": "anything"}}, "has a header that the envelope does not know"),
        ({"headers": {"ce_source": "/saguaro/billing"}}, "ce_source is not the service that owns it"),
        ({"headers": {"ce_fieldclass": "none"}}, "ce_fieldclass is not the class of its fields"),
        ({"headers": {"ce_partitionkey": "other"}}, "ce_partitionkey is not its key"),
        ({"key": b"other"}, "its key is not the field that its contract says"),
        ({"topic": "saguaro.intake.consent"}, "stands in another topic than its contract says"),
        ({"value": b"\xff\xff\xff"}, "its value is not of its type"),
    ],
)
def test_a_bad_envelope_is_found(day: Day, topics: TopicWriter, how: dict[str, Any], finding: str) -> None:
    identity = topics.event(_registered(), **how)
    result = day.check("events.envelope", _read(topics))
    assert not result["ok"]
    assert finding in result["found"][0]
    assert str(identity) in result["found"][0] or "ce_id" in finding


def test_a_right_envelope_is_no_breach(day: Day, topics: TopicWriter) -> None:
    topics.event(_registered())
    topics.watermark(_TOPIC, "intake")
    for name in ("events.envelope", "events.no_identifying_field"):
        assert day.check(name, _read(topics))["ok"]


def test_a_field_that_the_contract_does_not_know_is_found(day: Day, topics: TopicWriter) -> None:
    name = b"Rosalinda Quintero"
    value = _registered().SerializeToString() + bytes([(15 << 3) | 2, len(name)]) + name
    topics.event(_registered(), value=value)
    result = day.check("events.no_identifying_field", _read(topics))
    assert "has a field that the contract does not know" in result["found"][0]
    assert "Rosalinda" not in str(result)


def test_an_infusion_without_authorisation_is_found_on_its_topic(day: Day, topics: TopicWriter) -> None:
    event = _started()
    event.order_id = str(uuid4())
    topics.event(event)
    assert day.check("start.authorised", _read(topics))["found"] == [
        f"session {SESSION}: an infusion without authorisation"
    ]


def test_two_starts_of_one_order_are_found_and_a_repeated_record_is_none(day: Day, topics: TopicWriter) -> None:
    identity = topics.event(_started())
    topics.event(_started(), event_id=identity, sequence=1)
    assert day.check("start.once_an_order", _read(topics))["ok"]
    topics.event(_started())
    assert day.check("start.once_an_order", _read(topics))["found"] == [f"order {ORDER}: started more than once"]


def test_other_totals_than_the_pump_reported_are_found(day: Day, topics: TopicWriter) -> None:
    assert "has totals that no pump reported" in day.check("delivery.totals", _read(topics))["found"][0]
    topics.event(_completed())
    assert day.check("delivery.totals", _read(topics))["ok"]
    day.break_in("treatment_plan", "UPDATE pump_totals SET delivered_ml = 39.9")
    assert day.check("delivery.totals", _read(topics))["found"] == [
        f"session {SESSION}: the record's totals are not the pump's"
    ]


def test_it_is_not_settled_while_something_waits(day: Day, topics: TopicWriter) -> None:
    topics.event(_registered())
    _offsets(day, "billing", topics, _TOPIC, behind=1)
    left = await_settled(day.urls, topics.bootstrap, within_s=0.3)
    assert len(left) == 1
    assert left[0].startswith(f"billing: {_TOPIC}[")
    day.break_in("billing", "UPDATE consumer_offset SET next = 1 WHERE next > 0 OR partition >= 0")
    day.break_in(
        "intake",
        "INSERT INTO outbox (event_id, topic, key, sequence, headers, value)"
        f" VALUES (gen_random_uuid(), '{_TOPIC}', '{PERSON}', 2, '{{}}', '')",
    )
    assert await_settled(day.urls, topics.bootstrap, within_s=0.3) == ["intake: 1 rows wait in outbox"]
    day.break_in("intake", "DELETE FROM outbox")
    assert await_settled(day.urls, topics.bootstrap, within_s=5) == []


def test_what_came_while_the_databases_were_read_is_known(day: Day, topics: TopicWriter) -> None:
    topics.event(_registered())
    with open_world(day.urls, topics.bootstrap) as world:
        assert isinstance(world, World)
        assert len(list(world.before.events())) == len(list(world.log.events())) == 1
    reader = TopicReader(topics.bootstrap)
    before = reader.read(event_topics())
    topics.event(_registered())
    after = reader.read(event_topics(), after=before)
    reader.close()
    assert len(list(before.events())) == 1
    assert [event.sequence for event in after.events()] == [1, 2]


def test_the_checks_only_read(day: Day) -> None:
    import psycopg

    with Databases(day.urls) as databases, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        databases.rows("billing", "DELETE FROM payment RETURNING payment_id")
