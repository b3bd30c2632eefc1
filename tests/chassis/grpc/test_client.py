"""Calls to peers: deadline and context passed on, only UNAVAILABLE tried again, a peer that moved is found."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from threading import Event

import grpc
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis import errors, tracing
from chassis.context import RequestContext
from chassis.current_call import answering, current_call
from chassis.grpc_client import Client
from chassis.grpc_link import link_to
from chassis.peers import Peers
from chassis.remote import RemoteError
from network.ports import free_port
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1.service_pb2_grpc import SchedulingServiceStub

from .conftest import SESSION, Call, Serve, Toy

REQUEST = pb.GetBookingRequest(session_id=SESSION)


def test_only_unavailable_is_tried_again(toy: Toy, context: RequestContext) -> None:
    def third_time(_call: Call) -> pb.GetBookingResponse:
        if len(toy.runner.calls) < 3:
            raise errors.Unavailable("DATABASE_UNAVAILABLE", rule="repeat")
        return pb.GetBookingResponse()

    toy.runner.answer = third_time
    assert toy.client().bound(context, 5.0).GetBooking(REQUEST) == pb.GetBookingResponse()
    assert len(toy.runner.calls) == 3


@pytest.mark.parametrize(
    "error",
    [
        errors.ResourceExhausted("DATABASE_BUSY"),
        errors.DeadlineExceeded("DEADLINE_EXCEEDED"),
        errors.FailedPrecondition("BOOKING_STATE"),
        errors.AlreadyExists("SLOT_TAKEN"),
        RuntimeError("a defect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nothing_else_is(toy: Toy, context: RequestContext, error: Exception) -> None:
    def answer(_call: Call) -> pb.GetBookingResponse:
        raise error

    toy.runner.answer = answer
    with pytest.raises(RemoteError):
        toy.client().bound(context, 5.0).GetBooking(REQUEST)
    assert len(toy.runner.calls) == 1


def test_it_is_tried_until_the_deadline_and_then_told_why(toy: Toy, context: RequestContext) -> None:
    def answer(_call: Call) -> pb.GetBookingResponse:
        raise errors.Unavailable("DATABASE_UNAVAILABLE", rule="repeat")

    toy.runner.answer = answer
    started = time.monotonic()
    with pytest.raises(RemoteError) as raised:
        toy.client().bound(context, 0.4).GetBooking(REQUEST)
    assert time.monotonic() - started < 0.5
    assert (raised.value.code, raised.value.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
    assert len(toy.runner.calls) > 2


def test_nobody_there_is_unavailable_within_the_deadline(context: RequestContext) -> None:
    client = Client(SchedulingServiceStub, f"127.0.0.1:{free_port()}")
    with pytest.raises(RemoteError) as raised:
        client.bound(context, 0.3).GetBooking(REQUEST)
    assert (raised.value.code, raised.value.reason) == ("UNAVAILABLE", "PEER_UNAVAILABLE")


def test_a_slow_peer_is_left_at_the_deadline(toy: Toy, context: RequestContext) -> None:
    release = threading.Event()

    def answer(_call: Call) -> pb.GetBookingResponse:
        release.wait(5)
        return pb.GetBookingResponse()

    toy.runner.answer = answer
    with pytest.raises(RemoteError) as raised:
        toy.client().bound(context, 0.2).GetBooking(REQUEST)
    release.set()
    assert (raised.value.code, raised.value.reason) == ("DEADLINE_EXCEEDED", "PEER_DEADLINE")


def test_the_callers_deadline_and_context_are_passed_on(toy: Toy, context: RequestContext) -> None:
    with answering(context, 0.7):
        toy.client().calls.GetBooking(REQUEST)
    with answering(context, 30.0):
        toy.client().calls.GetBooking(REQUEST)
    short, capped = toy.runner.calls
    assert replace(short.context, traceparent=None) == context
    assert 0.2 < short.deadline_s < 0.8
    assert 1.5 < capped.deadline_s < 2.1  # the client's own default; grpc rounds up a little


def test_over_two_services_the_deadline_shrinks(serving: Serve, context: RequestContext) -> None:
    behind, front = serving(), serving()
    asked = Client(SchedulingServiceStub, behind.target)

    def ask(_call: Call) -> pb.GetBookingResponse:
        # gRPC rounds a deadline up on the wire: more time has to pass than that for it to be seen to shrink.
        Event().wait(0.1)
        return asked.calls.GetBooking(REQUEST)

    front.runner.answer = ask
    front.client().bound(context, 1.0).GetBooking(REQUEST)
    assert behind.runner.calls[0].deadline_s < front.runner.calls[0].deadline_s - 0.05 < 1.1
    assert replace(behind.runner.calls[0].context, traceparent=None) == context
    assert current_call() is None


def test_a_spent_deadline_asks_nobody(toy: Toy, context: RequestContext) -> None:
    with answering(context, 0.0), pytest.raises(RemoteError) as raised:
        toy.client().calls.GetBooking(REQUEST)
    assert raised.value.code == "DEADLINE_EXCEEDED"
    assert toy.runner.calls == []


def test_outside_of_a_call_a_context_is_needed(toy: Toy) -> None:
    with pytest.raises(RuntimeError, match="outside of a call"):
        toy.client().calls.GetBooking(REQUEST)


def test_one_link_per_target() -> None:
    target = f"127.0.0.1:{free_port()}"
    assert link_to(target) is link_to(target)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_peer_that_moved_is_found(serving: Serve, context: RequestContext, tmp_path: Path, as_json: bool) -> None:
    report = tmp_path / "report.json"

    def announce(toy: Toy) -> None:
        text = json.dumps({"addresses": {"grpc": toy.target}}) if as_json else f"{toy.target}\n"
        report.with_suffix(".new").write_text(text)
        report.with_suffix(".new").replace(report)

    first = serving()
    announce(first)
    client = Client(SchedulingServiceStub, f"@{report}")
    client.bound(context, 2.0).GetBooking(REQUEST)
    first.servers.stop(grace_s=0)
    second = serving()
    threading.Timer(0.2, announce, (second,)).start()
    client.bound(context, 5.0).GetBooking(REQUEST)
    assert (len(first.runner.calls), len(second.runner.calls)) == (1, 1)


def test_a_peer_that_is_not_up_yet_is_awaited(serving: Serve, context: RequestContext, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    toy = serving()
    client = Client(SchedulingServiceStub, f"@{report}")
    threading.Timer(0.2, report.write_text, (toy.target,)).start()
    client.bound(context, 5.0).GetBooking(REQUEST)
    assert len(toy.runner.calls) == 1


def test_a_torn_report_is_no_address(context: RequestContext, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text('{"addresses": {"gr')
    with pytest.raises(RemoteError) as raised:
        Client(SchedulingServiceStub, f"@{report}").bound(context, 0.1).GetBooking(REQUEST)
    assert raised.value.reason == "PEER_UNAVAILABLE"


def test_peers_are_found_by_name_and_fail_closed(toy: Toy, context: RequestContext) -> None:
    peers = Peers({"scheduling": toy.target})
    with answering(context, 2.0):
        assert peers.scheduling.GetBooking(REQUEST) == pb.GetBookingResponse()
    with pytest.raises(errors.Unavailable, match="SAGUARO_PEER_INTAKE"):
        _ = peers.intake


def test_grpc_error_types_never_reach_a_command(toy: Toy, context: RequestContext) -> None:
    toy.servers.stop(grace_s=0)
    with pytest.raises(Exception) as raised:
        toy.client().bound(context, 0.1).GetBooking(REQUEST)
    assert not isinstance(raised.value, grpc.RpcError)
    assert isinstance(raised.value, errors.SaguaroError)


def test_the_trace_goes_on_in_the_peer(serving: Serve, context: RequestContext) -> None:
    behind, front = serving(), serving()
    asked = Client(SchedulingServiceStub, behind.target)
    spans = InMemorySpanExporter()
    tracing.configure("scheduling", "api", processor=SimpleSpanProcessor(spans))

    def ask(call: Call) -> pb.GetBookingResponse:
        with tracing.server_span("scheduling/GetBooking", call.context, call.context.traceparent):
            return asked.bound(call.context, 1.0).GetBooking(REQUEST)

    front.runner.answer = ask
    try:
        front.client().bound(context, 1.0).GetBooking(REQUEST)
    finally:
        tracing.configure("scheduling", "tool")
    inner, server, outer = spans.get_finished_spans()
    assert [span.kind.name for span in (inner, server, outer)] == ["CLIENT", "SERVER", "CLIENT"]
    assert inner.parent is not None
    assert server.parent is not None
    assert (inner.parent.span_id, server.parent.span_id) == (server.context.span_id, outer.context.span_id)
    sent = behind.runner.calls[0].context.traceparent
    assert sent is not None
    assert sent.split("-")[1:3] == [f"{outer.context.trace_id:032x}", f"{inner.context.span_id:016x}"]


@pytest.mark.parametrize("module", ["peers", "remote", "paging", "current_call", "grpc_validate"])
def test_what_commands_import_brings_no_grpc_into_a_worker(module: str) -> None:
    look = f"import sys, chassis.{module}; sys.exit('grpc' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    assert subprocess.run([sys.executable, "-c", look], env=environment, check=False).returncode == 0
