"""Inbox, offsets and the four outcomes of a failed event, on real PostgreSQL."""

from collections.abc import Callable

import pytest

from chassis.database import Database
from chassis.errors import Fenced
from tests.chassis.toy.app import POISONOUS
from tests.chassis.toy.harness import Log, name, order, plan

PLANS, ORDERS = "saguaro.treatment_plan.plan", "saguaro.treatment_plan.order"


def test_a_batch_is_applied_once_in_order(log: Log) -> None:
    """Events of a key come in the order they were sent, and a duplicate has no effect."""
    first = log.append(plan("ada", "p1"), 1)
    log.append(plan("ada", "p2"), 2)
    log.again(first)
    assert log.poll(PLANS) == ["applied", "applied", "duplicate"]
    log.again(first)
    assert log.poll(PLANS) == ["duplicate"]
    assert log.heard("plan") == [name("p1"), name("p2")]


def test_a_zombie_is_fenced(log: Log) -> None:
    """A process that was left behind may not apply what another has read."""
    log.append(plan("ada", "p1"), 1)
    log.poll(PLANS)
    record = log.append(plan("ada", "p2"), 2)
    with pytest.raises(Fenced):
        log.reader.apply(PLANS, 0, [record], expected=0)
    assert log.heard("plan") == [name("p1")]
    assert log.poll(PLANS) == ["applied"]


def test_an_early_event_waits_and_is_applied(log: Log) -> None:
    """An order before its plan leaves no trace, waits, and goes on when the plan arrives."""
    log.append(order("ada", "o1", "p1"), 1)
    assert log.poll(ORDERS) == ["early"]
    assert log.heard() == []
    assert [reason for reason, _ in log.parked()] == ["early"]
    log.append(plan("ada", "p1"), 1)
    assert log.poll(PLANS) == ["applied"]
    assert log.heard("order") == [name("o1")]
    assert log.parked() == []


def test_what_follows_an_early_event_waits_behind_it(log: Log) -> None:
    """Order is kept per key; another key flows on."""
    log.append(plan("bea", "q1"), 1)
    log.poll(PLANS)
    log.append(order("ada", "o1", "p1"), 1)
    log.append(order("ada", "o2", "p1"), 2)
    log.append(order("bea", "o3", "q1"), 1)
    assert log.poll(ORDERS) == ["early", "follower", "applied"]
    log.append(plan("ada", "p1"), 1)
    log.poll(PLANS)
    assert log.heard("order", name("ada")) == [name("o1"), name("o2")]


def test_poison_parks_its_key_and_no_other(log: Log) -> None:
    """The other keys of the same batch are applied; a retry after mending keeps the order."""
    POISONOUS.add(name("p1"))
    log.append(plan("ada", "p1"), 1)
    log.append(plan("ada", "p2"), 2)
    log.append(plan("bea", "q1"), 1)
    assert log.poll(PLANS) == ["poison", "follower", "applied"]
    assert log.heard("plan") == [name("q1")]
    assert log.reader.parking.drain(PLANS, name("ada"), actor="operator") == 0
    POISONOUS.clear()
    assert log.reader.parking.drain(PLANS, name("ada"), actor="operator") == 2
    assert log.heard("plan", name("ada")) == [name("p1"), name("p2")]
    log.append(plan("ada", "p3"), 3)
    assert log.poll(PLANS) == ["applied"]


def test_skip_gives_up_the_first_and_lets_the_others_go_on(log: Log) -> None:
    """A skipped event is gone for a recorded reason; what followed it is applied."""
    POISONOUS.add(name("p1"))
    log.append(plan("ada", "p1"), 1)
    log.append(plan("ada", "p2"), 2)
    log.poll(PLANS)
    assert log.reader.parking.skip(PLANS, name("ada"), actor="operator", reason_code="beyond_repair")
    assert log.heard("plan") == [name("p2")]
    with log.database.engine.connect() as connection:
        acts = connection.exec_driver_sql("SELECT actor, act, reason_code FROM operator_act").all()
    assert [tuple(act) for act in acts] == [("operator", "skip", "beyond_repair")]


@pytest.mark.parametrize("drop", ["ce_id", "ce_sequence", "ce_correlationid", "ce_type", "ce_time"])
def test_a_torn_envelope_is_poison_that_names_the_header(log: Log, drop: str) -> None:
    """A record without its envelope parks its key, and says which header is missing."""
    log.append(plan("ada", "p1"), 1, drop=[drop])
    log.append(plan("bea", "q1"), 1)
    assert log.poll(PLANS) == ["poison", "applied"]
    assert log.parked() == [("poison", f"{drop}: must be there")]


def test_torn_bytes_are_poison_and_stay_sealed(log: Log) -> None:
    """Bytes that are no protobuf are kept for an operator, not in plain text."""
    log.append(plan("ada", "p1"), 1, value=b"\xff\xfftorn by hand")
    assert log.poll(PLANS) == ["poison"]
    with log.database.engine.connect() as connection:
        sealed = bytes(connection.exec_driver_sql("SELECT value_sealed FROM parked").scalar_one())
    assert b"torn" not in sealed


def test_a_gap_waits_for_what_is_missing(log: Log) -> None:
    """Version 2 before version 1 waits; it is not taken for the next one."""
    log.append(plan("ada", "p2"), 2)
    assert log.poll(PLANS) == ["early"]
    log.append(plan("ada", "p1"), 1)
    assert log.poll(PLANS) == ["applied"]
    assert log.heard("plan") == [name("p1"), name("p2")]


def test_a_strict_action_can_see_that_an_event_is_parked(log: Log, toy_database: Callable[[], Database]) -> None:
    """What depends on a strict topic refuses while one of its events could not be applied."""
    from chassis.errors import FailedPrecondition
    from chassis.records import plumbing_context

    POISONOUS.add(name("p1"))
    log.append(plan("ada", "p1"), 1)
    log.poll(PLANS)
    with log.database.unit_of_work(plumbing_context()) as uow:
        uow.refuse_if_parked(PLANS, name("bea"))
        with pytest.raises(FailedPrecondition) as refused:
            uow.refuse_if_parked(PLANS, name("ada"))
    assert refused.value.reason == "DEPENDS_ON_PARKED_EVENT"
