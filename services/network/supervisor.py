"""The whole network on one machine: PostgreSQL, Kafka, the span receiver and every process, started, watched and started again.

It dies hard: children die with it, and the next `up` on the same home cleans up what is left and goes on where it was.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from network import jars
from network.children import Child, Steps, find_processes, spawn, stop_orphans
from network.home import Home, read_json, write_json
from network.kafka import Kafka
from network.migration import load_migration, make_topics, migrate_all
from network.ports import PortBook
from network.postgres import Postgres
from network.probe import is_ready
from network.programs import Places, Program, environment, programs
from network.progress import Progress
from network.receiver import Receiver

_STOP: Steps = ((signal.SIGTERM, 12.0),)
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
# A process that ran this long had a good start; its next failure begins with a short pause again.
_GOOD_RUN_S = 20.0
_READY_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.1


class NetworkFailed(Exception):
    """The network did not come up; the message says which process and where its log is."""


@dataclass
class Member:
    """One process of the network and how it has fared."""

    program: Program
    child: Child | None = None
    started_at: float = 0.0
    failures: int = 0
    start_after: float = 0.0
    restarts: int = 0
    ports: dict[str, int] = field(default_factory=dict)


class Supervisor:
    """Owner of a home from `start` to `stop`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        book = PortBook(home.path / "ports.json")
        self.postgres = Postgres(home.path, ports=book, secrets=home.secrets)
        self._book = book
        self.kafka: Kafka | None = None
        self.receiver: Receiver | None = None
        self.members = [Member(program) for program in programs()]
        self._stopping = threading.Event()
        self._restarts = {"postgres": 0, "kafka": 0}

    # -- start

    def start(self) -> None:
        """Brings everything up; returns when every process is ready. NetworkFailed with the reason otherwise."""
        self.home.take()
        self.home.steps_file.unlink(missing_ok=True)
        self.home.network_file.unlink(missing_ok=True)
        self._clear_predecessor()
        with self._step("fetch Kafka"):
            found = jars.fetch(Progress(quiet=True))
        self.kafka = Kafka(self.home.path, found, ports=self._book)
        with self._step("start PostgreSQL and Kafka"), ThreadPoolExecutor(max_workers=2) as pool:
            jobs = [pool.submit(self.postgres.start), pool.submit(self.kafka.start)]
            # Imported here meanwhile: two threads that import the same packages for the first time get in each other's way.
            load_migration()
            for job in jobs:
                job.result()
        with self._step("migrate five databases, make topics"), ThreadPoolExecutor(max_workers=2) as pool:
            migrated, made = pool.submit(migrate_all, self.home, self.postgres), pool.submit(make_topics, self.kafka)
            migrated.result()
            made.result()
        self.receiver = Receiver(self.home.traces)
        self.receiver.start()
        with self._step(f"start {len(self.members)} processes"):
            for member in self.members:
                self._start_member(member)
            self._await_ready()
        self._say("ready")

    def _clear_predecessor(self) -> None:
        """Ends what a killed supervisor left, and forgets what it said."""
        reports = {str(self.home.report_file(member.program.name)) for member in self.members}
        stop_orphans(find_processes(lambda process: _reports_to(process, reports)), _STOP)
        for member in self.members:
            path = self.home.report_file(member.program.name)
            report = read_json(path)
            if report is not None:
                self._remember_ports(member, report.get("addresses", {}))
            path.unlink(missing_ok=True)

    def _start_member(self, member: Member) -> None:
        if self.kafka is None or self.receiver is None:
            raise RuntimeError("Kafka and the receiver come first")
        # Kept ports lie below the ephemeral range, so that a dead process finds its own free again. After two failures the
        # process chooses: somebody else may have taken one between our look and its bind.
        names = (*member.program.listens, "http")
        ports = {name: self._book.port(f"{member.program.name}.{name}") if member.failures < 2 else 0 for name in names}
        places = Places(self.postgres.port, self.kafka.bootstrap, self.receiver.endpoint)
        self.home.report_file(member.program.name).unlink(missing_ok=True)
        member.child = spawn(
            member.program.name,
            member.program.command(),
            output=self.home.logs / f"{member.program.name}.log",
            environment=environment(member.program, self.home, places, ports),
        )
        member.started_at = time.monotonic()

    def _remember_ports(self, member: Member, addresses: dict[str, str]) -> None:
        for name, address in addresses.items():
            port = int(address.rpartition(":")[2])
            key = f"{member.program.name}.{name}"
            if self._book.known(key) != port:
                self._book.keep(key, port)

    def _await_ready(self) -> None:
        until = time.monotonic() + _READY_WITHIN_S
        waiting = list(self.members)
        while waiting and not self._stopping.is_set():
            for member in list(waiting):
                report = read_json(self.home.report_file(member.program.name))
                if report is not None and is_ready(report):
                    self._remember_ports(member, report["addresses"])
                    waiting.remove(member)
                elif member.child is not None and member.child.poll() is not None and member.failures >= 2:
                    raise NetworkFailed(self._why(member))
            self.look_after()
            if time.monotonic() > until:
                raise NetworkFailed("; ".join(self._why(member) for member in waiting))
            self._stopping.wait(_LOOK_EVERY_S)

    def _why(self, member: Member) -> str:
        log = self.home.logs / f"{member.program.name}.log"
        return f"{member.program.name} is not ready; its log is {log}, and ends:\n{_tail(log)}"

    # -- watch

    def run(self) -> None:
        """Looks after everything until told to stop."""
        while not self._stopping.wait(_LOOK_EVERY_S):
            self.look_after()

    def look_after(self) -> None:
        """Starts again what has died, with back-off."""
        if self.postgres.poll() is not None:
            self._restarts["postgres"] += 1
            self._quietly("postgres", self.postgres.start)
        if self.kafka is not None and self.kafka.poll() is not None:
            self._restarts["kafka"] += 1
            self._quietly("kafka", self.kafka.start)
        now = time.monotonic()
        for member in self.members:
            if member.child is not None and member.child.poll() is not None:
                if now - member.started_at > _GOOD_RUN_S:
                    member.failures = 0
                pause = 0.0 if member.failures == 0 else min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**member.failures)
                member.failures += 1
                member.restarts += 1
                member.start_after = now + pause
                member.child = None
                self._log(f"{member.program.name} ended; it starts again in {pause:.1f} s")
            elif member.child is None and member.start_after and now >= member.start_after:
                self._start_member(member)
                self._say("ready")

    def _quietly(self, name: str, start: object) -> None:
        self._log(f"{name} ended; it starts again")
        try:
            start()  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001
            self._log(f"{name} did not start: {type(error).__name__}")
        self._say("ready")

    # -- stop

    def stop(self, *_: object) -> None:
        """Asks `run` to end; safe in a signal handler."""
        self._stopping.set()

    def shut_down(self) -> None:
        """Ends every process in order: services first, then Kafka and PostgreSQL."""
        self._say("stopping")
        children = [member.child for member in self.members if member.child is not None]
        with ThreadPoolExecutor(max_workers=max(1, len(children))) as pool:
            list(pool.map(lambda child: child.stop(_STOP), children))
        if self.receiver is not None:
            self.receiver.stop()
        with ThreadPoolExecutor(max_workers=2) as pool:
            if self.kafka is not None:
                pool.submit(self.kafka.stop)
            pool.submit(self.postgres.stop)
        self.home.network_file.unlink(missing_ok=True)

    # -- what it says

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        self._tell({"step": name, "state": "begun"})
        try:
            yield
        except Exception as error:
            self._tell({"step": name, "state": "failed", "why": str(error)})
            raise
        self._tell({"step": name, "state": "done", "seconds": round(time.monotonic() - began, 1)})

    def _tell(self, what: dict[str, object]) -> None:
        with self.home.steps_file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what) + "\n")

    def _say(self, state: str) -> None:
        """Writes what `status` reads."""
        write_json(
            self.home.network_file,
            {
                "state": state,
                "pid": os.getpid(),
                "postgres": {"pid": self.postgres.pid, "port": self._book.known("postgres")},
                "kafka": {
                    "pid": None if self.kafka is None else self.kafka.pid,
                    "bootstrap": None if self.kafka is None else self.kafka.bootstrap,
                },
                "otlp_endpoint": None if self.receiver is None else self.receiver.endpoint,
                "restarts": {member.program.name: member.restarts for member in self.members} | self._restarts,
                "pids": {member.program.name: member.child.pid for member in self.members if member.child is not None},
            },
        )

    def _log(self, text: str) -> None:
        print(json.dumps({"event": text, "service": "supervisor"}), file=sys.stderr, flush=True)


def _reports_to(process: psutil.Process, reports: set[str]) -> bool:
    return process.environ().get("SAGUARO_REPORT_FILE", "") in reports


def _tail(path: Path, lines: int = 12) -> str:
    if not path.exists():
        return "(no log)"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def supervise(home: Home) -> int:
    """Runs a supervisor in this process until SIGTERM or SIGINT. Returns the exit code."""
    supervisor = Supervisor(home)
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    try:
        supervisor.start()
        supervisor.run()
    finally:
        if supervisor.home.owner() == os.getpid() or supervisor.home._lock is not None:
            supervisor.shut_down()
    return 0
