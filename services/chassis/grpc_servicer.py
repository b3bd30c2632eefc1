"""From a service's index to what a gRPC server serves: every rpc of the contract has exactly one row.

A unary call goes: context, deadline, decode, validate, run, status. A streaming rpc is a function of the service.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from chassis.context import RequestContext
from chassis.current_call import answering
from chassis.errors import InvalidArgument, SaguaroError
from chassis.grpc_context import read_context, read_deadline
from chassis.grpc_rows import checked_rows, services_of
from chassis.grpc_status import internal_status, to_grpc, to_status
from chassis.grpc_validate import validate
from chassis.index import Service

UNREADABLE: Final = "UNREADABLE_REQUEST"


class Caller(Protocol):
    """What runs a use case: chassis.runner.Runner. `deadline_s` is the seconds left when it is called."""

    def call(self, rpc: str, request: Message, context: RequestContext, deadline_s: float) -> Message:
        """The response, or SaguaroError."""


@dataclass(frozen=True)
class StreamRpc:
    """A streaming rpc: `run(requests, context, call)` gives an iterator of responses, or one if only requests stream.

    With `raw` the requests are the received bytes, for whoever stores them unread or must keep a broken one and go on.
    The function validates each request itself (chassis.grpc_validate): one bad request need not end a stream. When a
    stream is cut, its requests end as if the caller had ended them, or raise grpc.RpcError, which is let pass.
    """

    run: Callable[[Iterator[Any], RequestContext, grpc.ServicerContext], Any]
    raw: bool = False


class Observer(Protocol):
    """Counts a finished call: full rpc name, name of the status code, seconds."""

    def __call__(self, rpc: str, code: str, seconds: float, /) -> None: ...


class Spans(Protocol):
    """Opens the server span of a call: full rpc name, context, the caller's traceparent."""

    def __call__(
        self, rpc: str, context: RequestContext, traceparent: str | None, /
    ) -> AbstractContextManager[object]: ...


@dataclass(frozen=True)
class Instruments:
    """What looks on: spans and metrics."""

    span: Spans
    observe: Observer


@dataclass
class Handlers:
    """Generic handlers for the unary server and for the server of streams, and the services that each serves."""

    unary: list[grpc.GenericRpcHandler] = field(default_factory=list)
    streams: list[grpc.GenericRpcHandler] = field(default_factory=list)
    unary_names: list[str] = field(default_factory=list)
    stream_names: list[str] = field(default_factory=list)


def handlers_of(
    index: Service, runner: Caller, instruments: Instruments, streams: Mapping[str, StreamRpc] | None = None
) -> Handlers:
    """The handlers of an index. ValueError names every rpc without a row, row without an rpc, wrong request type."""
    streams = streams or {}
    services = services_of(index)
    rows = checked_rows(index, services, streams.keys())
    made = Handlers()
    for service in services:
        unary: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        streaming: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for method in service.methods:
            full = f"{service.full_name}/{method.name}"
            if method.name in rows:
                unary[method.name] = grpc.unary_unary_rpc_method_handler(_unary(full, method, runner, instruments))
            else:
                streaming[method.name] = _stream_handler(full, method, streams[method.name], instruments)
        if unary:
            made.unary.append(grpc.method_handlers_generic_handler(service.full_name, unary))
            made.unary_names.append(service.full_name)
        if streaming:
            made.streams.append(grpc.method_handlers_generic_handler(service.full_name, streaming))
            made.stream_names.append(service.full_name)
    return made


def _unary(
    full: str, method: MethodDescriptor, runner: Caller, instruments: Instruments
) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    request_type = GetMessageClass(method.input_type)
    rpc, span, observe = method.name, instruments.span, instruments.observe

    def serve(raw: bytes, call: grpc.ServicerContext) -> bytes:
        started = time.perf_counter()
        code = "OK"
        try:
            context = read_context(call.invocation_metadata())
            deadline_s = read_deadline(call)
            request = _decoded(raw, request_type)
            validate(request)
            with span(full, context, context.traceparent), answering(context, deadline_s):
                return runner.call(rpc, request, context, deadline_s).SerializeToString()
        except Exception as error:  # noqa: BLE001
            code = _abort(call, error, full)
            return b""
        finally:
            observe(full, code, time.perf_counter() - started)

    return serve


def _stream_handler(
    full: str, method: MethodDescriptor, stream: StreamRpc, instruments: Instruments
) -> "grpc.RpcMethodHandler[Any, Any]":
    # Without serializers grpc hands over and takes bytes: decoding is ours, so a broken message is our refusal.
    if method.client_streaming and method.server_streaming:
        return grpc.stream_stream_rpc_method_handler(_streaming(full, method, stream, instruments))
    if method.server_streaming:
        many = _streaming(full, method, stream, instruments)
        return grpc.unary_stream_rpc_method_handler(lambda raw, call: many(iter((raw,)), call))
    one = _streaming(full, method, stream, instruments)
    return grpc.stream_unary_rpc_method_handler(lambda raws, call: next(one(raws, call), b""))


def _streaming(
    full: str, method: MethodDescriptor, stream: StreamRpc, instruments: Instruments
) -> Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]:
    request_type = GetMessageClass(method.input_type)
    observe = instruments.observe

    def serve(raws: Iterator[bytes], call: grpc.ServicerContext) -> Iterator[bytes]:
        started = time.perf_counter()
        code = "OK"
        try:
            context = read_context(call.invocation_metadata())
            requests = raws if stream.raw else (_decoded(raw, request_type) for raw in raws)
            answered = stream.run(requests, context, call)
            for response in answered if method.server_streaming else (answered,):
                yield response.SerializeToString()
        except grpc.RpcError:
            # The caller hung up or the server stops: grpc knows that state and wants its own exception back.
            code = "CANCELLED"
            raise
        except Exception as error:  # noqa: BLE001
            code = _abort(call, error, full)
        finally:
            observe(full, code, time.perf_counter() - started)

    return serve


def _decoded(raw: bytes, request_type: type[Message]) -> Message:
    request = request_type()
    try:
        request.ParseFromString(raw)
    except DecodeError:
        raise InvalidArgument("", f"must be a {request_type.DESCRIPTOR.full_name}", reason=UNREADABLE) from None
    return request


def _abort(call: grpc.ServicerContext, error: Exception, rpc: str) -> str:
    """Ends the call with the error's status; the name of its code."""
    status = to_grpc(to_status(error) if isinstance(error, SaguaroError) else internal_status(error, rpc))
    # An error of the index (a constraint's) is one object for all calls: it must not gather their tracebacks.
    error.__traceback__ = error.__context__ = None
    call.set_code(status.code)
    call.set_details(status.details)
    call.set_trailing_metadata(status.trailing_metadata)
    return str(status.code.name)
