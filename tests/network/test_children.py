"""Children die with the process that started them, and only then."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from network.children import Child, find_processes, spawn, stop_orphans
from tests.network.conftest import eventually

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")


def sleeper(tmp_path: Path, name: str = "sleeper") -> Child:
    return spawn(name, ["/bin/sleep", "300"], output=tmp_path / "out")


@linux_only
def test_a_child_dies_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\n"
        "from network.children import spawn\n"
        f"print(spawn('s', ['/bin/sleep', '300'], output=Path({str(tmp_path / 'out')!r})).pid, flush=True)\n"
        "input()\n"
    )
    source = Path(__file__).parents[2] / "services"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=source
    )
    assert supervisor.stdout is not None
    child = psutil.Process(int(supervisor.stdout.readline()))
    assert eventually(lambda: child.name() == "sleep")
    supervisor.kill()
    supervisor.communicate()
    assert eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@linux_only
def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(sleeper(tmp_path)))
    thread.start()
    thread.join()
    [child] = children
    assert eventually(lambda: psutil.Process(child.pid).name() == "sleep")
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.3)
    child.kill()


def test_a_child_that_ignores_the_first_signal_gets_the_next(tmp_path: Path) -> None:
    script = 'trap "" TERM; echo ready; while :; do sleep 0.05; done'
    child = spawn("stubborn", ["/bin/sh", "-c", script], output=tmp_path / "out")
    assert eventually(lambda: "ready" in (tmp_path / "out").read_text())
    assert child.stop(((signal.SIGTERM, 0.2), (signal.SIGINT, 0.2))) in (-signal.SIGINT, -signal.SIGKILL)


def test_a_program_that_is_not_there_ends_at_once_and_says_so(tmp_path: Path) -> None:
    child = spawn("missing", ["/no/such/program"], output=tmp_path / "out")
    assert child.wait(10) != 0
    assert "FileNotFoundError" in (tmp_path / "out").read_text()


def test_orphans_are_found_by_what_they_run_and_stopped(tmp_path: Path) -> None:
    child = spawn("sleeper", ["/bin/sleep", "301.5"], output=tmp_path / "out")
    assert eventually(lambda: psutil.Process(child.pid).name() == "sleep")
    found = find_processes(lambda process: process.cmdline()[-1:] == ["301.5"])
    assert [process.pid for process in found] == [child.pid]
    stop_orphans(found, ((signal.SIGTERM, 5.0),))
    assert not found[0].is_running()
