"""What a worker does by the clock: it drops what no repetition can meet, a bounded part at a time, and counts what waits."""

from collections.abc import Callable

import pytest
from prometheus_client import generate_latest
from sqlalchemy import text

from chassis import metrics, worker
from chassis.database import Database
from chassis.records import plumbing_context
from tests.chassis.toy.app import POISONOUS
from tests.chassis.toy.harness import Log, name, plan

PLANS = "saguaro.treatment_plan.plan"


def test_old_rows_go_a_part_at_a_time_and_young_ones_stay(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A duplicate of an event whose inbox row is gone is still one: its key's position says so."""
    monkeypatch.setattr(worker, "_PRUNE_ROWS", 30)
    first = log.append(plan("ada", "p1"), 1)
    log.poll(PLANS)
    with log.database.unit_of_work(plumbing_context()) as uow:
        uow.execute(text("UPDATE inbox SET received_at = received_at - interval '15 days'"))
        for first_n, last_n, age in ((1, 49, "31 days"), (101, 105, "13 days")):
            series = f"clock_timestamp() - interval '{age}' FROM generate_series({first_n}, {last_n}) AS n"
            uow.execute(text(f"INSERT INTO inbox (event_id, received_at) SELECT 'id' || n, {series}"))
            uow.execute(
                text(
                    "INSERT INTO idempotency (actor_id, request_id, rpc, body_sha256, result_ids, recorded_at)"
                    f" SELECT gen_random_uuid(), gen_random_uuid(), 'R', '', '{{}}', {series}"
                )
            )
    left = []
    for _ in range(3):
        with log.database.unit_of_work(plumbing_context()) as uow:
            worker.prune(uow)
            counts = uow.execute(text("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM idempotency)")).one()
            left.append(tuple(counts))
    assert left == [(25, 24), (5, 5), (5, 5)]
    log.again(first)
    assert log.poll(PLANS) == ["duplicate"]
    assert log.heard("plan") == [name("p1")]


def test_what_waits_is_counted(log: Log, toy_database: Callable[[], Database]) -> None:
    POISONOUS.add(name("p1"))
    log.append(plan("ada", "p1"), 1)
    log.append(plan("ada", "p2"), 2)
    log.poll(PLANS)
    with log.database.unit_of_work(plumbing_context()) as uow:
        worker.gauges(uow)
    page = generate_latest(metrics.REGISTRY).decode()
    for state in ("poison", "follower"):
        assert f'saguaro_parked_rows{{consumer="toy",state="{state}",topic="{PLANS}"}} 1.0' in page
    with toy_database().unit_of_work(plumbing_context()) as uow:
        worker.gauges(uow)
    assert "saguaro_parked_rows{" not in generate_latest(metrics.REGISTRY).decode()
