"""What waits: whatever bytes come never stop a partition, waiting events are tried again by the clock, nothing is stranded."""

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis import parking as module
from chassis.consumer import Reader
from chassis.database import Database
from chassis.errors import Early, Transient
from chassis.index import EventIn, Stream
from chassis.records import Record
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from tests.chassis.toy.app import INDEX, POISONOUS
from tests.chassis.toy.harness import Log, headers_for, name, order, plan

PLANS, ORDERS = "saguaro.treatment_plan.plan", "saguaro.treatment_plan.order"


def run(log: Log, statement: str) -> list[tuple[object, ...]]:
    """Runs a statement on the toy's database."""
    with log.database.engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result.all()] if result.returns_rows else []


_AGE = "SELECT attempts, extract(epoch FROM clock_timestamp() - parked_at)::float FROM parked"
_WHOLE = headers_for(plan("ada", "p1"), 1)
_TORN = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\x00", b"a\x00b", b"\xed\xa0\x80", b"0", b"-1", b"1", b"9" * 30, b"x" * 3_000,
                     b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"saguaro.chassis.v1.Watermark"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    torn=st.dictionaries(st.sampled_from([*sorted(_WHOLE), "x-unknown"]), _TORN, max_size=3),
    key=st.one_of(st.none(), _TORN, st.just(name("ada").encode())),
    value=st.one_of(st.none(), _TORN, st.just(plan("ada", "p1").SerializeToString())),
)
def test_whatever_bytes_come_never_stop_a_partition(
    log: Log, torn: dict[str, bytes], key: bytes | None, value: bytes | None
) -> None:
    """The record is applied, or parked without any of its content, and the next one is read."""
    headers = {title: words.encode() for title, words in _WHOLE.items()} | torn
    at = log.reader.ensure_offset(PLANS, 0, 0)
    [result] = log.reader.apply(PLANS, 0, [Record(PLANS, 0, at, key, value, tuple(headers.items()), 0)], expected=at)
    assert result in {"applied", "duplicate", "ignored", "early", "poison", "follower"}
    assert log.reader.ensure_offset(PLANS, 0, 0) == at + 1


@pytest.mark.parametrize("word", ["a\x00b", "x" * 9_000])
def test_an_early_mark_that_no_index_can_hold_is_cut(log: Log, word: str) -> None:
    """An id in an event comes from outside: with a U+0000, or larger than a page."""

    def react(uow: UnitOfWork, event: plan_events.PlanSigned) -> None:
        raise Early(f"plan:{event.plan_id}")

    log.reader = Reader(replace(INDEX, events_in=(EventIn(plan_events.PlanSigned, react),)), log.database)
    log.append(plan_events.PlanSigned(plan_id=word, person_id=name("ada"), site_id=name("site")), 1)
    assert log.poll(PLANS) == ["early"]
    assert log.reader.parking.waiting_keys([f"plan:{word}"]) == [(PLANS, name("ada"))]


