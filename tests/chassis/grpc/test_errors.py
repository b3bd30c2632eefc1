"""Errors cross the wire with code, reason, field, rule, ids and findings, and nothing else."""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

import grpc
import pytest
import structlog
from google.protobuf.message import Message

from chassis import errors, logs
from chassis.context import RequestContext
from chassis.grpc_client import Client
from chassis.remote import RemoteError
from saguaro.billing.v1 import service_pb2 as billing
from saguaro.scheduling.v1 import service_pb2 as pb

from .conftest import SESSION, SITE, Toy

REQUEST = pb.GetBookingRequest(session_id=SESSION)
SECRET = "Rosalind Ketterman"


def raising(error: Exception) -> Callable[[object], NoReturn]:
    def answer(_call: object) -> NoReturn:
        raise error

    return answer


def failed(toy: Toy, context: RequestContext, request: Message = REQUEST, rpc: str = "GetBooking") -> RemoteError:
    with pytest.raises(RemoteError) as raised:
        getattr(toy.client().bound(context, 1.0), rpc)(request)
    return raised.value


@pytest.mark.parametrize(
    "error",
    [
        errors.NotFound("session_id", "no such session"),
        errors.AlreadyExists("SLOT_TAKEN", field="chair_id", rule="must be free", held_by_session_id=SESSION),
        errors.FailedPrecondition("BOOKING_STATE", field="session_id", rule="only a booked session can be arrived at"),
        errors.PermissionDenied("ROLE_NOT_ALLOWED", rule="needs one of the roles nurse"),
        errors.ResourceExhausted("DATABASE_BUSY", rule="too many calls at once"),
        errors.DeadlineExceeded("DEADLINE_EXCEEDED", rule="too late"),
        errors.Unauthenticated("TOKEN_REQUIRED", field="authorization", rule="must be given"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_kind_of_error_arrives_whole(toy: Toy, context: RequestContext, error: errors.SaguaroError) -> None:
    toy.runner.answer = raising(error)
    got = failed(toy, context)
    assert (got.code, got.reason, got.field, got.rule) == (error.code, error.reason, error.field, error.rule)
    assert got.ids == error.ids
    assert toy.watch.seen[0][:2] == ("saguaro.scheduling.v1.SchedulingService/GetBooking", error.code)


def test_a_peers_refusal_passes_through_a_second_service(toy: Toy, context: RequestContext) -> None:
    toy.runner.answer = raising(RemoteError("FAILED_PRECONDITION", "ORDER_REVOKED", {"rule": "r", "order_id": SITE}))
    got = failed(toy, context)
    assert (got.code, got.reason, got.metadata) == (
        "FAILED_PRECONDITION",
        "ORDER_REVOKED",
        {"rule": "r", "order_id": SITE},
    )


def test_a_fault_between_services_is_not_the_callers(toy: Toy, context: RequestContext) -> None:
    toy.runner.answer = raising(RemoteError("UNIMPLEMENTED", "PEER_FAILED", {}))
    assert (failed(toy, context).code, failed(toy, context).reason) == ("INTERNAL", "PEER_FAILED")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The process's log as it is written in real use."""
    root, stream = logging.getLogger(), io.StringIO()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    logs.configure("scheduling", "api", "DEBUG", stream)
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, threading.excepthook, sys.unraisablehook = before[2:]
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_an_unexpected_exception_leaks_nothing_and_is_found_by_its_id(
    toy: Toy, context: RequestContext, log: io.StringIO
) -> None:
    toy.runner.answer = raising(LookupError(f"no row for {SECRET}"))
    got = failed(toy, context)
    assert (got.code, got.reason) == ("INTERNAL", "INTERNAL")
    assert SECRET not in f"{got} {got.metadata}"
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (line,) = [line for line in lines if line.get("error_id") == got.metadata["error_id"]]
    assert (line["level"], line["exception"]["type"]) == ("error", "LookupError")
    assert line["rpc"] == "saguaro.scheduling.v1.SchedulingService/GetBooking"
    assert line["exception"]["stack"]
    assert SECRET not in log.getvalue()


def test_an_error_that_is_raised_again_and_again_gathers_no_tracebacks(toy: Toy, context: RequestContext) -> None:
    shared = errors.AlreadyExists("SLOT_TAKEN", field="chair_id", rule="must be free")
    toy.runner.answer = raising(shared)
    for _ in range(3):
        failed(toy, context)
    assert shared.__traceback__ is None


@pytest.mark.usefixtures("log")
def test_an_unexpected_exception_shows_nothing_to_a_plain_caller(
    toy: Toy, metadata: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    toy.runner.answer = raising(LookupError(f"no row for {SECRET}"))
    with grpc.insecure_channel(toy.target) as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/saguaro.scheduling.v1.SchedulingService/GetBooking")(
            REQUEST.SerializeToString(), timeout=5, metadata=tuple(metadata.items())
        )
    assert SECRET not in repr(raised.value)
    assert SECRET not in "".join(capfd.readouterr())


def test_bytes_that_are_no_request_are_refused(toy: Toy, metadata: dict[str, str]) -> None:
    with grpc.insecure_channel(toy.target) as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/saguaro.scheduling.v1.SchedulingService/GetBooking")(
            b"\xff\xff\xff", timeout=5, metadata=tuple(metadata.items())
        )
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert toy.runner.calls == []


def test_validation_names_each_field_and_rule_and_no_value(toy: Toy, context: RequestContext) -> None:
    request = pb.JoinWaitingListRequest(request_id=SECRET, ordinal=99)
    got = failed(toy, context, request, "JoinWaitingList")
    found = {finding.field: finding.rule for finding in got.findings}
    assert (got.code, got.reason, got.field) == ("INVALID_ARGUMENT", "INVALID_REQUEST", "request_id")
    assert found["request_id"] == "must be a valid UUID (string.uuid)"
    assert found["ordinal"].endswith("(int32.gte_lte)")
    assert found["earliest"] == "value is required (required)"
    assert SECRET not in f"{got} {got.metadata} {found}"
    assert "99" not in f"{got} {got.metadata} {found}"
    assert toy.runner.calls == []


def test_validation_names_the_place_in_a_list() -> None:
    from chassis.grpc_validate import validate

    request = billing.PublishPriceListRequest(items=[billing.PublishPriceListRequest().items.add() for _ in range(2)])
    with pytest.raises(errors.InvalidArgument) as raised:
        validate(request)
    assert "items[1].code" in {finding.field for finding in raised.value.findings}


def test_more_findings_than_a_trailer_holds_still_arrive(toy: Toy, context: RequestContext) -> None:
    many = [errors.Finding(f"items[{number}].unit_price_usd", "must be a price " * 4) for number in range(500)]
    toy.runner.answer = raising(errors.InvalidArgument("items", "must be prices", findings=many))
    got = failed(toy, context)
    assert (got.code, got.reason) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
    assert 10 < len(got.findings) < 500
    assert got.findings == tuple(many[: len(got.findings)])


def test_an_answer_without_our_details_gets_a_reason_from_its_code(toy: Toy, context: RequestContext) -> None:
    from saguaro.billing.v1.service_pb2_grpc import BillingServiceStub

    with pytest.raises(RemoteError) as raised:
        Client(BillingServiceStub, toy.target).bound(context, 1.0).GetInvoice(billing.GetInvoiceRequest())
    assert (raised.value.code, raised.value.reason, raised.value.metadata) == ("UNIMPLEMENTED", "PEER_FAILED", {})
