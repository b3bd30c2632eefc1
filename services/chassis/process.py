"""What every process does first and last: guards, settings, logs, spans, health, the report of its addresses, the drain."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from chassis import guards
from chassis.process_signals import Stop, die_with_parent, exit_by

if TYPE_CHECKING:
    from chassis.database import Database
    from chassis.health import Health
    from chassis.health_server import HealthServer
    from chassis.index import Service
    from chassis.settings import Kind, ProcessSettings

EXIT_SETTINGS = 64
"""Exit code of a process whose settings are wrong."""

EXIT_SCHEMA = 65
"""Exit code of a process that needs a newer schema than its database has."""

_SCHEMA_PAUSE_S = 0.25


@dataclass
class Process:
    """One running process of a service: its settings, its health, its log and how it ends."""

    service: str
    kind: Kind
    settings: ProcessSettings
    health: Health
    health_server: HealthServer
    log: Any
    stop: Stop
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def report(self, addresses: Mapping[str, str] | None = None) -> None:
        """Say that the process has started, and where it listens: in the log and, if asked for, in the report file.

        `addresses` are `host:port` by name (grpc, stream, mllp); http is added. The file appears whole or not at all.
        """
        found = {**(addresses or {}), "http": str(self.health_server.address)}
        self.health.mark_started()
        self.log.info("started", addresses=found, pid=os.getpid(), slot=self.settings.slot)
        path = self.settings.report_file
        if path is None:
            return
        report = {
            "service": self.service,
            "kind": self.kind,
            "pid": os.getpid(),
            "addresses": found,
            "started_at": self.started_at.isoformat(),
        }
        _write_whole(path, json.dumps(report) + "\n")

    def draining(self) -> None:
        """The drain begins: not ready any more, and over in `drain_seconds` whatever hangs."""
        self.health.mark_draining()
        self.log.info("draining", timeout_s=self.settings.drain_seconds)
        exit_by(self.settings.drain_seconds)

    def end(self) -> None:
        """Send the last spans, close the health page, remove the report. The caller then exits with 0."""
        from chassis import tracing  # noqa: PLC0415

        tracing.shutdown()
        self.health_server.stop()
        if self.settings.report_file is not None:
            self.settings.report_file.unlink(missing_ok=True)
        self.log.info("ended", pid=os.getpid())

    def open_database(self) -> Database:
        """The service's database in this process, with the secrets that it holds; registers the check for it."""
        from chassis.database import Database  # noqa: PLC0415

        settings = self.settings
        if settings.database_url is None:
            raise LookupError("this process has no database")
        held = ("match_token_key", "page_token_key")
        database = Database(
            settings.database_url,
            settings.secret("database_password").decode(),
            service=self.service,
            sealing_key=settings.secret("sealing_key"),
            secrets={name: settings.secret(name) for name in held if getattr(settings, name) is not None},
            pool_size=settings.pool_size,
            statement_timeout_s=settings.statement_timeout_seconds,
            max_event_bytes=settings.kafka_max_event_bytes,
            application_name=f"saguaro {self.service} {self.kind} {settings.slot}",
        )

        def answers() -> None:
            database.ping()

        self.health.register("database", answers)
        return database

    def await_schema(self, index: Service, database: Database) -> None:
        """Wait for the database; refuse (EXIT_SCHEMA) a schema older than the index needs; return early on a stop.

        Revisions are numbers of four digits, so a newer schema than this code knows is fine: migrations are compatible.
        """
        from chassis.database import is_transient  # noqa: PLC0415

        self.health.register("schema", lambda: "SCHEMA_UNKNOWN")
        pause_s = _SCHEMA_PAUSE_S
        while not self.stop.is_set():
            try:
                found = database.revision()
            except Exception as error:
                if not is_transient(error):
                    raise
                self.log.warning("the database does not answer yet", exc_info=error)
                self.stop.wait(pause_s)
                pause_s = min(2.0, pause_s * 2)
                continue
            if found is None or found < index.required_revision:
                self.log.critical(
                    "the schema is older than this code needs: run saguaro migrate",
                    revision=found,
                    expected=index.required_revision,
                )
                leave(EXIT_SCHEMA)
            self.health.register("schema", lambda: None)
            return


def prepare_process(service: str, kind: Kind, *, needs: Iterable[str] = ()) -> Process:
    """The first thing of every process. Ends it with a clear message where it may not start.

    A worker has called `chassis.guards_worker.patch()` before anything else was imported. `needs` as in ProcessSettings.load.
    """
    needs = frozenset(needs)
    guards.install(kind)
    die_with_parent()
    from chassis.settings import ProcessSettings  # noqa: PLC0415
    from chassis.settings_environment import SettingsError  # noqa: PLC0415

    try:
        settings = ProcessSettings.load(service, kind, needs=needs)
    except SettingsError as refused:
        _say_settings(service, kind, refused)
        leave(EXIT_SETTINGS)
    if kind != "worker" and "kafka_bootstrap" in needs:
        guards.require_fast_checksum(kind)
    from chassis import logs, tracing  # noqa: PLC0415
    from chassis.health import Health  # noqa: PLC0415
    from chassis.health_server import HealthServer  # noqa: PLC0415

    logs.configure(service, kind, settings.log_level)
    tracing.configure(service, kind, endpoint=settings.otlp_endpoint)
    health = Health()
    stop = Stop()
    stop.install()
    server = HealthServer(health, settings.http_listen)
    return Process(service, kind, settings, health, server, logs.get_logger(), stop)


def leave(code: int) -> NoReturn:
    """End with this exit code, also from where SystemExit would be caught."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _say_settings(service: str, kind: str, refused: Exception) -> None:
    """All mistakes: as text for a person, as one line of JSON for a collector of logs."""
    if sys.stderr.isatty():
        print(refused, file=sys.stderr)
        return
    mistakes = [str(mistake) for mistake in getattr(refused, "mistakes", ())]
    line = {
        "event": "refused: wrong settings",
        "level": "critical",
        "reason": "SETTINGS",
        "service": service,
        "kind": kind,
    }
    print(json.dumps({**line, "mistakes": mistakes}), file=sys.stderr)


def _write_whole(path: Path, text: str) -> None:
    """Write the file so that a reader sees all of it or nothing, and only the owner of the process may read it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)
