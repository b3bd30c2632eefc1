"""One transaction: state, events and idempotency commit together or not at all.

Every statement of a service runs in one. It opens with the caller's context as transaction-local settings (for row-level security and
audit), and refuses autocommit.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import Connection, CursorResult, Executable
from uuid_utils.compat import uuid7

from chassis.context import RequestContext
from chassis.database import driver_connection
from chassis.errors import FailedPrecondition
from chassis.outbox import put

if TYPE_CHECKING:
    from chassis.database import Database

_BEGIN = """
SELECT set_config('saguaro.actor', %s, true), set_config('saguaro.role', %s, true), set_config('saguaro.sites', %s, true),
       set_config('saguaro.purpose', %s, true)
"""
_BEGIN_WITH_REQUEST = (
    _BEGIN.rstrip()
    + """,
       (SELECT json_build_array(rpc, encode(body_sha256, 'hex'), result_ids) FROM idempotency WHERE actor_id = %s AND request_id = %s)
"""
)


class UnitOfWork:
    """The open transaction as commands, queries and reactions see it. See docs/chassis.md for each member."""

    def __init__(
        self, database: "Database", connection: Connection, context: RequestContext, *, read_only: bool
    ) -> None:
        self._database = database
        self.connection = connection
        self.context = context
        self.read_only = read_only
        # What reactions said has arrived; the worker lets go on what waited for it.
        self.arrivals: list[str] = []
        # How many events were put into the outbox.
        self.emitted = 0
        # What `begin` found of the request that it was given: (request_id, row).
        self._looked_up: tuple[UUID, Any] | None = None
        # The settings that the transaction has now.
        self._set: tuple[str, str, str, str] | None = None

    @property
    def driver(self) -> Any:
        """psycopg's connection, in this transaction."""
        return driver_connection(self.connection)

    @property
    def clinic_time(self) -> datetime:
        """When this happens, on the clinic's clock (UTC, aware)."""
        return self.context.clinic_time

    @property
    def secrets(self) -> Mapping[str, bytes]:
        """Keys that the settings brought, by name."""
        return self._database.secrets

    @property
    def service(self) -> str:
        """The service whose database this is."""
        return self._database.service

    @property
    def max_event_bytes(self) -> int:
        """The largest event that the broker would take."""
        return self._database.max_event_bytes

    def _settings(self) -> tuple[str, str, str, str]:
        context = self.context
        return (str(context.actor_id), context.role, context.site_id, context.purpose)

    def begin(self, request_id: UUID | None = None) -> None:
        """Sets the context for the length of the transaction; looks up a request in the same round trip if one is given."""
        driver = self.driver
        if driver.autocommit:
            raise RuntimeError("a unit of work refuses a connection in autocommit")
        if self.read_only:
            driver.execute("SET TRANSACTION READ ONLY")
        if request_id is None:
            driver.execute(_BEGIN, self._settings(), prepare=True)
        else:
            self._looked_up = request_id, self._look_up(request_id)
        self._set = self._settings()

    def begin_within(self, outer: "UnitOfWork") -> None:
        """Sets this context in the transaction of another, unless it is what is set there already."""
        if outer._set != self._settings():
            self.begin()
            outer._set = self._settings()

    def _look_up(self, request_id: UUID) -> Any:
        values = (*self._settings(), self.context.actor_id, request_id)
        row = self.driver.execute(_BEGIN_WITH_REQUEST, values, prepare=True).fetchone()
        return None if row is None else row[-1]

    def recorded_result(self, request_id: UUID) -> tuple[str, str, dict[str, str]] | None:
        """What an earlier call of this actor with this request_id left: rpc, SHA-256 (hex) of its body, ids of its result."""
        before = self._looked_up
        found = before[1] if before is not None and before[0] == request_id else self._look_up(request_id)
        if found is None:
            return None
        rpc, digest, ids = found
        return rpc, digest, json.loads(ids)

    def record_result(self, request_id: UUID, rpc: str, digest: bytes, ids: Mapping[str, str]) -> bool:
        """Keeps the result of a call; False when the same request was recorded meanwhile."""
        cursor = self.driver.execute(
            "INSERT INTO idempotency (actor_id, request_id, rpc, body_sha256, result_ids) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            (self.context.actor_id, request_id, rpc, digest, json.dumps(ids)),
            prepare=True,
        )
        return bool(cursor.rowcount == 1)

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Runs one SQLAlchemy Core statement in the transaction."""
        return self.connection.execute(statement, parameters)

    def emit(self, event: Message) -> UUID:
        """Puts an event into the outbox, in this transaction; returns its id. ValueError when it is no event or has no key."""
        event_id = self.new_id()
        put(self, event, event_id)
        self.emitted += 1
        return event_id

    def arrived(self, what: str) -> None:
        """Says that what early events waited for is there now, for example "plan:<id>"."""
        self.arrivals.append(what)

    def refuse_if_parked(self, topic: str, key: str) -> None:
        """For actions that depend on a strict topic: refuses while an event of this key could not be applied."""
        found = self.driver.execute(
            "SELECT 1 FROM parked WHERE topic = %s AND key = %s LIMIT 1", (topic, key)
        ).fetchone()
        if found is not None:
            raise FailedPrecondition(
                "DEPENDS_ON_PARKED_EVENT",
                rule="an event that this depends on could not be applied; an operator must look at it first",
                topic=topic,
                key=key,
            )

    def new_id(self) -> UUID:
        """A UUIDv7: sorts by time, so that indexes stay dense."""
        return uuid7()

    def seal(self, subject_id: UUID | str, plain: str | bytes) -> bytes:
        """Seals text or bytes with the subject's own key."""
        data = plain.encode() if isinstance(plain, str) else plain
        return self._database.sealer.seal(self, str(subject_id), data)

    def open(self, subject_id: UUID | str, sealed: bytes) -> str:
        """Opens sealed text of the subject. chassis.sealed.SealBroken when it does not open."""
        return self.open_bytes(subject_id, sealed).decode()

    def open_bytes(self, subject_id: UUID | str, sealed: bytes) -> bytes:
        """Opens sealed bytes of the subject."""
        return self._database.sealer.open(self, str(subject_id), bytes(sealed))

    def wrapped_key(self, subject_id: str) -> tuple[bytes, bool] | None:
        """The subject's wrapped data key, if it has one, and whether it is on record (chassis.sealed.KeyStore).

        Asked of the row and not remembered here: a batch of events has several units of work on one transaction.
        """
        row = self.driver.execute(
            "SELECT wrapped_key, xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid FROM sealing_key"
            " WHERE subject_id = %s",
            (subject_id,),
        ).fetchone()
        return None if row is None else (bytes(row[0]), bool(row[1]))

    def keep_wrapped_key(self, subject_id: str, wrapped: bytes) -> bytes:
        """Keeps a new wrapped key unless another transaction was first (chassis.sealed.KeyStore)."""
        self.driver.execute(
            "INSERT INTO sealing_key (subject_id, wrapped_key) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (subject_id, wrapped),
        )
        found = self.wrapped_key(subject_id)
        if found is None:
            raise RuntimeError("the sealing key that was just kept is not there")
        return found[0]

    def quarantine(self, source: str, source_id: str, rule: str, content: bytes) -> UUID:
        """Keeps what cannot be used, sealed, for an operator. `rule` names field and rule, never a value."""
        quarantine_id = self.new_id()
        self.driver.execute(
            "INSERT INTO quarantine (quarantine_id, source, source_id, rule, content_sealed) VALUES (%s, %s, %s, %s, %s)",
            (quarantine_id, source, source_id, rule, self.seal(f"quarantine:{source_id}", content)),
        )
        return quarantine_id
