"""The gRPC servers of an api process: one for commands, queries, health and reflection, one of its own for streams.

A sync stream holds a thread for its life, so streams have a pool that is as large as their number may be. Health and
reflection have threads of their own too: a full pool does not delay a health check.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from chassis.grpc_servicer import Caller, Handlers, Instruments, StreamRpc, handlers_of
from chassis.index import Service

# A peer that vanished without a word (power cut, cable) is noticed after these two together.
_KEEPALIVE_MS: Final = 20_000
_KEEPALIVE_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True)
class ServerOptions:
    """Sizes and addresses. Port 0 lets the system choose; the servers report what it chose."""

    host: str = "127.0.0.1"
    port: int = 0
    stream_port: int = 0
    # Calls worked on at once; the database pool should hold as many connections.
    threads: int = 16
    # Calls worked on or waiting for a thread; one more is refused RESOURCE_EXHAUSTED.
    max_calls: int = 128
    max_streams: int = 10
    max_message_bytes: int = 4 * 1024 * 1024
    # Several processes on one port, the kernel spreads connections. Off, or two networks could share a port unseen.
    reuse_port: bool = False


class GrpcServers:
    """The running servers. `stream_port` is None for a service without streams."""

    def __init__(self, options: ServerOptions, handlers: Handlers) -> None:
        self._health = health.HealthServicer()
        self._names = ["", *handlers.unary_names, *handlers.stream_names]
        self._pools: list[ThreadPoolExecutor] = []
        self._stopped = threading.Event()
        self._server = self._make(options, options.threads, options.max_calls, "grpc")
        self._server.add_generic_rpc_handlers(tuple(handlers.unary))
        self._add_health_and_reflection([*handlers.unary_names])
        self.port = self._bind(self._server, options.host, options.port)
        self._streams: grpc.Server | None = None
        self.stream_port: int | None = None
        if handlers.streams:
            self._streams = self._make(options, options.max_streams, options.max_streams, "grpc-stream")
            self._streams.add_generic_rpc_handlers(tuple(handlers.streams))
            self.stream_port = self._bind(self._streams, options.host, options.stream_port)
        self.set_ready(False)

    def start(self) -> None:
        """Answers from now on; health says NOT_SERVING until set_ready(True)."""
        self._server.start()
        if self._streams is not None:
            self._streams.start()

    def set_ready(self, ready: bool) -> None:
        """What health answers, for the process and for each of its services. Ignored once the servers stop."""
        serving = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in self._names:
            self._health.set(name, serving)

    def stop(self, grace_s: float = 10.0, stream_grace_s: float = 0.5) -> None:
        """Drains: health says NOT_SERVING, new calls are refused, running ones have `grace_s`; then they are cancelled.

        Streams never end by themselves, so they are cut after `stream_grace_s`; what was not acknowledged comes again.
        """
        self._health.enter_graceful_shutdown()
        ended = [self._server.stop(grace_s)]
        if self._streams is not None:
            ended.append(self._streams.stop(stream_grace_s))
        for event in ended:
            event.wait()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        self._stopped.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Blocks until stopped, or the time is over; whether it is stopped."""
        return self._stopped.wait(timeout_s)

    def _pool(self, threads: int, name: str) -> ThreadPoolExecutor:
        pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._pools.append(pool)
        return pool

    def _make(self, options: ServerOptions, threads: int, limit: int, name: str) -> grpc.Server:
        return grpc.server(
            self._pool(threads, name),
            maximum_concurrent_rpcs=limit,
            options=(
                ("grpc.so_reuseport", int(options.reuse_port)),
                ("grpc.max_receive_message_length", options.max_message_bytes),
                ("grpc.max_send_message_length", options.max_message_bytes),
                ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
                ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
                ("grpc.keepalive_permit_without_calls", 1),
                # Peers ping as often as we do; the default of five minutes would hang up on them.
                ("grpc.http2.min_recv_ping_interval_without_data_ms", _KEEPALIVE_MS // 2),
                ("grpc.http2.max_ping_strikes", 0),
            ),
        )

    @staticmethod
    def _bind(server: grpc.Server, host: str, port: int) -> int:
        """The bound port. RuntimeError when it is taken."""
        return server.add_insecure_port(f"{host}:{port}")

    def _add_health_and_reflection(self, names: list[str]) -> None:
        checks = self._pool(1, "grpc-health")
        health_pb2_grpc.add_HealthServicer_to_server(
            _Named(
                Check=_InPool(self._health.Check, checks),
                List=_InPool(self._health.List, checks),  # type: ignore[attr-defined]
                Watch=_InPool(self._health.Watch, checks, non_blocking=True),
            ),
            self._server,
        )
        names = [*names, health.SERVICE_NAME, reflection.SERVICE_NAME]
        reflect = reflection.ReflectionServicer(names)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(  # type: ignore[no-untyped-call]
            _Named(ServerReflectionInfo=_InPool(reflect.ServerReflectionInfo, self._pool(1, "grpc-reflection"))),
            self._server,
        )


def serve(
    index: Service,
    runner: Caller,
    instruments: Instruments,
    options: ServerOptions | None = None,
    streams: Mapping[str, StreamRpc] | None = None,
) -> GrpcServers:
    """Servers of an index, started. ValueError when index and contract differ, RuntimeError when a port is taken."""
    servers = GrpcServers(options or ServerOptions(), handlers_of(index, runner, instruments, streams))
    servers.start()
    return servers


class _InPool:
    """A handler with a pool of its own. grpc looks for these attributes on the function that it is given."""

    def __init__(self, behaviour: Callable[..., Any], pool: ThreadPoolExecutor, non_blocking: bool = False) -> None:
        self._behaviour = behaviour
        self.experimental_thread_pool = pool
        # A non-blocking stream (Watch) gives its thread back between two answers.
        self.experimental_non_blocking = non_blocking

    def __call__(self, *arguments: Any) -> Any:
        return self._behaviour(*arguments)


class _Named:
    """A servicer made of single handlers. Typed Any, because generated code asks for its own base class."""

    def __new__(cls, **handlers: _InPool) -> Any:
        made = super().__new__(cls)
        vars(made).update(handlers)
        return made
