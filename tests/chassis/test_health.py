"""Health: three parts that are kept apart, and a page that nothing can hang, under native threads and under eventlet."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest

from chassis import metrics
from chassis.health import Health
from chassis.health_server import HealthServer
from chassis.settings_types import Address

SERVICES = Path(__file__).resolve().parents[2] / "services"
_open = build_opener(ProxyHandler({})).open


def get(address: Address, page: str) -> tuple[int, dict[str, str | bool]]:
    """Status of a page, and for each check True or the reason why not."""
    try:
        with _open(f"http://{address}{page}", timeout=10) as response:
            status, body = response.status, json.load(response)
    except HTTPError as answer:
        with answer:
            status, body = answer.code, json.load(answer)
    return status, {check["name"]: check["ok"] or check["reason"] for check in body["checks"]}


@pytest.fixture
def health() -> Health:
    return Health(hold_s=0.0, timeout_s=0.3)


@pytest.fixture
def address(health: Health) -> Iterator[Address]:
    server = HealthServer(health, Address("127.0.0.1", 0))
    yield server.address
    server.stop()


def test_started_comes_once_and_stays(health: Health, address: Address) -> None:
    assert get(address, "/started") == (503, {"started": "STARTING"})
    health.mark_started()
    assert get(address, "/started") == (200, {"started": True})
    health.register("database", lambda: "AWAY")
    health.mark_draining()
    assert get(address, "/started") == (200, {"started": True})


def test_ready_names_each_check(health: Health, address: Address) -> None:
    def broken() -> str | None:
        raise ConnectionError("at 10.0.0.1, as somebody")

    away: list[str] = ["NOT_ASSIGNED"]
    health.mark_started()
    health.register("partitions", lambda: away[0] if away else None)
    health.register("schema", lambda: None)
    health.register("database", broken)
    assert get(address, "/ready") == (
        503,
        {"started": True, "database": "ConnectionError", "partitions": "NOT_ASSIGNED", "schema": True},
    )
    away.clear()
    health.register("database", lambda: None)
    assert get(address, "/ready")[0] == 200


def test_not_ready_before_it_has_started_nor_while_it_drains(health: Health, address: Address) -> None:
    assert get(address, "/ready") == (503, {"started": "STARTING"})
    health.mark_started()
    assert get(address, "/ready") == (200, {"started": True})
    health.mark_draining()
    assert get(address, "/ready") == (503, {"process": "DRAINING"})
    assert get(address, "/live")[0] == 200


def test_live_looks_at_loops_and_never_at_a_peer(health: Health, address: Address) -> None:
    health.register("database", lambda: "AWAY")
    health.watch("poll", bound_s=60)
    assert get(address, "/live") == (200, {"poll": True})
    health.watch("relay", bound_s=0.0)
    time.sleep(0.001)  # the clock has to move past a bound of nothing
    assert get(address, "/live") == (503, {"poll": True, "relay": "LATE"})
    health.unwatch("relay")
    assert get(address, "/live")[0] == 200


def test_a_beat_makes_a_loop_live_again(health: Health) -> None:
    health.watch("poll", bound_s=0.05)
    until = time.monotonic() + 5
    while health.live()[0].ok and time.monotonic() < until:
        threading.Event().wait(0.01)
    assert not health.live()[0].ok
    health.beat("poll")
    assert health.live()[0].ok


def test_a_check_that_hangs_holds_neither_the_page_nor_the_other_checks(health: Health, address: Address) -> None:
    release, calls = threading.Event(), []

    def hangs() -> None:
        calls.append(1)
        release.wait(20)

    health.mark_started()
    health.register("database", hangs)
    health.register("broker", lambda: None)
    try:
        for _ in range(3):
            begin = time.monotonic()
            assert get(address, "/ready") == (503, {"started": True, "broker": True, "database": "TIMED_OUT"})
            assert time.monotonic() - begin < 3
        assert get(address, "/live")[0] == 200
        assert len(calls) == 1
    finally:
        release.set()
    until = time.monotonic() + 5
    while get(address, "/ready")[0] != 200 and time.monotonic() < until:
        pass
    assert get(address, "/ready")[0] == 200


def test_a_result_holds_for_its_time() -> None:
    calls: list[int] = []
    health = Health(hold_s=60.0)
    health.mark_started()
    health.register("database", lambda: calls.append(1))
    for _ in range(5):
        assert all(finding.ok for finding in health.ready())
    assert calls == [1]


def test_metrics_are_on_the_same_port(health: Health, address: Address) -> None:
    health.watch("poll", bound_s=60)
    metrics.event_handled("example", "example.done", "applied")
    with _open(f"http://{address}/metrics", timeout=10) as response:
        body = response.read().decode()
    assert 'saguaro_events_total{consumer="example",outcome="applied",topic="example.done"}' in body
    assert 'saguaro_poll_age_seconds{loop="poll"}' in body
    assert "process_resident_memory_bytes" in body


def test_an_unknown_page_is_404(address: Address) -> None:
    with pytest.raises(HTTPError) as refused:
        _open(f"http://{address}/patients", timeout=10)
    refused.value.close()
    assert refused.value.code == 404


UNDER_EVENTLET = """
from chassis import guards_worker; guards_worker.patch()
from chassis import guards; guards.install("worker")
import json, sys, threading, time
from urllib.error import HTTPError
from urllib.request import urlopen
import eventlet
from chassis.health import Health
from chassis.health_server import HealthServer
from chassis.settings_types import Address

health = Health(hold_s=0.0, timeout_s=0.3)
server = HealthServer(health, Address("127.0.0.1", 0))
never = threading.Event()
health.mark_started()
health.register("database", never.wait)
health.register("broker", lambda: None)
health.watch("poll", 60)
late = []
def tick():
    while True:
        before = time.monotonic(); eventlet.sleep(0.01); late.append(time.monotonic() - before)
eventlet.spawn(tick)
def get(page):
    try:
        answer = urlopen(f"http://{server.address}{page}", timeout=10)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read().decode()
found = {page: get(page) for page in ("/started", "/ready", "/live", "/metrics")}
print(json.dumps({"found": found, "ticks": len(late), "worst": max(late)}))
server.stop()
"""


def test_the_same_under_eventlet() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNDER_EVENTLET], env={"PYTHONPATH": str(SERVICES), "PATH": "", "no_proxy": "*"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert {page: status for page, (status, _) in told["found"].items()} == {
        "/started": 200, "/ready": 503, "/live": 200, "/metrics": 200,
    }  # fmt: skip
    checks = {check["name"]: check for check in json.loads(told["found"]["/ready"][1])["checks"]}
    assert checks["database"] == {"name": "database", "ok": False, "reason": "TIMED_OUT"}
    assert checks["broker"]["ok"]
    # The check that hung for 0.3 s did not hold the other greenthreads.
    assert told["ticks"] >= 10
