"""A call says who acts, why and when, and how long its caller waits; or it is refused before anything runs."""

from typing import Any

import grpc
import pytest

from chassis.context import RequestContext
from chassis.grpc_context import read_context, write_context
from chassis.grpc_status import from_call
from chassis.remote import RemoteError
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1.service_pb2_grpc import SchedulingServiceStub

from .conftest import EPISODE, SESSION, Toy

REQUEST = pb.GetBookingRequest(session_id=SESSION)


def refusal(stub: SchedulingServiceStub, metadata: Any, timeout: float | None = 5) -> RemoteError:
    with pytest.raises(grpc.RpcError) as failed:
        stub.GetBooking(REQUEST, timeout=timeout, metadata=tuple(metadata))
    return from_call(failed.value)


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ("saguaro-actor", "UNAUTHENTICATED"),
        ("saguaro-role", "UNAUTHENTICATED"),
        ("saguaro-purpose", "INVALID_ARGUMENT"),
        ("saguaro-clinic-time", "INVALID_ARGUMENT"),
    ],
)
def test_missing_context_is_refused_by_name(
    toy: Toy, raw: SchedulingServiceStub, metadata: dict[str, str], missing: str, code: str
) -> None:
    del metadata[missing]
    error = refusal(raw, metadata.items())
    assert (error.code, error.reason, error.field) == (code, "CONTEXT_REQUIRED", missing)
    assert toy.runner.calls == []


def test_a_call_without_any_context_names_all_that_is_missing(raw: SchedulingServiceStub) -> None:
    rule = refusal(raw, ()).rule
    assert all(key in rule for key in ("saguaro-actor", "saguaro-role", "saguaro-purpose", "saguaro-clinic-time"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("saguaro-actor", "Jane Roe"),
        ("saguaro-actor", "{018f4d3c-5a1e-7c00-8000-000000000001}"),
        ("saguaro-role", "Nurse Jane"),
        ("saguaro-role", "n" * 41),
        ("saguaro-site", "PHX"),
        ("saguaro-purpose", "because of Jane"),
        ("saguaro-correlation-id", "1"),
        ("saguaro-clinic-time", "2026-03-02T16:00:00"),
        ("saguaro-clinic-time", "2026-03-02"),
        ("saguaro-clinic-time", "2026-02-30T16:00:00Z"),
        ("saguaro-clinic-time", "0001-01-01T00:00:00+14:00"),
        ("saguaro-clinic-time", "1772467200"),
    ],
)
def test_a_wrong_form_is_refused_without_its_value(
    toy: Toy, raw: SchedulingServiceStub, metadata: dict[str, str], key: str, value: str
) -> None:
    error = refusal(raw, {**metadata, key: value}.items())
    assert (error.code, error.reason, error.field) == ("INVALID_ARGUMENT", "CONTEXT_REQUIRED", key)
    assert value not in f"{error} {error.metadata}" or len(value) == 1
    assert toy.runner.calls == []


def test_a_key_given_twice_is_refused(raw: SchedulingServiceStub, metadata: dict[str, str]) -> None:
    error = refusal(raw, [*metadata.items(), ("saguaro-role", "operator")])
    assert (error.code, error.field) == ("INVALID_ARGUMENT", "saguaro-role")


def test_context_arrives_as_it_was_sent(
    toy: Toy, raw: SchedulingServiceStub, metadata: dict[str, str], context: RequestContext
) -> None:
    raw.GetBooking(REQUEST, timeout=5, metadata=tuple(metadata.items()))
    assert toy.runner.calls[0].context == context


def test_clinic_time_with_another_offset_is_the_same_moment(context: RequestContext) -> None:
    written = dict(write_context(context)) | {"saguaro-clinic-time": "2026-03-02T09:00:00.000-07:00"}
    assert read_context(written.items()).clinic_time == context.clinic_time


def test_an_absent_episode_is_made_anew(context: RequestContext) -> None:
    written = dict(write_context(context))
    del written["saguaro-correlation-id"]
    first, second = read_context(written.items()), read_context(written.items())
    assert len({EPISODE, first.correlation_id, second.correlation_id}) == 3


@pytest.mark.parametrize("broken", ["", "00-1-2-3", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{'g' * 32}-{'1' * 16}-01"])
def test_a_senseless_traceparent_starts_a_new_trace(context: RequestContext, broken: str) -> None:
    assert read_context([*write_context(context), ("traceparent", broken)]).traceparent is None


def test_traceparent_reaches_the_server_span(toy: Toy, raw: SchedulingServiceStub, metadata: dict[str, str]) -> None:
    sent = f"00-{'a' * 32}-{'b' * 16}-01"
    raw.GetBooking(REQUEST, timeout=5, metadata=(*metadata.items(), ("traceparent", sent)))
    assert toy.watch.spans == [("saguaro.scheduling.v1.SchedulingService/GetBooking", sent)]


@pytest.mark.parametrize("timeout", [None, 90.0])
def test_a_call_without_a_fair_deadline_is_refused(
    toy: Toy, raw: SchedulingServiceStub, metadata: dict[str, str], timeout: float | None
) -> None:
    error = refusal(raw, metadata.items(), timeout=timeout)
    assert (error.code, error.reason, error.field) == ("INVALID_ARGUMENT", "DEADLINE_REQUIRED", "deadline")
    assert toy.runner.calls == []


def test_the_longest_deadline_is_accepted(toy: Toy, raw: SchedulingServiceStub, metadata: dict[str, str]) -> None:
    raw.GetBooking(REQUEST, timeout=60, metadata=tuple(metadata.items()))
    assert 55 < toy.runner.calls[0].deadline_s <= 61
