"""Runs the commands and queries of an index: roles, request ids, transactions, and errors of the database made into ours.

A call with the same actor and request_id and the same body gives the same answer and has one effect; with another body it is refused.
Failures are not remembered: the transaction rolled back, and the caller may ask again with the same request_id.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from google.protobuf.message import Message
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis.context import RequestContext
from chassis.database import Database, constraint_of, is_transient
from chassis.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    SaguaroError,
    Unavailable,
)
from chassis.index import Command, Ids, Query, RemoteCommand, RemoteQuery, Service

Row = Command | RemoteCommand | Query | RemoteQuery
Result = TypeVar("Result")
_ATTEMPTS = 5
_FIRST_PAUSE_S = 0.005


class RequestIdTaken(Exception):
    """Another transaction recorded the same request between our look and our commit."""


def body_digest(request: Message) -> bytes:
    """SHA-256 of the canonical body (deterministic serialisation)."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def request_id_of(request: Message) -> UUID:
    """The request's id. InvalidArgument when it is no UUID."""
    try:
        return UUID(getattr(request, "request_id", ""))
    except ValueError:
        raise InvalidArgument("request_id", "must be a UUID, the same one each time the call is repeated") from None


class Runner:
    """What the gRPC servicer and the test harness call."""

    def __init__(self, index: Service, database: Database, peers: Any = None) -> None:
        self.index = index
        self.database = database
        self.peers = peers
        self._rows: dict[str, Row] = {row.rpc: row for row in (*index.commands, *index.queries)}

    @property
    def rpcs(self) -> Mapping[str, Row]:
        """Every row of the index that answers a call."""
        return self._rows

    def call(self, rpc: str, request: Message, context: RequestContext, deadline_s: float) -> Message:
        """Runs one rpc. Raises SaguaroError; anything else is a defect of ours.

        `deadline_s` is what is left of the caller's time; a deadlock or a lost connection is tried again inside it.
        """
        row = self._rows[rpc]
        if row.roles and context.role not in row.roles:
            raise PermissionDenied(
                "ROLE_NOT_ALLOWED", rule=f"{rpc} needs one of the roles {', '.join(sorted(row.roles))}"
            )
        until = time.monotonic() + deadline_s
        if isinstance(row, Query):
            return self._again(lambda: self._query(row, request, context), until)
        if isinstance(row, RemoteQuery):
            return self._remote_query(row, request, context, until)
        if isinstance(row, Command):
            return self._again(lambda: self._command(row, request, context), until)
        return self._remote(row, request, context, until)

    def _again(self, attempt: Callable[[], Result], until: float) -> Result:
        pause = _FIRST_PAUSE_S
        for number in range(1, _ATTEMPTS + 1):
            try:
                return attempt()
            except RequestIdTaken:
                continue
            except (IntegrityError, psycopg.IntegrityError) as error:
                raise self._mapped(error) from None
            except PoolTimeout:
                raise ResourceExhausted("DATABASE_BUSY", rule="too many calls at once; try again") from None
            except (DBAPIError, psycopg.Error) as error:
                if not is_transient(error):
                    raise
                left = until - time.monotonic()
                if number == _ATTEMPTS or left <= pause:
                    raise Unavailable(
                        "DATABASE_UNAVAILABLE",
                        rule="the database does not answer; repeat the call with the same request_id",
                    ) from None
                time.sleep(pause)
                pause *= 4
        raise Unavailable("BUSY", rule="the same request is being handled; repeat the call with the same request_id")

    def _mapped(self, error: IntegrityError | psycopg.IntegrityError) -> Exception:
        mapped = self.index.constraints.get(constraint_of(error) or "")
        return mapped.again() if mapped is not None else error

    def _query(self, row: Query, request: Message, context: RequestContext) -> Message:
        with self.database.unit_of_work(context, read_only=True) as uow:
            return row.handle(uow, request)

    def _remote_query(self, row: RemoteQuery, request: Message, context: RequestContext, until: float) -> Message:
        def read() -> Any:
            with self.database.unit_of_work(context, read_only=True) as uow:
                return row.prepare(uow, request)

        question = self._again(read, until)
        if time.monotonic() >= until:
            raise DeadlineExceeded(
                "DEADLINE_EXCEEDED", rule="the caller's time ran out before the other services were asked"
            )
        return row.answer(request, question, row.ask(self.peers, request, question, context))

    def _earlier(self, uow: Any, rpc: str, request_id: UUID, digest: bytes) -> Ids | None:
        found = uow.recorded_result(request_id)
        if found is None:
            return None
        earlier_rpc, earlier_digest, ids = found
        if earlier_rpc != rpc or earlier_digest != digest.hex():
            raise FailedPrecondition(
                "REQUEST_ID_REUSED",
                field="request_id",
                rule="a request_id belongs to one body; use a new one for another request",
            )
        result: Ids = ids
        return result

    def _command(self, row: Command, request: Message, context: RequestContext) -> Message:
        return self._write(row, request, context, lambda uow: row.handle(uow, request))

    def _write(
        self, row: Command | RemoteCommand, request: Message, context: RequestContext, work: Callable[[Any], Ids]
    ) -> Message:
        """One transaction: the answer of an earlier call with this request, or `work`, its recorded result and its answer."""
        request_id, digest = request_id_of(request), body_digest(request)
        try:
            with self.database.unit_of_work(context, request_id=request_id) as uow:
                ids = self._earlier(uow, row.rpc, request_id, digest)
                if ids is None:
                    ids = work(uow)
                    if not uow.record_result(request_id, row.rpc, digest, ids):
                        raise RequestIdTaken
                return row.answer(uow, ids)
        except (SaguaroError, IntegrityError, psycopg.IntegrityError):
            # The same request may have run beside us and taken what we wanted: then its answer is ours.
            repeated = self._answer_of_twin(row, request_id, digest, context)
            if repeated is None:
                raise
            return repeated

    def _answer_of_twin(
        self, row: Command | RemoteCommand, request_id: UUID, digest: bytes, context: RequestContext
    ) -> Message | None:
        with self.database.unit_of_work(context, request_id=request_id) as uow:
            found = uow.recorded_result(request_id)
            if found is None or found[0] != row.rpc or found[1] != digest.hex():
                return None
            return row.answer(uow, found[2])

    def _remote(self, row: RemoteCommand, request: Message, context: RequestContext, until: float) -> Message:
        request_id, digest = request_id_of(request), body_digest(request)

        def first() -> tuple[Ids | None, Any]:
            with self.database.unit_of_work(context, request_id=request_id) as uow:
                ids = self._earlier(uow, row.rpc, request_id, digest)
                return (ids, None) if ids is not None else (None, row.prepare(uow, request))

        done, question = self._again(first, until)
        if done is not None:
            return self._again(lambda: self._answered(row, done, context), until)
        if time.monotonic() >= until:
            raise DeadlineExceeded(
                "DEADLINE_EXCEEDED", rule="the caller's time ran out before the other services were asked"
            )
        reply = row.ask(self.peers, request, question, context)

        return self._again(
            lambda: self._write(row, request, context, lambda uow: row.apply(uow, request, question, reply)), until
        )

    def _answered(self, row: RemoteCommand, ids: Ids, context: RequestContext) -> Message:
        with self.database.unit_of_work(context, read_only=True) as uow:
            return row.answer(uow, ids)
