"""Commands on a real database: one effect for each request id, whoever repeats it, whatever breaks meanwhile."""

import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from chassis.database import Database
from chassis.errors import (
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    PermissionDenied,
    ResourceExhausted,
    SaguaroError,
    Unavailable,
)
from chassis.index import Command, Ids, Query, RemoteCommand, RemoteQuery
from chassis.testing import ServiceHarness
from chassis.unit_of_work import UnitOfWork
from chassis.worker import driver_dsn
from saguaro.billing.v1 import service_pb2 as pb
from tests.chassis.toy.app import INDEX, heard, paid, pay

Handle = Callable[[UnitOfWork, pb.RecordPaymentRequest], Ids]
PERSON = "a-value-that-never-leaves"


def payment(amount: str = "10", request_id: str = "", invoice_id: str = "") -> pb.RecordPaymentRequest:
    """A valid request."""
    return pb.RecordPaymentRequest(
        request_id=request_id or str(uuid4()),
        invoice_id=invoice_id or str(uuid4()),
        amount_usd=amount,
        method_code="cash",
    )


def harness_of(database: Database, handle: Handle = pay, **changes: Any) -> ServiceHarness:
    """The toy with one command that does `handle`."""
    command = Command("RecordPayment", pb.RecordPaymentRequest, handle, paid)
    return ServiceHarness(replace(INDEX, commands=(command,), **changes), database)


def effects(database: Database) -> int:
    """How many payments the toy keeps; each has one event."""
    with database.engine.connect() as connection:
        kept = connection.execute(text("SELECT count(*) FROM heard")).scalar_one()
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar_one() == kept
        return int(kept)


# -- the request id


def test_a_repeated_call_has_one_effect_and_the_same_answer(toy_database: Callable[[], Database]) -> None:
    harness = harness_of(toy_database())
    request = payment()
    answers = {harness.call("RecordPayment", request).payment_id for _ in range(3)}
    assert answers == {request.invoice_id}
    assert effects(harness.database) == 1


def test_twenty_callers_at_once_have_one_effect_and_the_same_answer(toy_database: Callable[[], Database]) -> None:
    together = Barrier(20, timeout=30)

    def unlike(uow: UnitOfWork, request: pb.RecordPaymentRequest) -> Ids:
        pay(uow, request)
        return {"payment_id": str(uow.new_id())}

    harness, request = harness_of(toy_database(), unlike), payment()

    def call(_number: int) -> str:
        together.wait()
        return str(harness.call("RecordPayment", request).payment_id)

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(call, range(20)))
    assert len(answers) == 1
    assert effects(harness.database) == 1


def test_a_twin_that_finds_the_effect_there_gets_the_answer_and_no_refusal(
    toy_database: Callable[[], Database],
) -> None:
    """The second of two equal calls meets what the first has done before it meets its request id."""
    both_looked = Barrier(2, timeout=10)
    calls: list[int] = []

    def once_only(uow: UnitOfWork, request: pb.RecordPaymentRequest) -> Ids:
        calls.append(1)
        if len(calls) <= 2:
            both_looked.wait()
        uow.execute(text("SELECT pg_advisory_xact_lock(1)"))
        if uow.execute(text("SELECT 1 FROM heard")).first():
            raise AlreadyExists("PAID", rule="an invoice is paid once")
        return pay(uow, request)

    harness, request = harness_of(toy_database(), once_only), payment()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: harness.call("RecordPayment", request).payment_id, range(2)))
    assert answers == [request.invoice_id] * 2
    assert effects(harness.database) == 1


