"""Memory of the whole network by process: PSS, so that what processes share is counted once; beside the bare libraries of ten processes."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from network.home import Home, read_json
from network.postgres import Postgres, processes_of
from network.postgres_place import place_for
from network.programs import programs
from tests.bench.fair import Arrived, Details, Row, Target, Turn, alternate
from tests.bench.house import ROOT, Bare, House
from tests.bench.sizes import Sizes

TARGETS = (Target("whole_mib", 2_560, "MiB", at_least=False), Target("ready_s", 45, "s", at_least=False))
_UP_WITHIN_S = 240.0
_SETTLE_S = 5.0


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    bare_turns = min(sizes.turns, 2)
    ours, bare, load = alternate(_network, lambda: _libraries(house), bare_turns, say)
    return Row(
        "memory of the ten service processes, PSS", "MiB", ours, bare,
        "ten processes that only imported the same libraries", TARGETS, load,
        notes="`saguaro up` on an empty home, idle; whole_mib adds PostgreSQL, Kafka and the supervisor with its span receiver",
    )  # fmt: skip


def pss_mib(pid: int) -> float:
    """Proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


def _network() -> Turn:
    home = Home(Path(tempfile.mkdtemp(prefix="saguaro-bench-up-")))
    home.prepare()
    began = time.monotonic()
    with (home.logs / "supervisor.log").open("wb") as log:
        command = [sys.executable, "-m", "cli", "up", "--foreground", "--home", str(home.path)]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT)
    try:
        while (read_json(home.network_file) or {}).get("state") != "ready":
            if child.poll() is not None or time.monotonic() - began > _UP_WITHIN_S:
                raise RuntimeError((home.logs / "supervisor.log").read_text()[-1500:])
            time.sleep(0.1)
        ready_s = time.monotonic() - began
        time.sleep(_SETTLE_S)
        parts = {name: pss_mib(int(report["pid"])) for name, report in home.reports().items()}
        services = sum(parts.values())
        parts["supervisor"] = pss_mib(child.pid)
        parts["kafka"] = pss_mib(int((read_json(home.network_file) or {})["kafka"]["pid"]))
        parts["postgres"] = sum(pss_mib(process.pid) for process in processes_of(place_for(home.path).data))
    finally:
        _end(child)
        Postgres(home.path, secrets=home.secrets).destroy()
        import shutil

        shutil.rmtree(home.path, ignore_errors=True)
    details: Details = {
        "whole_mib": sum(parts.values()),
        "ready_s": ready_s,
        "parts_mib": ", ".join(f"{name} {mib:.0f}" for name, mib in sorted(parts.items())),
    }
    wanted = Arrived.of(sorted(program.name for program in programs()))
    found = Arrived.of(sorted(name for name in parts if name.endswith(("-api", "-worker"))))
    return Turn(services, wanted, found, details)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(60)
    except subprocess.TimeoutExpired:
        for process in psutil.Process(child.pid).children(recursive=True):
            process.kill()
        child.kill()
        child.wait()


def _libraries(house: House) -> Turn:
    made: list[Bare] = []
    try:
        for kind in ("api", "worker") * 5:
            made.append(house.bare("tests.bench.bare_libraries", kind))
        for child in made:
            child.hear()
        found = sum(pss_mib(child.pid) for child in made)
    finally:
        for child in made:
            child.end()
    ten = Arrived.of(str(number) for number in range(10))
    return Turn(found, ten, Arrived.of(str(number) for number in range(len(made))))
