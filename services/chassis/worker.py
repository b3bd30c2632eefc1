"""The worker of a service: the one place where nameko and eventlet are named. Services only call `worker_class` and `run_worker`.

Kafka and timers come in, reactions and the relay go out; nothing here knows gRPC.
"""

from collections.abc import Callable
from typing import Any

import psycopg
from eventlet.event import Event
from nameko.containers import ServiceContainer
from nameko.extensions import DependencyProvider
from nameko.timer import timer
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from chassis import metrics
from chassis.consumer import Reader
from chassis.database import CLIENT_NOTICES, SERVER_NOTICES, Database
from chassis.errors import Fenced, Transient
from chassis.health import Health
from chassis.index import Service, Timer
from chassis.kafka_client import make_producer
from chassis.process import leave, prepare_process
from chassis.records import Record, plumbing_context
from chassis.relay import Relay
from chassis.relay_publisher import Publisher
from chassis.settings import ProcessSettings
from chassis.worker_reading import ReadingLoop, read_batches

EVENTS_LOOP = "events"
STREAMS_LOOP = "streams"
RELAY_LOOP = "relay"
EXIT_FAILED = 70
# The reading loop deals with these itself; nameko logs them as warnings and not as our errors.
_EXPECTED = (Transient, Fenced)
_LOOK_EVERY_S = 0.25
_GAUGES_EVERY_S = 5.0
_PRUNE_EVERY_S = 600.0
_PRUNE_ROWS = 200_000
_KEEP_INBOX = "14 days"
_KEEP_IDEMPOTENCY = "30 days"
# One process runs a timer at a time; the lock's second half is the timer's name.
_TIMER_LOCK = 7_263_003


class Runtime:
    """What the extensions of one worker process share."""

    def __init__(self, index: Service, settings: ProcessSettings, database: Database, health: Health) -> None:
        self.index = index
        self.settings = settings
        self.database = database
        self.health = health
        self.reader = Reader(index, database)
        self.loops: dict[str, ReadingLoop] = {}


def driver_dsn(url: URL) -> str:
    """The URL as libpq reads it, for connections outside the pool."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


class RelayThread(DependencyProvider):  # type: ignore[misc]
    """Runs the relay for as long as the container runs."""

    def setup(self) -> None:
        """Prepares the thread's own end."""
        self._stopping = False
        self._ended = Event()

    def start(self) -> None:
        """Begins to relay in a thread of the container."""
        runtime: Runtime = self.container.service_cls.runtime
        settings = runtime.settings
        runtime.health.watch(RELAY_LOOP, settings.live_bound_seconds + 30)
        dsn = make_conninfo(
            driver_dsn(runtime.database.url),
            connect_timeout=5,
            application_name=f"{runtime.index.name}-relay",
            options=SERVER_NOTICES,
            **CLIENT_NOTICES,
        )
        relay = Relay(
            runtime.index,
            lambda: psycopg.connect(dsn),
            Publisher(
                make_producer(
                    ",".join(str(address) for address in settings.kafka_bootstrap or ()), f"{runtime.index.name}-relay"
                )
            ),
        )

        def stopping() -> bool:
            runtime.health.beat(RELAY_LOOP)
            return self._stopping

        def run() -> None:
            try:
                relay.run(stopping)
            finally:
                self._ended.send(None)

        self.container.spawn_managed_thread(run, identifier="relay")

    def stop(self) -> None:
        """Ends after the batch that is under way."""
        self._stopping = True
        self._ended.wait()


def _timer_method(row: Timer) -> Callable[[Any], None]:
    def run(self: Any) -> None:
        runtime: Runtime = self.runtime
        with runtime.database.unit_of_work(plumbing_context()) as uow:
            mine = uow.driver.execute(
                "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (_TIMER_LOCK, row.name)
            ).fetchone()
            if mine is not None and mine[0]:
                row.run(uow)

    run.__name__ = f"timer_{row.name}"
    run.__doc__ = f"Timer {row.name}, every {row.every_seconds} s."
    return run