def test_another_body_or_another_rpc_is_refused(toy_database: Callable[[], Database]) -> None:
    index = replace(
        INDEX, commands=tuple(Command(rpc, pb.RecordPaymentRequest, pay, paid) for rpc in ("RecordPayment", "PayAgain"))
    )
    harness = ServiceHarness(index, toy_database())
    request = payment("10")
    harness.call("RecordPayment", request)
    for rpc, other in (("RecordPayment", payment("11", request.request_id, request.invoice_id)), ("PayAgain", request)):
        with pytest.raises(FailedPrecondition) as refused:
            harness.call(rpc, other)
        assert (refused.value.reason, refused.value.field) == ("REQUEST_ID_REUSED", "request_id")
    assert effects(harness.database) == 1


def test_request_ids_of_another_caller_are_another_ones(toy_database: Callable[[], Database]) -> None:
    harness, request = harness_of(toy_database()), payment()
    harness.call("RecordPayment", request)
    harness.call("RecordPayment", request, actor_id=uuid4())
    assert effects(harness.database) == 2


def test_a_failed_command_does_not_consume_its_request_id(toy_database: Callable[[], Database]) -> None:
    failures: list[Exception] = [FailedPrecondition("NOT_NOW", rule="later"), ValueError("a defect")]

    def handle(uow: UnitOfWork, request: pb.RecordPaymentRequest) -> Ids:
        done = pay(uow, request)
        if failures:
            raise failures.pop(0)
        return done

    harness, request = harness_of(toy_database(), handle), payment()
    for expected in (FailedPrecondition, ValueError):
        with pytest.raises(expected):
            harness.call("RecordPayment", request)
        assert effects(harness.database) == 0
    assert harness.call("RecordPayment", request).payment_id == request.invoice_id
    assert effects(harness.database) == 1


def test_an_answer_that_fails_takes_its_effect_with_it(toy_database: Callable[[], Database]) -> None:
    def broken(_uow: UnitOfWork, _ids: Ids) -> pb.RecordPaymentResponse:
        raise ValueError

    command = Command("RecordPayment", pb.RecordPaymentRequest, pay, broken)
    harness = ServiceHarness(replace(INDEX, commands=(command,)), toy_database())
    with pytest.raises(ValueError):
        harness.call("RecordPayment", payment())
    assert effects(harness.database) == 0


def test_a_request_id_is_a_uuid(toy_database: Callable[[], Database]) -> None:
    harness = harness_of(toy_database())
    with pytest.raises(InvalidArgument) as refused:
        harness.runner.call("RecordPayment", payment(request_id="mine"), harness.context(), 5.0)
    assert refused.value.field == "request_id"


def test_the_body_is_not_kept(toy_database: Callable[[], Database]) -> None:
    harness = harness_of(toy_database())
    harness.call("RecordPayment", payment("31415.92"))
    with harness.database.engine.connect() as connection:
        kept = connection.execute(text("SELECT i::text FROM idempotency i")).scalar_one()
    assert "31415" not in kept


# -- roles


def test_a_role_that_may_not_is_refused_before_anything_is_read(toy_database: Callable[[], Database]) -> None:
    harness = ServiceHarness(INDEX, toy_database())
    with pytest.raises(PermissionDenied) as refused:
        harness.call("RecordPayment", payment(), role="nurse")
    assert refused.value.reason == "ROLE_NOT_ALLOWED"
    assert "biller" in refused.value.rule
    assert effects(harness.database) == 0
    assert harness.call("RecordPayment", payment(), role="biller").payment_id


# -- trouble with the database


def test_a_deadlock_of_rows_reaches_no_caller(toy_database: Callable[[], Database]) -> None:
    database = toy_database()
    with database.engine.begin() as connection:
        connection.execute(insert(heard), [{"kind": "row", "key": key, "what": ""} for key in "ab"])
    both_hold_one = Barrier(2, timeout=10)
    attempts: list[str] = []

    def handle(uow: UnitOfWork, request: pb.RecordPaymentRequest) -> Ids:
        attempts.append(request.amount_usd)
        for place, key in enumerate("ab" if request.amount_usd == "1" else "ba"):
            if place == 1 and len(attempts) <= 2:
                both_hold_one.wait()
            uow.execute(text("UPDATE heard SET what = what || 'x' WHERE key = :key"), {"key": key})
        return {"payment_id": request.invoice_id}

    harness = harness_of(database, handle)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda amount: harness.call("RecordPayment", payment(amount)).payment_id, "12"))
    assert all(answers)
    assert len(attempts) == 3
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT DISTINCT what FROM heard")).scalars().all() == ["xx"]


