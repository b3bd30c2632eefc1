"""One embedded PostgreSQL: made once, started as a child, found again on the same port, never left behind."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from network.children import Child, Steps, find_processes, spawn, stop_orphans
from network.ports import PortBook
from network.postgres_binaries import binaries
from network.postgres_init import init_data
from network.postgres_place import Place, place_for
from network.postgres_settings import PostgresFailed, arguments, environment
from network.secret_files import secret_in

__all__ = ["SUPERUSER", "Postgres", "PostgresFailed", "processes_of"]

SUPERUSER = "postgres"

# SIGINT is PostgreSQL's fast shutdown (clients are cut off, a checkpoint is written), SIGQUIT its immediate one.
_STOP: Steps = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0))
_RECOVERY_SECONDS = 90.0  # after a kill the WAL is replayed first; at max_wal_size that has taken most of a minute
_PORT_ATTEMPTS = 3


class Postgres:
    """The PostgreSQL of one home."""

    def __init__(
        self,
        home: Path,
        *,
        ports: PortBook | None = None,
        secrets: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._home = home = home.resolve()
        self._ports = ports or PortBook(home / "ports.json")
        self._secret = (secrets or home / "secrets") / f"{SUPERUSER}.password"
        self._settings = dict(settings or {})
        self._log = home / "logs" / "postgres.log"
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the server that this object started, None if it does not run."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def port(self) -> int:
        """The port this home's PostgreSQL has, running or not."""
        port = self._ports.known("postgres")
        if port is None:
            raise PostgresFailed("this PostgreSQL has never been started")
        return port

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._log

    def dsn(self, user: str = SUPERUSER, database: str = "postgres", *, password: str | None = None) -> str:
        """How to connect over TCP. Without a password it holds one for the superuser alone."""
        if password is None and user == SUPERUSER:
            password = secret_in(self._secret)
        return make_conninfo(host="127.0.0.1", port=self.port, user=user, dbname=database, password=password)

    def socket_dir(self) -> Path:
        """The directory of the Unix socket, for a `host=` that spares TCP."""
        return place_for(self._home).socket_dir()

    def initialised(self) -> bool:
        """Whether the data directory exists."""
        return place_for(self._home).data.exists()

    def init(self) -> None:
        """Make the data directory if there is none. One that was begun and not finished does not count."""
        place = place_for(self._home)
        if place.data.exists():
            return
        init_data(place, SUPERUSER, secret_in(self._secret))

    def start(self, timeout: float = _RECOVERY_SECONDS) -> None:
        """Start the server and return when it answers a query; a predecessor that still runs is stopped first."""
        if self.pid is not None:
            return
        self.init()
        place = place_for(self._home)
        self.stop_orphans()
        self._ports.port("postgres")
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            began = self._log.stat().st_size if self._log.exists() else 0
            self._child = self._spawn(place)
            try:
                self._await_ready(self._child, timeout)
                return
            except PostgresFailed:
                self._child.stop(_STOP)
                tail = self._tail(began)
                if "Address already in use" not in tail or attempt == _PORT_ATTEMPTS:
                    raise PostgresFailed(f"PostgreSQL did not start; its log ends:\n{tail}") from None
                self._ports.renew("postgres")

    def stop(self, timeout: float = 30.0) -> None:
        """Stop it cleanly: clients are disconnected, everything is on disk."""
        if self._child is not None:
            self._child.stop(((signal.SIGINT, timeout), (signal.SIGQUIT, 5.0)))

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would."""
        if self._child is not None:
            self._child.kill()

    def poll(self) -> int | None:
        """None while it runs (or before the first start), else its exit code."""
        return self._child.poll() if self._child is not None else None

    def destroy(self) -> None:
        """Stop it and remove all its data, also what lies outside the home."""
        self.stop()
        self.stop_orphans()
        place_for(self._home).remove()

    def stop_orphans(self) -> None:
        """Stop every server process that a dead predecessor left at work on this data directory.

        A killed postmaster leaves backends that notice within moments; a killed supervisor leaves a postmaster in the
        midst of its fast shutdown. A new server would refuse to start beside either.
        """
        data = place_for(self._home).data
        found = processes_of(data)
        postmaster = _postmaster_pid(data)
        leaders = [process for process in found if process.pid == postmaster]
        if leaders:
            stop_orphans(leaders, _STOP)
        stop_orphans((process for process in found if process.pid != postmaster), ((signal.SIGTERM, 2.0),))

    def _spawn(self, place: Place) -> Child:
        program = [str(binaries(place.account) / "postgres")]
        program += arguments(self.port, place.data, place.socket_dir(), self._settings)
        return spawn(
            "postgres",
            program,
            output=self._log,
            account=place.account,
            environment=environment(),
            when_parent_dies=signal.SIGINT,
        )

    def _await_ready(self, child: Child, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        pause = 0.02
        while True:
            if child.poll() is not None:
                raise PostgresFailed("ended")
            try:
                with psycopg.connect(self.dsn(), connect_timeout=5, autocommit=True) as connection:
                    connection.execute("SELECT 1")
                return
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise PostgresFailed(f"{self._secret} does not hold the superuser's password") from None
                if time.monotonic() > deadline:
                    raise PostgresFailed(f"not ready within {timeout:.0f} s") from None
            # A server in recovery writes a line to its log for each of these, so they become rarer.
            select.select([], [], [], pause)
            pause = min(pause * 1.3, 0.25)

    def _tail(self, since: int) -> str:
        with self._log.open("rb") as log:
            log.seek(since)
            return log.read()[-4000:].decode(errors="replace")


def processes_of(data: Path) -> list[psutil.Process]:
    """The server processes at work on a data directory: postmaster and backends alike have it as working directory."""
    where = str(data)
    return find_processes(lambda process: process.name().startswith("postgres") and process.cwd() == where)


def _postmaster_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