def gauges(uow: Any) -> None:
    """Reads how much waits: outbox and parked rows."""
    index: str = uow.service
    rows, age = uow.driver.execute(
        "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0) FROM outbox"
    ).fetchone()
    metrics.OUTBOX_ROWS.set(rows)
    metrics.OUTBOX_AGE.set(float(age))
    metrics.PARKED_ROWS.clear()
    for topic, reason, count in uow.driver.execute(
        "SELECT topic, reason, count(*) FROM parked GROUP BY 1, 2"
    ).fetchall():
        metrics.PARKED_ROWS.labels(index, topic, reason).set(count)


def prune(uow: Any) -> None:
    """Drops inbox and idempotency rows that no repetition can meet any more; positions still catch older duplicates.

    A bounded part each time, so that a backlog never meets the time-out of a statement and stays for ever.
    """
    for table, at, keep in (("inbox", "received_at", _KEEP_INBOX), ("idempotency", "recorded_at", _KEEP_IDEMPOTENCY)):
        uow.driver.execute(
            f"DELETE FROM {table} WHERE ctid = ANY (ARRAY("
            f"SELECT ctid FROM {table} WHERE {at} < clock_timestamp() - interval '{keep}' LIMIT {_PRUNE_ROWS}))"
        )


def worker_class(index: Service) -> type:
    """The nameko service class of an index."""

    def on_events(self: Any, topic: str, partition: int, records: list[Record], expected: int) -> None:
        self.runtime.reader.apply(topic, partition, records, expected=expected)

    def on_stream(self: Any, topic: str, partition: int, records: list[Record], expected: int) -> None:
        self.runtime.reader.apply_stream(topic, partition, records, expected=expected)

    members: dict[str, Any] = {"name": index.name, "relay": RelayThread(), "runtime": None, "index": index}
    if index.events_in:
        members["on_events"] = read_batches(EVENTS_LOOP, expected_exceptions=_EXPECTED)(on_events)
    if index.streams:
        members["on_stream"] = read_batches(STREAMS_LOOP, streams=True, expected_exceptions=_EXPECTED)(on_stream)
    rows = (Timer("gauges", _GAUGES_EVERY_S, gauges), Timer("prune", _PRUNE_EVERY_S, prune), *index.timers)
    for row in rows:
        members[f"timer_{row.name}"] = timer(interval=row.every_seconds)(_timer_method(row))
    return type(f"{index.name.title().replace('_', '')}Worker", (), members)


def run_worker(worker: Any) -> None:
    """Runs the worker of this process until it is told to stop, then drains and leaves. Called with `worker_class(INDEX)`.

    Ends with an error when a thread of the container failed; whoever supervises starts it again.
    """
    process = prepare_process(worker.index.name, "worker")
    database = process.open_database()
    process.await_schema(worker.index, database)
    runtime = Runtime(worker.index, process.settings, database, process.health)
    worker.runtime = runtime
    container = ServiceContainer(worker, {"max_workers": process.settings.worker_count})
    _register_checks(runtime)
    container.start()
    process.report()
    while not process.stop.wait(_LOOK_EVERY_S) and not container._died.ready():
        pass
    if container._died.ready():
        process.log.critical("a thread of the worker failed")
        leave(EXIT_FAILED)
    process.draining()
    container.stop()
    database.dispose()
    process.end()


def _register_checks(runtime: Runtime) -> None:
    """What `ready` of a worker means beside database and schema: broker reached, partitions settled, outbox young."""
    wanted = [EVENTS_LOOP] if runtime.index.events_in else []
    wanted += [STREAMS_LOOP] if runtime.index.streams else []

    def partitions() -> str | None:
        missing = [name for name in wanted if name not in runtime.loops or not runtime.loops[name].joined]
        return "NOT_ASSIGNED" if missing else None

    def outbox_age() -> str | None:
        with runtime.database.unit_of_work(plumbing_context(), read_only=True) as uow:
            age = uow.driver.execute(
                "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0) FROM outbox"
            ).fetchone()[0]
        return "TOO_OLD" if age > runtime.settings.outbox_age_bound_seconds else None

    def broker() -> str | None:
        loops = [loop for loop in runtime.loops.values() if loop.joined]
        late = [name for name in runtime.loops if runtime.health.beat_age_s(name) > runtime.settings.live_bound_seconds]
        return None if loops and not late else "NOT_REACHED"

    runtime.health.register("partitions", partitions)
    runtime.health.register("outbox_age", outbox_age)
    runtime.health.register("broker", broker)