def test_connections_that_were_cut_while_they_rested_are_not_noticed(toy_database: Callable[[], Database]) -> None:
    """Every pooled connection is dead at once, as after a restart of the server; each next call still has its answer."""
    harness = harness_of(toy_database())
    together = Barrier(8, timeout=30)

    def at_once(_number: int) -> None:
        with harness.database.engine.connect():
            together.wait()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(at_once, range(8)))
    assert cut(harness.database) == 8
    for _ in range(3):
        assert harness.call("RecordPayment", payment()).payment_id
    assert effects(harness.database) == 3


def cut(database: Database) -> int:
    """Ends every connection of the pool."""
    with psycopg.connect(driver_dsn(database.url)) as other:
        row = other.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'saguaro'"
        ).fetchone()
    return int(row[0]) if row else 0


@pytest.mark.parametrize("cuts", [1, 99])
def test_a_connection_that_is_cut_in_the_middle_is_tried_again_or_safe_to_repeat(
    toy_database: Callable[[], Database], cuts: int
) -> None:
    attempts: list[int] = []

    def handle(uow: UnitOfWork, request: pb.RecordPaymentRequest) -> Ids:
        attempts.append(1)
        done = pay(uow, request)
        if len(attempts) <= cuts:
            cut(harness.database)
        uow.execute(text("SELECT 1"))
        return done

    harness, request = harness_of(toy_database(), handle), payment()
    if cuts > 1:
        with pytest.raises(Unavailable) as refused:
            harness.call("RecordPayment", request, deadline_s=5.0)
        assert "same request_id" in refused.value.rule
        assert effects(harness.database) == 0
        cuts = 0
    assert harness.call("RecordPayment", request).payment_id == request.invoice_id
    assert effects(harness.database) == 1


def test_a_lost_commit_that_happened_is_found_by_the_next_attempt(toy_database: Callable[[], Database]) -> None:
    """The connection ends while the commit is on its way back: the effect is there, and the repetition finds it."""
    harness, request = harness_of(toy_database()), payment()
    attempts: list[int] = []

    def broken_after_commit(*arguments: Any) -> Any:
        attempts.append(1)
        answer = command(*arguments)
        if len(attempts) == 1:
            raise psycopg.OperationalError("the connection is lost")
        return answer

    command = harness.runner._command
    harness.runner._command = broken_after_commit  # type: ignore[method-assign]
    assert harness.call("RecordPayment", request).payment_id == request.invoice_id
    assert len(attempts) == 2
    assert effects(harness.database) == 1


def test_a_pool_that_is_empty_says_so(toy_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch) -> None:
    harness = harness_of(toy_database())
    pool: Any = harness.database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.05)
    held = [harness.database.engine.connect() for _ in range(18)]
    with pytest.raises(ResourceExhausted) as refused:
        harness.call("RecordPayment", payment())
    assert refused.value.reason == "DATABASE_BUSY"
    for connection in held:
        connection.close()


def test_constraints_are_mapped_by_name_and_details_stay_inside(toy_database: Callable[[], Database]) -> None:
    def handle(uow: UnitOfWork, _request: pb.RecordPaymentRequest) -> Ids:
        subject = {"subject": PERSON}
        for _ in range(2):
            uow.execute(text("INSERT INTO sealing_key (subject_id, wrapped_key) VALUES (:subject, '')"), subject)
        return {}

    taken = AlreadyExists("TAKEN", field="subject_id", rule="one key for each subject")
    harness = harness_of(toy_database(), handle, constraints={"sealing_key_pk": taken})
    raised = []
    for _ in range(2):
        with pytest.raises(AlreadyExists) as refused:
            harness.call("RecordPayment", payment())
        assert refused.value.reason == "TAKEN"
        assert PERSON not in "".join(traceback.format_exception_only(refused.value))
        assert refused.value.__suppress_context__
        raised.append(refused.value)
    assert raised[0] is not raised[1] is not taken


