"""The service's own database: one engine for each process, transactions only through the unit of work."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis.context import RequestContext
from chassis.errors import Transient
from chassis.sealed import Sealer

if TYPE_CHECKING:
    from chassis.unit_of_work import UnitOfWork

# SQLSTATEs after which the same work may be tried again: serialization, deadlock, lock not available, a statement that took
# too long (most often it waited for a lock), a transaction that stood still too long.
_TRANSIENT_STATES = {"40001", "40P01", "55P03", "57014", "25P03"}
# Classes of the same kind: lost connection, no room or memory, server going or coming, its disk. None says anything of the work.
_TRANSIENT_CLASSES = ("08", "53", "57P", "58")
# A transaction of a process that is gone without a word, or that hangs, holds its locks no longer than this.
_IDLE_IN_TRANSACTION_S = 60
# Under the broker's own limit of 1 MB with room for headers, so that what is committed can be sent.
MAX_EVENT_BYTES = 900_000

# A machine that is gone sends no farewell: both sides ask after 10 s of silence and give up some 15 s later.
CLIENT_NOTICES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
SERVER_NOTICES = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"


def _driver_error(error: BaseException) -> BaseException | None:
    """psycopg's error: inside SQLAlchemy's, or by itself when the statement went to the driver directly."""
    if isinstance(error, psycopg.Error):
        return error
    return error.orig if isinstance(error, DBAPIError) else None


def is_transient(error: BaseException) -> bool:
    """Whether the database was only away, or asks for the same work again."""
    if isinstance(error, Transient | PoolTimeout):
        return True
    cause = _driver_error(error)
    if cause is None:
        return False
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # psycopg gives no state where the connection itself broke, nor for what it refuses before it asks the server.
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return state in _TRANSIENT_STATES or state.startswith(_TRANSIENT_CLASSES)


def constraint_of(error: BaseException) -> str | None:
    """The name of the constraint that a statement broke. DETAIL is never read: it holds values."""
    diagnosis = getattr(_driver_error(error), "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def engine_url(database_url: str, password: str | None) -> URL:
    """The SQLAlchemy URL for psycopg 3 of a plain postgresql:// URL."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return url.set(password=password) if password is not None else url


class Database:
    """Engine, sealer and secrets of one service in one process."""

    def __init__(
        self,
        database_url: str,
        password: str | None,
        *,
        service: str,
        sealing_key: bytes,
        secrets: Mapping[str, bytes] | None = None,
        pool_size: int = 16,
        application_name: str = "saguaro",
        statement_timeout_s: float = 10.0,
        max_event_bytes: int = MAX_EVENT_BYTES,
    ) -> None:
        self.service = service
        self.max_event_bytes = max_event_bytes
        self.url = engine_url(database_url, password)
        self.secrets: Mapping[str, bytes] = MappingProxyType(dict(secrets or {}))
        self.sealer = Sealer(sealing_key)
        self.engine: Engine = create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=5,
            pool_pre_ping=False,
            hide_parameters=True,
            connect_args={
                "application_name": application_name,
                "connect_timeout": 5,
                "prepare_threshold": 2,
                "options": f"-c statement_timeout={int(statement_timeout_s * 1000)} -c timezone=UTC"
                f" -c idle_in_transaction_session_timeout={_IDLE_IN_TRANSACTION_S * 1000} {SERVER_NOTICES}",
                **CLIENT_NOTICES,
            },
        )

    @contextmanager
    def unit_of_work(
        self, context: RequestContext, *, read_only: bool = False, request_id: UUID | None = None
    ) -> Iterator["UnitOfWork"]:
        """One transaction with the caller's context set for its length. Commits at the end, rolls back on any error.

        With `request_id` the first round trip also finds what an earlier call with that id left (`uow.recorded_result`).
        """
        from chassis.unit_of_work import UnitOfWork  # noqa: PLC0415

        with self.engine.begin() as connection:
            uow = UnitOfWork(self, connection, context, read_only=read_only)
            uow.begin(request_id)
            yield uow

    def ping(self) -> None:
        """One trip to the server; raises when it is away."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def revision(self) -> str | None:
        """The schema's alembic revision, or None where there is none."""
        with self.engine.connect() as connection:
            there = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
            if there is None:
                return None
            found: Any = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return None if found is None else str(found)

    def dispose(self) -> None:
        """Closes every pooled connection."""
        self.engine.dispose()


def driver_connection(connection: Connection) -> Any:
    """psycopg's own connection inside SQLAlchemy's, for COPY, pipelines and prepared statements."""
    return connection.connection.driver_connection
