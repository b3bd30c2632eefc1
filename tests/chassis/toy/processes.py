"""Workers of the toy as processes, what is sent to them over a real Kafka, and what became of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import psycopg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from chassis.envelope import wire_headers
from chassis.worker import driver_dsn
from tests.chassis.toy.harness import Log, headers_for, name, plan

ROOT = Path(__file__).resolve().parents[3]
PLANS = "saguaro.treatment_plan.plan"
T = TypeVar("T")


def until(look: Callable[[], T | None], seconds: float = 60.0) -> T:
    """Waits for a condition; fails when it does not come true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true in time")


@dataclass
class ToyWorker:
    """One process; its standard error is a file beside its report."""

    process: "subprocess.Popen[bytes]"
    report: Path
    said: Path

    def page(self, path: str) -> tuple[int, str]:
        """Status and text of its health page; 0 while it is not there."""
        if not self.report.exists():
            return 0, ""
        address = json.loads(self.report.read_text())["addresses"]["http"]
        try:
            with build_opener(ProxyHandler({})).open(f"http://{address}{path}", timeout=10) as answer:
                return int(answer.status), answer.read().decode()
        except HTTPError as refused:
            return refused.code, refused.read().decode()

    def ready(self) -> bool:
        """Whether it says so."""
        return self.page("/ready")[0] == 200

    def events(self) -> list[str]:
        """The texts of its log lines."""
        return [json.loads(line)["event"] for line in self.said.read_text().splitlines() if line.startswith("{")]

    def end(self, number: signal.Signals) -> int:
        """Sends a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@dataclass
class Stand:
    """A database, a broker and the workers between them."""

    log: Log
    password: str
    bootstrap: str
    place: Path
    workers: list[ToyWorker] = field(default_factory=list)
    # What was sent of each person, in order, and to how many records of which partition.
    sent: dict[str, list[str]] = field(default_factory=dict)
    placed: dict[int, int] = field(default_factory=dict)

    @property
    def dsn(self) -> str:
        """The database as its worker sees it."""
        return driver_dsn(self.log.database.url)

    def start(self, slot: int = 0, **environment: str) -> ToyWorker:
        """Starts a worker in a slot."""
        at = self.place / f"worker-{len(self.workers)}"
        url = self.log.database.url
        key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        settings = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("services", "build/contracts", ".")),
            "SAGUARO_DATABASE_URL": f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}",
            "SAGUARO_DATABASE_PASSWORD": self.password,
            "SAGUARO_SEALING_KEY": key,
            "SAGUARO_KAFKA_BOOTSTRAP": self.bootstrap,
            "SAGUARO_REPORT_FILE": str(at.with_suffix(".json")),
            "SAGUARO_SLOT": str(slot),
            "SAGUARO_STATEMENT_TIMEOUT_SECONDS": "60",
        }
        said = at.with_suffix(".log")
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.chassis.toy.run_worker"],
                cwd=ROOT,
                env=settings | environment,
                stderr=output,
            )
        worker = ToyWorker(process, at.with_suffix(".json"), said)
        self.workers.append(worker)
        return worker

    def begin_at_the_end(self) -> None:
        """What other tests left on the topics is not for this database."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap)
        for topic in self.log.reader.topics:
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            for place, end in consumer.end_offsets(places).items():
                self.log.reader.ensure_offset(topic, place.partition, end)
                if topic == PLANS:
                    self.placed[place.partition] = end
        consumer.close()

    def send(self, people: int, each: int) -> None:
        """Sends so many more plans of so many people, in turns."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True)
        futures = []
        for _ in range(each):
            for number in range(people):
                person = f"person{number}"
                mine = self.sent.setdefault(name(person), [])
                event = plan(person, f"{person}-{len(mine) + 1}")
                mine.append(event.plan_id)
                headers = wire_headers(headers_for(event, len(mine)))
                key = event.person_id.encode()
                futures.append(producer.send(PLANS, event.SerializeToString(), key=key, headers=headers))
        for future in futures:
            self.placed[future.get(30).partition] += 1
        producer.close()

    @contextmanager
    def held(self, *people: str) -> Iterator[None]:
        """Holds people's keys (all that were sent, if none is named): the batch that brings one stands still in its midst."""
        with psycopg.connect(self.dsn) as holder:
            for key in [name(person) for person in people] or list(self.sent):
                holder.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (PLANS, key))
            yield

    def standing(self) -> bool:
        """Whether a worker stands before a held key."""
        with psycopg.connect(self.dsn) as look:
            found = look.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
                " AND datname = current_database()"
            ).fetchone()
        return bool(found and found[0])

    def cut(self) -> int:
        """Ends every connection of the workers."""
        with psycopg.connect(self.dsn) as look:
            row = look.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
                " AND (application_name LIKE 'saguaro toy%' OR application_name = 'toy-relay')"
            ).fetchone()
        return int(row[0]) if row else 0

    def applied(self) -> int:
        """How many plans are heard."""
        return len(self.log.heard("plan"))

    def assert_all_once_in_order(self) -> None:
        """Everything that was sent is there, once, each person's in order, and the offsets stand behind it."""
        try:
            until(lambda: self.applied() >= sum(map(len, self.sent.values())))
        except AssertionError:
            raise AssertionError(self.state()) from None
        with self.log.database.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT key, what FROM heard WHERE kind = 'plan' ORDER BY n").all()
        heard: dict[str, list[str]] = {}
        for key, what in rows:
            heard.setdefault(key, []).append(what)
        assert heard == self.sent
        assert self.offsets() == self.placed

    def state(self) -> str:
        """Where everything stands, for whoever reads a failure."""
        with psycopg.connect(self.dsn) as look:
            sessions = look.execute(
                "SELECT application_name, state, wait_event, left(query, 80) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        pages = [
            worker.page(path)
            for worker in self.workers
            for path in ("/ready", "/live")
            if worker.process.poll() is None
        ]
        return f"{self.applied()} applied; {self.offsets()} of {self.placed}; {sessions}; {pages}; parked {self.log.parked()}"

    def offsets(self) -> dict[int, int]:
        """The next offset of each partition of the plans."""
        with self.log.database.engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT partition, next FROM consumer_offset WHERE topic = %s", (PLANS,))
            return {row[0]: row[1] for row in found}