def test_a_constraint_without_a_name_in_the_index_is_a_defect_of_ours(toy_database: Callable[[], Database]) -> None:
    def handle(uow: UnitOfWork, _request: pb.RecordPaymentRequest) -> Ids:
        uow.execute(text("INSERT INTO heard (kind, key, what) VALUES (:kind, 'k', NULL)"), {"kind": PERSON})
        return {}

    from chassis.grpc_status import internal_status
    from chassis.logs_safety import exception_shape

    harness = harness_of(toy_database(), handle)
    with pytest.raises(IntegrityError) as refused:
        harness.call("RecordPayment", payment())
    assert PERSON not in str(internal_status(refused.value, "RecordPayment"))
    assert PERSON not in str(exception_shape(refused.value))


# -- queries


def test_a_query_cannot_write(toy_database: Callable[[], Database]) -> None:
    def handle(uow: UnitOfWork, request: pb.GetInvoiceRequest) -> pb.GetInvoiceResponse:
        uow.execute(insert(heard).values(kind="a", key="b", what=request.invoice_id))
        return pb.GetInvoiceResponse()

    index = replace(INDEX, queries=(Query("GetInvoice", pb.GetInvoiceRequest, handle),))
    harness = ServiceHarness(index, toy_database())
    with pytest.raises(Exception, match="read-only"):
        harness.call("GetInvoice", pb.GetInvoiceRequest(invoice_id=str(uuid4())))
    assert effects(harness.database) == 0


# -- queries that ask another service


class Joining:
    """A remote query that notes what happens."""

    def __init__(self, database: Database, prepare: Callable[[UnitOfWork, Any], str] | None = None) -> None:
        self.database = database
        self.asked: list[tuple[str, int]] = []
        query = RemoteQuery(
            "GetInvoice", pb.GetInvoiceRequest, prepare or self.prepare, self.ask, self.answer, frozenset({"biller"})
        )
        self.harness = ServiceHarness(replace(INDEX, queries=(query,)), database, peers={"intake": self})

    def prepare(self, uow: UnitOfWork, _request: pb.GetInvoiceRequest) -> str:
        return str(uow.execute(text("SELECT 'question'")).scalar_one())

    def ask(self, peers: Any, _request: pb.GetInvoiceRequest, question: str, context: Any) -> str:
        self.asked.append((question, open_transactions(self.database)))
        assert context.role == "biller"
        return str(peers.intake.name())

    def name(self) -> str:
        return "reply"

    def answer(self, _request: pb.GetInvoiceRequest, question: str, reply: str) -> pb.GetInvoiceResponse:
        found = pb.GetInvoiceResponse()
        found.invoice.invoice_id = f"{question} {reply}"
        return found


def test_a_remote_query_asks_with_no_transaction_open(toy_database: Callable[[], Database]) -> None:
    joining, request = Joining(toy_database()), pb.GetInvoiceRequest(invoice_id=str(uuid4()))
    answer = joining.harness.call("GetInvoice", request, role="biller")
    assert answer.invoice.invoice_id == "question reply"
    assert joining.asked == [("question", 0)]
    with pytest.raises(PermissionDenied):
        joining.harness.call("GetInvoice", request, role="nurse")
    with pytest.raises(DeadlineExceeded):
        joining.harness.call("GetInvoice", request, role="biller", deadline_s=0.0)
    assert len(joining.asked) == 1


