"""A house of its own for the benchmarks: durable PostgreSQL, one Kafka broker, span receiver, all in a temporary directory."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import psycopg
from kafka.admin import KafkaAdminClient
from psycopg import sql

from chassis.index import Service
from chassis.migrate import migrate
from network import jars
from network.children import Child, spawn
from network.home import Home, read_json
from network.kafka import Kafka
from network.postgres import Postgres, processes_of
from network.postgres_place import place_for
from network.probe import is_ready
from network.programs import Places, Program, environment, source_roots
from network.progress import Progress
from network.roles import VERIFY, ensure_roles, password_file
from network.topics import TopicSpec, ensure_topics
from tests.bench.receiver_process import PORT_LINE

ROOT = Path(__file__).resolve().parents[2]
_READY_WITHIN_S = 60.0


class House:
    """Everything that a row needs; leaves nothing behind."""

    def __init__(self) -> None:
        self.home = Home(Path(tempfile.mkdtemp(prefix="saguaro-bench-")))
        self.home.prepare()
        # Commit times are how the latency rows know when an effect was there; nothing else differs from a real home.
        self.postgres = Postgres(self.home.path, secrets=self.home.secrets, settings={"track_commit_timestamp": "on"})
        self.kafka = Kafka(self.home.path, jars.fetch(Progress(quiet=True)))
        self._children: list[Child] = []
        self._bare: list[Bare] = []
        self._receiver: subprocess.Popen[str] | None = None
        self._endpoint = ""
        self._numbers = count(1)

    def __enter__(self) -> "House":
        try:
            self.postgres.start()
            self.kafka.start()
            self._start_receiver()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every process of the house and removes its directory."""
        self.stop_children()
        if self._receiver is not None:
            self._receiver.kill()
            self._receiver.wait()
        self.kafka.kill()
        self.postgres.destroy()
        shutil.rmtree(self.home.path, ignore_errors=True)

    def _start_receiver(self) -> None:
        program = [sys.executable, "-m", "tests.bench.receiver_process", str(self.home.traces)]
        self._receiver = subprocess.Popen(program, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=ROOT)
        line = self._receiver.stdout.readline() if self._receiver.stdout is not None else ""
        self._endpoint = line.removeprefix(PORT_LINE).strip()

    # -- databases

    def password(self, role: str) -> str:
        """The generated password of a role."""
        return password_file(self.home.secrets, role).read_text().strip()

    def migrated(self, index: Service) -> str:
        """The service's database with its newest schema; the template of fresh ones."""
        ensure_roles(self.postgres.dsn(), self.home.secrets, [index.name])
        owner = f"{index.name}_owner"
        migrate(index, self.url(owner, index.name), self.password(owner))
        return index.name

    def url(self, role: str, database: str) -> str:
        """A database URL without its password."""
        return f"postgresql://{role}@127.0.0.1:{self.postgres.port}/{database}"

    def dsn(self, role: str, database: str) -> str:
        """How a bare program connects with the same rights as ours."""
        return self.postgres.dsn(role, database, password=self.password(role))

    def connect(self, database: str) -> "psycopg.Connection[Any]":
        """A superuser's connection in autocommit, to fill and to look."""
        return psycopg.connect(self.postgres.dsn(database=database), autocommit=True)

    def fresh(self, service: str, template: str | None = None) -> str:
        """A new database made from a template; returns its name. Everything before it is on disk."""
        name = f"{service}_bench_{next(self._numbers)}"
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                    *map(sql.Identifier, (name, template or service, f"{service}_owner"))
                )
            )
            for role in (f"{service}_api", f"{service}_worker", VERIFY):
                connection.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(*map(sql.Identifier, (name, role)))
                )
            connection.execute("CHECKPOINT")
        return name

    def drop(self, *names: str) -> None:
        """Drops databases, whoever is still connected."""
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            for name in names:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    # -- topics

    def fresh_topics(self, names: Iterable[str], partitions: int = 4) -> None:
        """Empty topics, whatever was in them before."""
        names = list(names)
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap, client_id="bench-topics")
        try:
            there = [name for name in names if name in set(admin.list_topics())]
            if there:
                admin.delete_topics(there)
            until = time.monotonic() + 20
            while set(admin.list_topics()) & set(there):
                if time.monotonic() > until:
                    raise TimeoutError(f"{there} are still there")
                time.sleep(0.05)
        finally:
            admin.close()
        ensure_topics(self.kafka.bootstrap, [TopicSpec(name, partitions) for name in names])

    # -- processes

    def start(self, service: str, kind: str, database: str, **settings: str) -> dict[str, str]:
        """Starts a process of a service as the supervisor does, on this database; its addresses once it is ready."""
        device = service == "device_telemetry" and kind == "api"
        program = Program(
            service,
            kind,
            listens=("grpc", "stream", "mllp") if device else ("grpc",) if kind == "api" else (),
            peers=("intake", "treatment_plan") if device else (),
        )
        return self.start_program(program, program.command(), database, **settings)

    def start_program(self, program: Program, command: list[str], database: str, **settings: str) -> dict[str, str]:
        """The same for any command that reports as our processes do."""
        report_file = self.home.report_file(program.name)
        report_file.unlink(missing_ok=True)
        places = Places(self.postgres.port, self.kafka.bootstrap, self._endpoint)
        env = environment(program, self.home, places, {})
        env["SAGUARO_DATABASE_URL"] = self.url(f"{program.service}_{program.kind}", database)
        env["PYTHONPATH"] = os.pathsep.join((env["PYTHONPATH"], str(ROOT)))
        log = self.home.logs / f"{program.name}.log"
        child = spawn(program.name, command, output=log, environment=env | settings)
        self._children.append(child)
        return self._await_ready(child, report_file, log)

    def _await_ready(self, child: Child, report_file: Path, log: Path) -> dict[str, str]:
        until = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < until and child.poll() is None:
            report = read_json(report_file)
            if report is not None and is_ready(report):
                addresses: dict[str, str] = report["addresses"]
                return addresses
            time.sleep(0.05)
        raise RuntimeError(f"{child.name} is not ready:\n{log.read_text()[-3000:]}")

    def cpu(self) -> dict[str, float]:
        """Seconds of processor that each part of the house has used so far: immune to what else the machine does."""
        found = {child.name.replace("_", "-"): _used(child.pid) for child in self._children}
        for bare in self._bare:
            name = bare.name.replace("_", "-")
            found[name] = found.get(name, 0.0) + _used(bare.pid)
        data = place_for(self.home.path).data
        found["postgres"] = sum(_used(process.pid) for process in processes_of(data))
        found["kafka"] = _used(self.kafka.pid)
        return found

    def spent(self, before: dict[str, float], operations: int) -> dict[str, float | str]:
        """Microseconds of processor an operation since `before`, by part, and `cpu_us` for all but what makes the load."""
        after = self.cpu()
        parts = {name: (used - before.get(name, 0.0)) / operations * 1e6 for name, used in after.items()}
        mine = sum(us for name, us in parts.items() if "load" not in name and name != "producer-process")
        return {"cpu_us": mine, "cpu_parts_us": ", ".join(f"{name} {us:.0f}" for name, us in sorted(parts.items()))}

    def stop_children(self) -> None:
        """Ends the processes of a turn at once: what they did is on record, and their databases go next."""
        children, self._children = self._children, []
        for child in children:
            child.kill()

    def bare(self, module: str, *arguments: str, dsn: str = "") -> "Bare":
        """A program of the benchmarks, in a process of its own. The DSN goes by the environment: it holds a password."""
        made = Bare(module, arguments, dsn)
        self._bare = [bare for bare in self._bare if not bare.ended] + [made]
        return made


class Bare:
    """A child that prints lines of JSON and reads lines from us."""

    def __init__(self, module: str, arguments: Iterable[str], dsn: str) -> None:
        roots = os.pathsep.join([*source_roots(), str(ROOT)])
        env = os.environ | {"PYTHONPATH": roots, "BENCH_DSN": dsn, "SAGUARO_DIE_WITH_PARENT": "1"}
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.child", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=env,
        )

    def hear(self) -> Any:
        """The next object that it prints; RuntimeError when it ended instead."""
        if self._process.stdout is None:
            raise RuntimeError("no pipe")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended with {self._process.wait()}")
        return json.loads(line)

    def tell(self, line: str = "go") -> None:
        """Writes a line to it."""
        if self._process.stdin is None:
            raise RuntimeError("no pipe")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def name(self) -> str:
        """The last part of its module's name."""
        return self._module.rsplit(".", 1)[-1]

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def end(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _used(pid: int | None) -> float:
    """Seconds of processor that a process has used, with those of children that it has seen end."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def wait_until(done: Callable[[], bool], seconds: float, every_s: float = 0.2) -> bool:
    """Looks now and then, rarely enough not to disturb what is measured; False when the time is over."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(every_s)
    return True
