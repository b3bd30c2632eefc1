"""A whole network of its own for a test, driven by the commands that an operator would use."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from network.home import Home, read_json
from network.programs import source_roots

_WITHIN_S = 240.0


@dataclass
class Finished:
    """What a command left: exit code, its one JSON object, what it said on standard error."""

    code: int
    answer: dict[str, Any]
    said: str


@dataclass
class NetworkUnderTest:
    """`saguaro` on one home."""

    path: Path
    home: Home = field(init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.path)

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts a command on this home."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments, "--home", str(self.path), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(source_roots())},
        )

    def finish(self, process: "subprocess.Popen[str]", within_s: float = _WITHIN_S) -> Finished:
        """Waits for a command and reads its answer."""
        out, said = process.communicate(timeout=within_s)
        lines = out.strip().splitlines()
        return Finished(process.returncode, json.loads(lines[-1]) if lines else {}, said)

    def run(self, *arguments: str) -> Finished:
        """A command from start to end."""
        return self.finish(self.begin(*arguments))

    def up(self) -> Finished:
        """Starts the network; AssertionError with its words when it does not come up."""
        finished = self.run("up")
        assert finished.code == 0, finished.said
        return finished

    def down(self) -> Finished:
        """Stops it."""
        return self.run("down")

    def journey(self, patients: int, seed: int) -> "subprocess.Popen[str]":
        """Begins a journey."""
        return self.begin("journey", "--patients", str(patients), "--seed", str(seed), "--sites", "3")

    def state(self) -> dict[str, Any]:
        """What the supervisor says."""
        return read_json(self.home.network_file) or {}

    def pid_of(self, name: str) -> int:
        """The pid of a process: "scheduling-worker", "postgres", "kafka" or "supervisor"."""
        state = self.state()
        if name == "supervisor":
            return int(state["pid"])
        if name in ("postgres", "kafka"):
            return int(state[name]["pid"])
        report = read_json(self.home.report_file(name))
        assert report is not None, f"{name} has not reported"
        return int(report["pid"])

    def kill(self, name: str) -> int:
        """kill -9; returns the pid that is gone."""
        pid = self.pid_of(name)
        victim = psutil.Process(pid)
        victim.send_signal(signal.SIGKILL)
        eventually(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, f"{name} to die")
        return pid

    def back(self, name: str, old_pid: int) -> bool:
        """Whether a killed process runs again."""
        try:
            return self.pid_of(name) != old_pid
        except (AssertionError, KeyError, TypeError):
            return False


def eventually(condition: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    """Waits for a condition; AssertionError naming `what` when it does not come true."""
    until = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < until, f"waited {within_s:.0f} s for {what}"
        pause.wait(0.05)


def totals_of(finished: Finished) -> dict[str, Any]:
    """The totals of a journey that ended well."""
    assert finished.code == 0, finished.said[-3000:]
    broken = [item for item in finished.answer["invariants"] if not item["ok"]]
    assert broken == []
    totals: dict[str, Any] = finished.answer["totals"]
    return totals


def broken_checks(finished: Finished) -> Sequence[dict[str, Any]]:
    """The checks of `verify` that do not hold."""
    return [check for check in finished.answer["checks"] if not check["ok"]]


def events_so_far(network: NetworkUnderTest) -> int:
    """How many business events the network has raised since it was made."""
    from cli.demo_report import events_by_topic
    from cli.running import readers

    return sum(events_by_topic(readers(network.home, network.state())).values())


@dataclass
class Reference:
    """An undisturbed journey: its totals, and how many events it raised."""

    totals: dict[str, Any]
    events: int


PATIENTS = 8
SEED = 11


def undisturbed(network: NetworkUnderTest) -> Reference:
    """A journey that nothing disturbs, to compare with."""
    before = events_so_far(network)
    totals = totals_of(network.finish(network.journey(PATIENTS, SEED)))
    return Reference(totals, events_so_far(network) - before)


def journey_with(network: NetworkUnderTest, reference: Reference, disturb: Callable[[], None]) -> dict[str, Any]:
    """The same journey, disturbed when about a third of its events have happened. Returns its totals."""
    before = events_so_far(network)
    running = network.journey(PATIENTS, SEED)
    eventually(lambda: events_so_far(network) - before >= reference.events // 3, "the journey to be under way")
    assert running.poll() is None, "the journey was over before anything was killed"
    disturb()
    return totals_of(network.finish(running))


def assert_whole(network: NetworkUnderTest) -> None:
    """Every process is ready again, every invariant holds, nothing is parked."""
    eventually(lambda: network.run("status").code == 0, "every process to be ready", within_s=90)
    verified = network.run("verify")
    assert broken_checks(verified) == []
    assert network.run("parked", "list").answer["parked"] == []
