"""An api process of a real service on a real database: ready, served, refused and drained."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import grpc
import pytest
from grpc_health.v1 import health_pb2

from chassis.database import Database
from chassis.process import EXIT_SCHEMA
from tests.conftest import SEALING_KEY, Server

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; from scheduling.api import main; sys.exit(main())"
_open = build_opener(ProxyHandler({})).open

StartApi = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def database(database_of: Callable[..., Database]) -> Database:
    return database_of("scheduling")


@pytest.fixture
def start(server: Server, database: Database, tmp_path: Path) -> Iterator[StartApi]:
    """Starts an api of scheduling on the test's database; it is killed at the end if it still runs."""
    children: list[subprocess.Popen[str]] = []
    key = base64.b64encode(SEALING_KEY).decode()

    def make(program: str = PROGRAM) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", program],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{ROOT / 'services'}{os.pathsep}{ROOT / 'build' / 'contracts'}",
                "SAGUARO_DATABASE_URL": server.url("scheduling_api", str(database.url.database)),
                "SAGUARO_DATABASE_PASSWORD": server.password("scheduling_api"),
                "SAGUARO_SEALING_KEY": key,
                "SAGUARO_PAGE_TOKEN_KEY": key,
                "SAGUARO_REPORT_FILE": str(tmp_path / "report.json"),
                "SAGUARO_DRAIN_SECONDS": "5",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield make
    for child in children:
        child.kill()
        child.communicate()


def until(look: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Waits for a condition; fails when it does not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


def addresses(child: subprocess.Popen[str], report: Path) -> dict[str, str]:
    """Where the api listens, once it reports."""

    def look() -> dict[str, str] | None:
        assert child.poll() is None, child.communicate()[1]
        found: dict[str, str] | None = json.loads(report.read_text())["addresses"] if report.exists() else None
        return found

    found: dict[str, str] = until(look)
    return found


def ready(address: str) -> int:
    """The status of the page /ready."""
    try:
        with _open(f"http://{address}/ready", timeout=10) as answer:
            return int(answer.status)
    except HTTPError as refused:
        with refused:
            return refused.code


def serving(address: str) -> bool:
    """What gRPC's own health service says."""
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        asked = check(health_pb2.HealthCheckRequest(), timeout=5)
        return bool(asked.status == health_pb2.HealthCheckResponse.SERVING)


def test_it_serves_and_drains(start: StartApi, tmp_path: Path) -> None:
    child = start()
    found = addresses(child, tmp_path / "report.json")
    until(lambda: ready(found["http"]) == 200 and serving(found["grpc"]))
    child.terminate()
    _, stderr = child.communicate(timeout=10)
    assert child.returncode == 0, stderr
    assert [json.loads(line)["event"] for line in stderr.splitlines()] == ["started", "draining", "ended"]


def test_without_its_database_it_is_live_but_not_ready(
    start: StartApi, server: Server, database: Database, tmp_path: Path
) -> None:
    child = start()
    found = addresses(child, tmp_path / "report.json")
    until(lambda: ready(found["http"]) == 200 and serving(found["grpc"]))
    database.dispose()
    server.drop(str(database.url.database))
    until(lambda: ready(found["http"]) == 503 and not serving(found["grpc"]))
    with _open(f"http://{found['http']}/live", timeout=10) as answer:
        assert answer.status == 200
    assert child.poll() is None


def test_an_older_schema_is_refused(start: StartApi) -> None:
    program = (
        "import sys; from dataclasses import replace; from chassis.api import run_api; from scheduling.app import INDEX\n"
        "sys.exit(run_api(replace(INDEX, required_revision='9999')))"
    )
    child = start(program)
    _, stderr = child.communicate(timeout=30)
    assert child.returncode == EXIT_SCHEMA
    line = json.loads(stderr.splitlines()[-1])
    assert line["expected"] == "9999"
    assert line["event"].startswith("the schema is older")