def test_a_remote_query_cannot_write(toy_database: Callable[[], Database]) -> None:
    def prepare(uow: UnitOfWork, request: pb.GetInvoiceRequest) -> str:
        uow.execute(insert(heard).values(kind="a", key="b", what=request.invoice_id))
        return ""

    joining = Joining(toy_database(), prepare)
    with pytest.raises(Exception, match="read-only"):
        joining.harness.call("GetInvoice", pb.GetInvoiceRequest(invoice_id=str(uuid4())), role="biller")
    assert (effects(joining.database), joining.asked) == (0, [])


# -- commands that ask another service


def open_transactions(database: Database) -> int:
    """How many transactions of the service are open now."""
    with psycopg.connect(driver_dsn(database.url)) as look:
        row = look.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'saguaro'"
            " AND (state LIKE 'idle in transaction%' OR state = 'active')"
        ).fetchone()
    return -1 if row is None else int(row[0])


class Asking:
    """A remote command that notes what happens, and a peer that may fail."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.steps: list[str] = []
        self.failure: SaguaroError | None = None
        self.in_transaction: list[int] = []
        command = RemoteCommand("RecordPayment", pb.RecordPaymentRequest, self.prepare, self.ask, self.apply, paid)
        self.harness = ServiceHarness(replace(INDEX, commands=(command,)), database, peers={"intake": self})

    def prepare(self, uow: UnitOfWork, request: pb.RecordPaymentRequest) -> str:
        self.steps.append("prepare")
        return str(uow.execute(text("SELECT 'question'")).scalar_one())

    def ask(self, peers: Any, request: pb.RecordPaymentRequest, question: str, context: Any) -> str:
        self.steps.append("ask")
        assert question == "question"
        assert context.clinic_time is not None
        self.in_transaction.append(open_transactions(self.database))
        if self.failure is not None:
            raise self.failure
        return str(peers.intake.answer())

    def answer(self) -> str:
        return "reply"

    def apply(self, uow: UnitOfWork, request: pb.RecordPaymentRequest, question: str, reply: str) -> Ids:
        self.steps.append("apply")
        assert (question, reply) == ("question", "reply")
        return pay(uow, request)


def test_a_remote_command_asks_with_no_transaction_open(toy_database: Callable[[], Database]) -> None:
    asking, request = Asking(toy_database()), payment()
    assert asking.harness.call("RecordPayment", request).payment_id == request.invoice_id
    assert asking.harness.call("RecordPayment", request).payment_id == request.invoice_id
    assert asking.steps == ["prepare", "ask", "apply"]
    assert asking.in_transaction == [0]
    assert effects(asking.database) == 1


def test_a_peer_that_fails_changes_nothing_and_the_call_can_be_repeated(toy_database: Callable[[], Database]) -> None:
    asking, request = Asking(toy_database()), payment()
    asking.failure = Unavailable("PEER_UNAVAILABLE", rule="intake does not answer")
    with pytest.raises(Unavailable):
        asking.harness.call("RecordPayment", request)
    assert asking.steps == ["prepare", "ask"]
    assert effects(asking.database) == 0
    asking.failure = None
    assert asking.harness.call("RecordPayment", request).payment_id == request.invoice_id
    with pytest.raises(FailedPrecondition) as refused:
        asking.harness.call("RecordPayment", payment("11", request.request_id, request.invoice_id))
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert effects(asking.database) == 1


def test_twenty_remote_calls_at_once_have_one_effect(toy_database: Callable[[], Database]) -> None:
    asking, request = Asking(toy_database()), payment()
    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(lambda _: asking.harness.call("RecordPayment", request).payment_id, range(20)))
    assert answers == {request.invoice_id}
    assert effects(asking.database) == 1


def test_nobody_is_asked_for_a_caller_who_does_not_wait_any_more(toy_database: Callable[[], Database]) -> None:
    asking = Asking(toy_database())
    with pytest.raises(DeadlineExceeded):
        asking.harness.call("RecordPayment", payment(), deadline_s=0.0)
    assert asking.steps == ["prepare"]
    assert effects(asking.database) == 0
