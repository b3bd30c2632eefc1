"""Calls to another service: context and trace passed on, a deadline always, UNAVAILABLE tried again, errors typed.

    client = Client(SomeServiceStub, "127.0.0.1:7001")
    reply = client.calls.Decide(request)                  # in the context and deadline of the call being answered
    reply = client.bound(context, deadline_s=5).Get(request)  # anywhere else

Both look like the generated stub to a type checker. A failed call raises RemoteError.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

import grpc
from google.protobuf.message import Message

from chassis.context import RequestContext
from chassis.current_call import CurrentCall, current_call
from chassis.grpc_context import Metadata, write_context
from chassis.grpc_link import Link, NoAddress, link_to
from chassis.grpc_status import from_call
from chassis.remote import PEER_DEADLINE, PEER_UNAVAILABLE, RemoteError
from chassis.tracing import client_span, current_traceparent

# Decisions that must be true now fail closed after this (house policy).
DEFAULT_DEADLINE_S: Final = 2.0
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.5

StubT = TypeVar("StubT")


class Client(Generic[StubT]):
    """The calls of one generated stub to one target."""

    def __init__(
        self, stub: Callable[[grpc.Channel], StubT], target: str, default_deadline_s: float = DEFAULT_DEADLINE_S
    ) -> None:
        self._link = link_to(target)
        self._default_s = default_deadline_s
        self._rpcs: dict[str, _Rpc] = {
            name: rpc for name, rpc in vars(stub(_Recorder())).items() if isinstance(rpc, _Rpc)
        }

    @property
    def calls(self) -> StubT:
        """Calls in the context and within the deadline of the call that is being answered."""
        return cast(StubT, _Bound(self._link, self._rpcs, self._default_s, None))

    def bound(self, context: RequestContext, deadline_s: float | None = None) -> StubT:
        """Calls in `context`. All together have `deadline_s` seconds from now; without it each has the default."""
        until = float("inf") if deadline_s is None else time.monotonic() + deadline_s
        default_s = self._default_s if deadline_s is None else deadline_s
        return cast(StubT, _Bound(self._link, self._rpcs, default_s, CurrentCall(context, until)))


class _Rpc:
    """What the generated stub asks a channel for; made on a real channel when it is called."""

    def __init__(self, kind: str, path: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.path, self.streams = path, kind != "unary_unary"
        self._kind, self._arguments, self._options = kind, arguments, options

    def made_on(self, channel: grpc.Channel) -> Any:
        return getattr(channel, self._kind)(self.path, *self._arguments, **self._options)


class _Recorder(grpc.Channel):
    """A channel that only notes which rpcs a stub has."""

    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Rpc("unary_unary", method, arguments, options)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Rpc("unary_stream", method, arguments, options)

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Rpc("stream_unary", method, arguments, options)

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _Rpc("stream_stream", method, arguments, options)

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """Nothing to watch."""

    def unsubscribe(self, callback: Any) -> None:
        """Nothing is watched."""

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> "_Recorder":
        return self

    def __exit__(self, *error: object) -> None:
        return None


class _Bound:
    """Stands in for the stub: an attribute for each rpc."""

    def __init__(self, link: Link, rpcs: dict[str, _Rpc], default_s: float, call: CurrentCall | None) -> None:
        self._link, self._rpcs, self._default_s, self._call = link, rpcs, default_s, call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        rpc = self._rpcs.get(name)
        if rpc is None:
            raise AttributeError(f"the contract has no rpc {name}")
        call = self._call or current_call()
        if call is None:
            raise RuntimeError(f"{rpc.path} was called outside of a call: bind the client to a context")
        return lambda request, timeout=None: self._run(rpc, call, request, timeout)

    def _run(self, rpc: _Rpc, call: CurrentCall, request: Any, timeout: float | None) -> Any:
        if rpc.streams:
            return _stream(self._link, rpc, request, write_context(call.context, current_traceparent()), timeout)
        until = min(call.until, time.monotonic() + (self._default_s if timeout is None else timeout))
        with client_span(rpc.path[1:]):
            return _unary(self._link, rpc, request, write_context(call.context, current_traceparent()), until)


def _unary(link: Link, rpc: _Rpc, request: Message, metadata: Metadata, until: float) -> Any:
    pause_s = _FIRST_PAUSE_S
    while True:
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise RemoteError("DEADLINE_EXCEEDED", PEER_DEADLINE, {})
        try:
            return link.callable(rpc.path, rpc.made_on)(request, timeout=left_s, metadata=metadata)
        except NoAddress:
            error = RemoteError("UNAVAILABLE", PEER_UNAVAILABLE, {})
        except grpc.RpcError as failed:
            error = from_call(failed)
        if error.code != "UNAVAILABLE":
            raise error from None
        # Full jitter keeps many callers of a restarted peer from coming back at the same moment.
        wait_s = pause_s * random.uniform(0.5, 1.0)
        if time.monotonic() + wait_s >= until:
            raise error from None
        time.sleep(wait_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _stream(link: Link, rpc: _Rpc, requests: Any, metadata: Metadata, timeout: float | None) -> Any:
    """A stream has no deadline and is not tried again: its caller knows what was acknowledged."""
    try:
        made = link.callable(rpc.path, rpc.made_on)(requests, timeout=timeout, metadata=metadata)
    except NoAddress:
        raise RemoteError("UNAVAILABLE", PEER_UNAVAILABLE, {}) from None
    except grpc.RpcError as failed:
        _raise(failed)
    return RemoteStream(made) if isinstance(made, grpc.Call) and isinstance(made, Iterable) else made


class RemoteStream:
    """Responses of a stream; RemoteError instead of grpc's own error. It just ends for whoever hangs up."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._hung_up = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as failed:
            if self._hung_up:
                raise StopIteration from None
            _raise(failed)

    def cancel(self) -> None:
        """Hangs up."""
        self._hung_up = True
        self._call.cancel()


def _raise(failed: grpc.RpcError) -> NoReturn:
    raise from_call(failed) from None
