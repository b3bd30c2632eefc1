"""An api process from start to drain: gRPC servers over the index, and whatever else the service listens with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from chassis.process import Process, prepare_process

if TYPE_CHECKING:
    from chassis.database import Database
    from chassis.grpc_server import GrpcServers
    from chassis.grpc_servicer import StreamRpc
    from chassis.index import Service
    from chassis.peers import Peers
    from chassis.runner import Runner

READY_EVERY_S = 1.0


@dataclass(frozen=True)
class Api:
    """What a service's own parts of its api are made from."""

    index: Service
    process: Process
    database: Database
    peers: Peers
    runner: Runner


class Background(Protocol):
    """Something that runs beside the gRPC servers: an MLLP listener, a producer. Started when it is made."""

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where it listens, `host:port` by name, for the report."""
        ...

    def stop(self) -> None:
        """Take nothing more, finish what is under way, return within a few seconds."""
        ...


Bind = Callable[[Api], Mapping[str, "StreamRpc"]]
"""Makes the functions of the streaming rpcs, by rpc name."""


def run_api(
    index: Service,
    bind: Bind | None = None,
    background: Sequence[Callable[[Api], Background]] = (),
    *,
    needs: Iterable[str] = (),
) -> int:
    """Run the api of a service until SIGTERM or SIGINT; returns the exit code 0.

    `background` makes what else runs here, in order; it is stopped in reverse order after the gRPC servers.
    """
    process = prepare_process(index.name, "api", needs=needs)
    api = _build(index, process)
    process.await_schema(index, api.database)
    if process.stop.is_set():
        process.end()
        return 0
    streams = bind(api) if bind is not None else None
    extras = [make(api) for make in background]
    servers = _serve(api, streams)
    host = process.settings.grpc_listen.host
    addresses = {"grpc": f"{host}:{servers.port}"}
    if servers.stream_port is not None:
        addresses["stream"] = f"{host}:{servers.stream_port}"
    for extra in extras:
        addresses |= extra.addresses
    process.report(addresses)
    threading.Thread(target=_follow_readiness, args=(process, servers), name="grpc-ready", daemon=True).start()
    process.stop.wait()
    process.draining()
    # A second is kept for what comes after: connections, spans.
    servers.stop(max(0.5, process.settings.drain_seconds - 2.0))
    for extra in reversed(extras):
        extra.stop()
    api.database.dispose()
    process.end()
    return 0


def _build(index: Service, process: Process) -> Api:
    from chassis import paging  # noqa: PLC0415
    from chassis.peers import Peers  # noqa: PLC0415
    from chassis.runner import Runner  # noqa: PLC0415

    # One key for all api processes of a service: any of them may be asked for the next page.
    paging.use_key(process.settings.secret("page_token_key"))
    database = process.open_database()
    peers = Peers(process.settings.peers)
    return Api(index, process, database, peers, Runner(index, database, peers))


def _serve(api: Api, streams: Mapping[str, StreamRpc] | None) -> GrpcServers:
    from chassis import metrics, tracing  # noqa: PLC0415
    from chassis.grpc_server import ServerOptions, serve  # noqa: PLC0415
    from chassis.grpc_servicer import Instruments  # noqa: PLC0415

    settings = api.process.settings
    options = ServerOptions(
        host=settings.grpc_listen.host,
        port=settings.grpc_listen.port,
        threads=settings.grpc_threads,
        max_streams=settings.stream_limit,
    )
    if settings.stream_listen is not None:
        options = replace(options, stream_port=settings.stream_listen.port)
    return serve(api.index, api.runner, Instruments(tracing.server_span, metrics.rpc_finished), options, streams)


def _follow_readiness(process: Process, servers: GrpcServers) -> None:
    """Let gRPC's health service say what the health page says. Ends with the process."""
    while not process.stop.is_set():
        servers.set_ready(all(finding.ok for finding in process.health.ready()))
        process.stop.wait(READY_EVERY_S)
