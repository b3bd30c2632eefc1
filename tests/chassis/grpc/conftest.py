"""A real gRPC server of the scheduling contract on loopback, with a runner that the test scripts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.protobuf.message import Message
from sqlalchemy import MetaData

from chassis.context import RequestContext
from chassis.grpc_client import Client
from chassis.grpc_context import write_context
from chassis.grpc_link import close_links
from chassis.grpc_server import GrpcServers, ServerOptions, serve
from chassis.grpc_servicer import Instruments, StreamRpc
from chassis.index import Command, Query, Service
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1.service_pb2_grpc import SchedulingServiceStub

ACTOR = UUID("018f4d3c-5a1e-7c00-8000-000000000001")
SITE = "018f4d3c-5a1e-7c00-8000-000000000002"
EPISODE = UUID("018f4d3c-5a1e-7c00-8000-000000000003")
SESSION = "018f4d3c-5a1e-7c00-8000-000000000004"
NINE = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)

# A write has a request_id.
_RPCS = pb.DESCRIPTOR.services_by_name["SchedulingService"].methods
COMMANDS = tuple(rpc.name for rpc in _RPCS if "request_id" in rpc.input_type.fields_by_name)
QUERIES = tuple(rpc.name for rpc in _RPCS if rpc.name not in COMMANDS)


def unused(*_arguments: object) -> Any:
    """The scripted runner runs no row."""
    raise AssertionError("no row is run here")


def index_of(**changes: object) -> Service:
    """An index of the whole scheduling contract, with changes."""
    whole: dict[str, object] = {
        "name": "scheduling",
        "grpc_services": ("saguaro.scheduling.v1.SchedulingService",),
        "events_module": "saguaro.scheduling.v1.events_pb2",
        "metadata": MetaData(),
        "migrations": "",
        "required_revision": "",
        "commands": tuple(Command(rpc, getattr(pb, f"{rpc}Request"), unused, unused) for rpc in COMMANDS),
        "queries": tuple(Query(rpc, getattr(pb, f"{rpc}Request"), unused) for rpc in QUERIES),
    }
    return Service(**{**whole, **changes})


@dataclass
class Call:
    """What arrived at the runner."""

    rpc: str
    request: Message
    context: RequestContext
    deadline_s: float


@dataclass
class ScriptedRunner:
    """Answers with what the test says, and keeps what it was asked."""

    answer: Callable[[Call], Message] = lambda _: pb.GetBookingResponse()
    calls: list[Call] = field(default_factory=list)

    def call(self, rpc: str, request: Message, context: RequestContext, deadline_s: float) -> Message:
        call = Call(rpc, request, context, deadline_s)
        self.calls.append(call)
        return self.answer(call)


@dataclass
class Watch:
    """Instruments that keep what they saw."""

    seen: list[tuple[str, str, float]] = field(default_factory=list)
    spans: list[tuple[str, str | None]] = field(default_factory=list)

    def observe(self, rpc: str, code: str, seconds: float) -> None:
        self.seen.append((rpc, code, seconds))

    def span(self, rpc: str, context: RequestContext, traceparent: str | None) -> AbstractContextManager[object]:
        self.spans.append((rpc, traceparent))
        return nullcontext()


@dataclass
class Toy:
    """A served toy service."""

    runner: ScriptedRunner
    watch: Watch
    servers: GrpcServers

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.servers.port}"

    def client(self) -> Client[SchedulingServiceStub]:
        return Client(SchedulingServiceStub, self.target)


Serve = Callable[..., Toy]


@pytest.fixture
def context() -> RequestContext:
    return RequestContext(ACTOR, "nurse", SITE, "treatment", EPISODE, NINE)


@pytest.fixture
def serving() -> Iterator[Serve]:
    """Starts toys with options of the test's choice; all end with the test."""
    toys: list[Toy] = []

    def start(index: Service | None = None, streams: dict[str, StreamRpc] | None = None, **options: int) -> Toy:
        runner, watch = ScriptedRunner(), Watch()
        instruments = Instruments(span=watch.span, observe=watch.observe)
        servers = serve(index or index_of(), runner, instruments, ServerOptions(**options), streams)
        toys.append(Toy(runner, watch, servers))
        return toys[-1]

    yield start
    for toy in toys:
        toy.servers.stop(grace_s=0.2, stream_grace_s=0.0)
    close_links()


@pytest.fixture
def toy(serving: Serve) -> Toy:
    return serving()


@pytest.fixture
def raw(toy: Toy) -> Iterator[SchedulingServiceStub]:
    """The generated stub on a plain channel: a caller that does not use the kit."""
    with grpc.insecure_channel(toy.target) as channel:
        yield SchedulingServiceStub(channel)


@pytest.fixture
def metadata(context: RequestContext) -> dict[str, str]:
    return dict(write_context(context))
