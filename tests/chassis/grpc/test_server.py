"""The server: every rpc has a row, health and reflection answer under load, too much is refused, a stop drains."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from chassis import errors
from chassis.context import RequestContext
from chassis.grpc_client import Client
from chassis.grpc_servicer import StreamRpc
from chassis.index import Command, Query
from chassis.remote import RemoteError
from saguaro.device_telemetry.v1 import service_pb2 as frames
from saguaro.device_telemetry.v1.service_pb2_grpc import DeviceStreamServiceStub
from saguaro.scheduling.v1 import service_pb2 as pb

from .conftest import SESSION, Call, Serve, Toy, index_of, unused

REQUEST = pb.GetBookingRequest(session_id=SESSION)
SERVICE = "saguaro.scheduling.v1.SchedulingService"
WITH_STREAM = (SERVICE, "saguaro.device_telemetry.v1.DeviceStreamService")
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Gate:
    """Holds calls back until it opens, and says when so many have come."""

    def __init__(self, expected: int) -> None:
        self._inside = threading.Semaphore(0)
        self._open = threading.Event()
        self._expected = expected

    def __call__(self, _call: Call) -> pb.GetBookingResponse:
        self._inside.release()
        assert self._open.wait(10)
        return pb.GetBookingResponse()

    def full(self) -> None:
        for _ in range(self._expected):
            assert self._inside.acquire(timeout=5)

    def open(self) -> None:
        self._open.set()


def check(target: str, service: str = "") -> int:
    with grpc.insecure_channel(target) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=3)
        return int(answer.status)


def first_refusal(toy: Toy, context: RequestContext) -> RemoteError:
    """Calls until a call is refused."""
    while True:
        try:
            toy.client().bound(context, 0.3).GetBooking(REQUEST)
        except RemoteError as error:
            return error


def test_health_serves_only_when_ready(toy: Toy) -> None:
    assert (check(toy.target), check(toy.target, SERVICE)) == (NOT_SERVING, NOT_SERVING)
    toy.servers.set_ready(True)
    assert (check(toy.target), check(toy.target, SERVICE)) == (SERVING, SERVING)
    toy.servers.set_ready(False)
    assert check(toy.target) == NOT_SERVING
    with pytest.raises(grpc.RpcError) as raised:
        check(toy.target, "no.such.Service")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


def test_health_can_be_watched(toy: Toy) -> None:
    with grpc.insecure_channel(toy.target) as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=5)
        assert next(watched).status == NOT_SERVING
        toy.servers.set_ready(True)
        assert next(watched).status == SERVING
        assert check(toy.target) == SERVING  # the watcher holds no thread
        watched.cancel()


def test_reflection_names_the_service_and_its_fields(toy: Toy) -> None:
    with grpc.insecure_channel(toy.target) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert SERVICE in database.get_services()
        file = database.FindFileContainingSymbol(SERVICE)
    assert "BookSession" in {method.name for method in file.service[0].method}


def test_beyond_the_limit_calls_are_refused_and_health_is_not_delayed(serving: Serve, context: RequestContext) -> None:
    toy = serving(threads=2, max_calls=3)
    toy.servers.set_ready(True)
    gate = toy.runner.answer = Gate(2)
    calls = toy.client().bound(context, 10.0)
    codes: list[tuple[str, str]] = []

    def outcome(_number: int) -> None:
        try:
            calls.GetBooking(REQUEST)
            codes.append(("OK", ""))
        except RemoteError as error:
            codes.append((error.code, error.reason))
            if len(codes) == 5:
                gate.open()

    with ThreadPoolExecutor(8) as callers:
        busy = [callers.submit(outcome, number) for number in range(2)]
        gate.full()
        assert check(toy.target) == SERVING
        # One more may wait for a thread; the other five are refused at once, and the last of those opens the gate.
        busy += [callers.submit(outcome, number) for number in range(6)]
        for future in busy:
            future.result(10)
    assert sorted(codes) == [("OK", "")] * 3 + [("RESOURCE_EXHAUSTED", "PEER_OVERLOADED")] * 5


def test_a_call_whose_caller_is_gone_is_not_worked_on(serving: Serve, context: RequestContext) -> None:
    toy = serving(threads=1)
    gate = toy.runner.answer = Gate(1)
    with ThreadPoolExecutor(1) as callers:
        busy = callers.submit(toy.client().bound(context, 10.0).GetBooking, REQUEST)
        gate.full()
        with pytest.raises(RemoteError):
            toy.client().bound(context, 0.1).GetBooking(REQUEST)
        gate.open()
        busy.result(5)
    toy.runner.answer = lambda _: pb.GetBookingResponse()
    toy.client().bound(context, 5.0).GetBooking(REQUEST)
    assert len(toy.runner.calls) == 2  # the first and the last


def test_a_stop_drains_what_runs_and_refuses_what_comes(serving: Serve, context: RequestContext) -> None:
    toy = serving()
    gate = toy.runner.answer = Gate(1)
    with ThreadPoolExecutor(2) as threads:
        running = threads.submit(toy.client().bound(context, 10.0).GetBooking, REQUEST)
        gate.full()
        stopping = threads.submit(toy.servers.stop, 5.0)
        toy.runner.answer = lambda _: pb.GetBookingResponse()
        assert first_refusal(toy, context).code == "UNAVAILABLE"
        assert not toy.servers.wait(0)
        gate.open()
        assert running.result(5) == pb.GetBookingResponse()
        stopping.result(5)
    assert toy.servers.wait(0)


def test_a_taken_port_is_an_error_not_a_shared_port(serving: Serve) -> None:
    first = serving()
    with pytest.raises(RuntimeError):
        serving(port=first.servers.port)


def test_processes_may_share_a_port_on_purpose(serving: Serve) -> None:
    first = serving(reuse_port=True)
    assert serving(port=first.servers.port, reuse_port=True).servers.port == first.servers.port


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"queries": ()}, "GetBooking has no row"),
        ({"queries": (*index_of().queries, Query("GetTea", pb.GetBookingRequest, unused))}, "GetTea has a row"),
        ({"queries": (*index_of().queries, index_of().queries[0])}, "FindFreeTimes has two rows"),
        (
            {"commands": (*index_of().commands[1:], Command("OpenSite", pb.AddShiftRequest, unused, unused))},
            "OpenSite takes OpenSiteRequest",
        ),
        ({"grpc_services": WITH_STREAM}, "StreamFrames has no stream function"),
    ],
)
def test_index_and_contract_must_agree(serving: Serve, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        serving(index_of(**changes))


def echo(requests: Iterator[Any], _context: RequestContext, _call: object) -> Iterator[frames.StreamFramesResponse]:
    for number, _ in enumerate(requests, 1):
        yield frames.StreamFramesResponse(sequence=number)


def sending(stop: threading.Event) -> Iterator[frames.StreamFramesRequest]:
    yield frames.StreamFramesRequest(frame=b"1")
    stop.wait(10)


def streaming(serving: Serve, run: Callable[..., Any] = echo, raw: bool = False, **options: int) -> Toy:
    return serving(index_of(grpc_services=WITH_STREAM), {"StreamFrames": StreamRpc(run, raw)}, **options)


def stream_client(toy: Toy) -> Client[DeviceStreamServiceStub]:
    return Client(DeviceStreamServiceStub, f"127.0.0.1:{toy.servers.stream_port}")


def test_streams_at_their_limit_delay_no_command(serving: Serve, context: RequestContext) -> None:
    toy = streaming(serving, max_streams=3, threads=1)
    toy.servers.set_ready(True)
    stop = threading.Event()
    device = stream_client(toy).bound(context)
    held = [device.StreamFrames(sending(stop)) for _ in range(3)]
    assert [next(stream).sequence for stream in held] == [1, 1, 1]
    with pytest.raises(RemoteError) as raised:
        next(device.StreamFrames(sending(stop)))
    assert raised.value.code == "RESOURCE_EXHAUSTED"
    assert toy.client().bound(context, 2.0).GetBooking(REQUEST) == pb.GetBookingResponse()
    assert check(toy.target) == SERVING
    stop.set()
    assert [list(stream) for stream in held] == [[], [], []]
    assert next(device.StreamFrames(sending(stop))).sequence == 1  # a place is free again


def test_a_stream_needs_a_context_but_no_deadline(serving: Serve) -> None:
    toy = streaming(serving)
    with (
        grpc.insecure_channel(f"127.0.0.1:{toy.servers.stream_port}") as channel,
        pytest.raises(grpc.RpcError) as raised,
    ):
        next(DeviceStreamServiceStub(channel).StreamFrames(iter(())))
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_an_error_in_a_stream_is_typed(serving: Serve, context: RequestContext) -> None:
    def refuse(requests: Iterator[Any], _context: RequestContext, _call: object) -> Iterator[Any]:
        yield frames.StreamFramesResponse(sequence=1)
        raise errors.FailedPrecondition("NOT_ATTACHED", field="device_id", rule="must be attached")

    device = stream_client(streaming(serving, refuse)).bound(context)
    stream = device.StreamFrames(iter(()))
    assert next(stream).sequence == 1
    with pytest.raises(RemoteError) as raised:
        next(stream)
    assert (raised.value.code, raised.value.reason) == ("FAILED_PRECONDITION", "NOT_ATTACHED")


def test_raw_streams_get_the_bytes_as_they_came(serving: Serve, metadata: dict[str, str]) -> None:
    got: list[bytes] = []

    def keep(requests: Iterator[bytes], _context: RequestContext, _call: object) -> Iterator[Any]:
        for raw in requests:
            got.append(raw)
            yield frames.StreamFramesResponse(refused_rule="must be a frame")

    toy = streaming(serving, keep, raw=True)
    with grpc.insecure_channel(f"127.0.0.1:{toy.servers.stream_port}") as channel:
        send = channel.stream_stream(f"/{WITH_STREAM[1]}/StreamFrames")
        assert len(list(send(iter((b"\xff\xff", b"")), timeout=5, metadata=tuple(metadata.items())))) == 2
    assert got == [b"\xff\xff", b""]


def test_a_stop_cuts_streams(serving: Serve, context: RequestContext) -> None:
    ended = threading.Event()

    def until_cut(requests: Iterator[Any], context: RequestContext, call: object) -> Iterator[Any]:
        try:
            yield from echo(requests, context, call)
        finally:
            ended.set()

    toy = streaming(serving, until_cut)
    stop = threading.Event()
    stream = stream_client(toy).bound(context).StreamFrames(sending(stop))
    next(stream)
    toy.servers.stop(grace_s=5.0, stream_grace_s=0.1)
    with pytest.raises(RemoteError) as raised:
        next(stream)
    stop.set()
    assert raised.value.code in {"UNAVAILABLE", "CANCELLED"}
    assert ended.wait(5)  # its thread is free
