"""A process from its first line to its last: settings, report, signals, drain, exit codes. Real processes, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import ProxyHandler, build_opener

import pytest

from chassis.process import EXIT_SETTINGS

SERVICES = Path(__file__).resolve().parents[2] / "services"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SETTINGS = {
    "SAGUARO_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "SAGUARO_DATABASE_PASSWORD": "not-a-real-one",
    "SAGUARO_SEALING_KEY": KEY,
    "SAGUARO_PAGE_TOKEN_KEY": KEY,
    "SAGUARO_KAFKA_BOOTSTRAP": "127.0.0.1:9",
}
PATCH = {"api": "", "worker": "from chassis import guards_worker; guards_worker.patch()\n"}
DRAINS = """
import sys
from chassis.process import prepare_process
process = prepare_process("example", "{kind}")
process.report({{"grpc": "127.0.0.1:7"}})
process.stop.wait()
process.draining()
{work}
process.end()
"""

Start = Callable[..., subprocess.Popen[str]]
T = TypeVar("T")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


@pytest.fixture
def start(report: Path) -> Iterator[Start]:
    """Starts a program; whatever is left of it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def make(program: str, **environment: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(SERVICES), "PATH": "", "SAGUARO_REPORT_FILE": str(report)} | SETTINGS | environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(child)
        return child

    yield make
    for child in started:
        child.kill()
        child.communicate()


def until(look: Callable[[], T | None], seconds: float = 30.0) -> T:
    """Waits for a condition; fails when it does not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


def read(report: Path) -> dict[str, Any] | None:
    """The report, once it is there. It is never there in part."""
    return json.loads(report.read_text()) if report.exists() else None


def events(stderr: str) -> list[str]:
    """The texts of the log lines."""
    return [json.loads(line)["event"] for line in stderr.splitlines()]


@pytest.mark.parametrize("kind", ["api", "worker"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_reports_drains_and_exits_with_0(start: Start, report: Path, kind: str, number: signal.Signals) -> None:
    child = start(PATCH[kind] + DRAINS.format(kind=kind, work=""))
    told = until(lambda: read(report))
    assert set(told) == {"service", "kind", "pid", "addresses", "started_at"}
    assert (told["service"], told["kind"], told["pid"]) == ("example", kind, child.pid)
    assert told["addresses"]["grpc"] == "127.0.0.1:7"
    assert report.stat().st_mode & 0o077 == 0
    with build_opener(ProxyHandler({})).open(f"http://{told['addresses']['http']}/started", timeout=10) as answer:
        assert answer.status == 200
    asked = time.monotonic()
    child.send_signal(number)
    _, stderr = child.communicate(timeout=10)
    assert child.returncode == 0, stderr
    assert time.monotonic() - asked < 3
    assert events(stderr) == ["started", "draining", "ended"]
    assert not report.exists()


@pytest.mark.parametrize("kind", ["api", "worker"])
def test_a_drain_that_hangs_ends_in_its_time(start: Start, report: Path, kind: str) -> None:
    work = "import threading; print('hangs', flush=True); threading.Event().wait()"
    child = start(PATCH[kind] + DRAINS.format(kind=kind, work=work), SAGUARO_DRAIN_SECONDS="0.3")
    until(lambda: read(report))
    child.terminate()
    out, _ = child.communicate(timeout=10)
    assert (out, child.returncode) == ("hangs\n", 1)


@pytest.mark.parametrize("kind", ["api", "worker"])
def test_a_second_signal_ends_it_at_once(start: Start, report: Path, kind: str) -> None:
    work = "import threading; print('hangs', flush=True); threading.Event().wait()"
    child = start(PATCH[kind] + DRAINS.format(kind=kind, work=work), SAGUARO_DRAIN_SECONDS="60")
    until(lambda: read(report))
    child.terminate()
    assert child.stdout is not None
    assert child.stdout.readline() == "hangs\n"
    child.terminate()
    assert child.wait(timeout=5) == 1


def test_wrong_settings_end_it_with_every_mistake_in_one_line(start: Start) -> None:
    child = start(DRAINS.format(kind="api", work=""), SAGUARO_SEALING_KEY="", SAGUARO_SLOT="x", SAGUARO_SLOTS="1")
    _, stderr = child.communicate(timeout=30)
    assert child.returncode == EXIT_SETTINGS
    (line,) = [json.loads(one) for one in stderr.splitlines()]
    assert (line["reason"], line["service"], line["kind"]) == ("SETTINGS", "example", "api")
    assert [mistake.split()[0] for mistake in line["mistakes"]] == [
        "SAGUARO_SEALING_KEY", "SAGUARO_SLOT", "SAGUARO_SLOTS",
    ]  # fmt: skip


def test_a_database_that_is_away_is_waited_for_and_a_stop_is_heard(start: Start, report: Path) -> None:
    program = """
from types import SimpleNamespace
from chassis.process import prepare_process
process = prepare_process("example", "api")
database = process.open_database()
process.report()
process.await_schema(SimpleNamespace(required_revision="0001"), database)
process.draining()
database.dispose()
process.end()
"""
    child = start(program)
    told = until(lambda: read(report))
    opener = build_opener(ProxyHandler({}))
    page = f"http://{told['addresses']['http']}"
    with opener.open(page + "/live", timeout=10) as answer:
        assert answer.status == 200
    with pytest.raises(OSError, match="503"):
        opener.open(page + "/ready", timeout=10)
    child.terminate()
    _, stderr = child.communicate(timeout=10)
    assert child.returncode == 0, stderr
    assert "the database does not answer yet" in events(stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's request is Linux's")
def test_it_ends_with_its_parent(start: Start, report: Path) -> None:
    program = DRAINS.format(kind="api", work="")
    parent = start(
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {program!r}]).wait()",
        SAGUARO_DIE_WITH_PARENT="1",
    )
    child = int(until(lambda: read(report))["pid"])
    parent.kill()
    parent.wait(timeout=10)

    def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        # Where nobody reaps orphans, an ended process stays as a zombie.
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    assert until(gone, 10)