def test_a_follower_whose_drain_ended_half_way_is_not_stranded(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends after the first parked event was applied; another one finds the rest by the clock."""
    POISONOUS.add(name("p1"))
    for number in (1, 2, 3):
        log.append(plan("ada", f"p{number}"), number)
    assert log.poll(PLANS) == ["poison", "follower", "follower"]
    POISONOUS.clear()
    real, calls = log.reader.parking._drain_one, []

    def dies(*arguments: object) -> bool:
        calls.append(1)
        if len(calls) > 1:
            raise SystemExit
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(log.reader.parking, "_drain_one", dies)
    with pytest.raises(SystemExit):
        log.reader.parking.drain(PLANS, name("ada"), actor="operator")
    monkeypatch.undo()
    assert log.heard("plan") == [name("p1")]
    run(log, "UPDATE parked SET parked_at = parked_at - interval '2 s'")
    assert Reader(INDEX, log.database).retry_due() == 2
    assert log.heard("plan") == [name("p1"), name("p2"), name("p3")]


def test_a_missed_arrival_is_made_good_by_the_clock(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan came while its order was being parked, so nobody woke the order."""
    log.append(order("ada", "o1", "p1"), 1)
    log.append(plan("ada", "p1"), 1)
    real = log.reader.parking.park

    def plan_arrives_first(*arguments: object) -> str:
        monkeypatch.setattr(log.reader.parking, "park", real)
        assert Log.poll(log, PLANS) == ["applied"]
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(log.reader.parking, "park", plan_arrives_first)
    assert log.poll(ORDERS) == ["early"]
    assert log.heard("order") == []
    run(log, "UPDATE parked SET parked_at = parked_at - interval '2 s'")
    assert log.reader.retry_due() == 1
    assert log.heard("order") == [name("o1")]


def test_what_waits_is_tried_less_and_less_often(log: Log) -> None:
    """After 1, 2, 4 ... 64 s, then about each minute; not each second. Judged by the ages that the database itself saw."""
    log.append(order("ada", "o1", "p1"), 1)
    log.poll(ORDERS)
    due_s = [0, 1, 2, 4, 8, 16, 32, *range(64, 64_000, 64)]
    for _ in range(400):
        run(log, "UPDATE parked SET parked_at = parked_at - interval '1 s'")
        [(attempts, not_yet_s)] = run(log, _AGE)
        log.reader.retry_due()
        [(now_attempts, by_now_s)] = run(log, _AGE)
        if now_attempts != attempts:
            assert now_attempts == attempts + 1
            assert by_now_s >= due_s[attempts]
        else:
            assert not_yet_s < due_s[attempts]
    assert attempts >= 12


def test_thousands_that_wait_do_not_keep_the_reader_from_reading(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        log.append(order(f"person{number}", "o1", "p1"), 1)
    assert set(log.poll(ORDERS)) == {"early"}
    run(log, "UPDATE parked SET parked_at = parked_at - interval '2 s'")
    monkeypatch.setattr(module, "_DUE_ROWS", 25)
    monkeypatch.setattr(module, "_DUE_SECONDS", 60.0)
    tried = []
    for _ in range(3):
        log.reader.retry_due()
        tried.append(run(log, "SELECT count(*) FROM parked WHERE attempts > 1")[0][0])
    assert tried == [25, 50, 60]
    monkeypatch.setattr(module, "_DUE_SECONDS", 0.0)
    run(log, "UPDATE parked SET parked_at = parked_at - interval '1 h'")
    before = run(log, "SELECT sum(attempts) FROM parked")
    log.reader.retry_due()
    assert run(log, "SELECT sum(attempts) FROM parked") == before


def test_poison_is_not_tried_again_for_the_sake_of_what_stands_behind_it(log: Log) -> None:
    """An early event behind a poisonous one waits for an operator too."""
    log.append(plan("ada", "p3"), 3)
    assert log.poll(PLANS) == ["early"]
    POISONOUS.add(name("p1"))
    log.append(plan("ada", "p1"), 1)
    assert log.poll(PLANS) == ["poison"]
    run(log, "UPDATE parked SET parked_at = parked_at - interval '1 h'")
    assert log.reader.retry_due() == 0
    assert run(log, "SELECT attempts FROM parked ORDER BY sequence") == [(1,), (1,)]
    log.append(plan("ada", "p2"), 2)
    log.poll(PLANS)
    POISONOUS.clear()
    assert log.reader.parking.drain(PLANS, name("ada"), actor="operator") == 3
    assert log.heard("plan") == [name("p1"), name("p2"), name("p3")]


@pytest.mark.parametrize("drop", ["ce_time", "ce_sequence"])
def test_skipping_a_torn_event_costs_no_other_one(log: Log, drop: str) -> None:
    """What follows it is applied, also when the torn one does not say which version it was."""
    log.append(plan("ada", "p1"), 1)
    log.append(plan("ada", "p2"), 2, drop=[drop])
    log.append(plan("ada", "p3"), 3)
    log.append(plan("ada", "p4"), 4)
    assert log.poll(PLANS) == ["applied", "poison", "follower", "follower"]
    assert log.reader.parking.skip(PLANS, name("ada"), actor="operator", reason_code="torn")
    assert log.heard("plan") == [name("p1"), name("p3"), name("p4")]
    assert log.parked() == []


def test_an_event_whose_seal_is_lost_can_be_skipped(log: Log) -> None:
    log.append(plan("ada", "p1"), 1, value=b"\xff")
    assert log.poll(PLANS) == ["poison"]
    run(log, "DELETE FROM sealing_key")
    log.database.sealer.forget("parked")
    assert log.reader.parking.skip(PLANS, name("ada"), actor="operator", reason_code="seal_lost")
    assert log.parked() == []


def test_a_database_that_goes_away_after_the_batch_takes_nothing_back(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is on record when what it wakes meets trouble: it is not reported as if it had failed."""
    log.append(order("ada", "o1", "p1"), 1)
    log.poll(ORDERS)
    log.append(plan("ada", "p1"), 1)

    def away(*_: object, **__: object) -> int:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(log.reader.parking, "retry_waiting", away)
    assert log.poll(PLANS) == ["applied"]


def test_a_stream_that_is_early_gets_its_batch_again(toy_database: Callable[[], Database]) -> None:
    seen: list[int] = []

    def frames(_uow: UnitOfWork, records: list[Record]) -> None:
        seen.append(len(records))
        if len(seen) == 1:
            raise Early("session:1")

    reader = Reader(replace(INDEX, streams=(Stream("frames", frames),)), toy_database())
    record = Record("frames", 0, reader.ensure_offset("frames", 0, 0), b"k", b"v", (), 0)
    with pytest.raises(Transient):
        reader.apply_stream("frames", 0, [record], expected=0)
    assert reader.ensure_offset("frames", 0, 0) == 0
    reader.apply_stream("frames", 0, [record], expected=0)
    assert (reader.ensure_offset("frames", 0, 0), seen) == (1, [1, 1])


@pytest.mark.parametrize("state", ["57014", "53100", "53200", "57P01", "40P01", "08006"])
def test_trouble_of_the_database_is_no_fault_of_an_event(toy_database: Callable[[], Database], state: str) -> None:
    """A disk that is full or a statement that waited too long parks nothing: the same batch is tried again."""

    def react(uow: UnitOfWork, _event: plan_events.PlanSigned) -> None:
        uow.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{state}'; END $$"))

    log = Log(toy_database())
    log.reader = Reader(replace(INDEX, events_in=(EventIn(plan_events.PlanSigned, react),)), log.database)
    log.append(plan("ada", "p1"), 1)
    with pytest.raises(Transient):
        log.poll(PLANS)
    assert log.parked() == []
