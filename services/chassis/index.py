"""The table of contents of a service: commands, queries, events in, timers. Everything else is made from it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import MetaData

from chassis.errors import SaguaroError
from chassis.policy import Policy

# Ids and other non-identifying scalars of a result, from which the answer is built, also when the call is repeated.
Ids = dict[str, str]
# Empty: any role may call.
Roles = frozenset[str]
ANY_ROLE: Roles = frozenset()


@dataclass(frozen=True)
class Command:
    """A write in one transaction. `handle(uow, request) -> Ids`, `answer(uow, ids) -> response`."""

    rpc: str
    request: type[Message]
    handle: Callable[[Any, Any], Ids]
    answer: Callable[[Any, Ids], Message]
    roles: Roles = ANY_ROLE


@dataclass(frozen=True)
class RemoteCommand:
    """A write that must ask another service first: read, ask with no transaction open, write.

    `prepare(uow, request) -> question`, `ask(peers, request, question, context) -> reply`,
    `apply(uow, request, question, reply) -> Ids`, `answer(uow, ids) -> response`.
    """

    rpc: str
    request: type[Message]
    prepare: Callable[[Any, Any], Any]
    ask: Callable[[Any, Any, Any, Any], Any]
    apply: Callable[[Any, Any, Any, Any], Ids]
    answer: Callable[[Any, Ids], Message]
    roles: Roles = ANY_ROLE


@dataclass(frozen=True)
class Query:
    """A read. `handle(uow, request) -> response`; the transaction is read-only."""

    rpc: str
    request: type[Message]
    handle: Callable[[Any, Any], Message]
    roles: Roles = ANY_ROLE


@dataclass(frozen=True)
class RemoteQuery:
    """A read that joins another service's answer: read, ask with no transaction open, compose. Nothing is written.

    `prepare(uow, request) -> question` (read-only), `ask(peers, request, question, context) -> reply`,
    `answer(request, question, reply) -> response`.
    """

    rpc: str
    request: type[Message]
    prepare: Callable[[Any, Any], Any]
    ask: Callable[[Any, Any, Any, Any], Any]
    answer: Callable[[Any, Any, Any], Message]
    roles: Roles = ANY_ROLE


@dataclass(frozen=True)
class EventIn:
    """An event of another service (or of our own) and what is done about it: `react(uow, event) -> None`."""

    message: type[Message]
    react: Callable[[Any, Any], None]


@dataclass(frozen=True)
class Stream:
    """A set-wise reader of a topic whose records are no business events (device frames).

    `handle_batch(uow, records)` gets a list of chassis.consumer.Record in one transaction with the topic's offset; no inbox.
    """

    topic: str
    handle_batch: Callable[[Any, Sequence[Any]], None]


@dataclass(frozen=True)
class Timer:
    """Work by the wall: `run(uow) -> None` about every `every_seconds`, in one process at a time."""

    name: str
    every_seconds: float
    run: Callable[[Any], None]


@dataclass(frozen=True)
class Service:
    """The index of one service. See docs/chassis.md."""

    name: str
    grpc_services: tuple[str, ...]
    events_module: str
    metadata: MetaData
    migrations: str
    required_revision: str
    commands: tuple[Command | RemoteCommand, ...] = ()
    queries: tuple[Query | RemoteQuery, ...] = ()
    events_in: tuple[EventIn, ...] = ()
    streams: tuple[Stream, ...] = ()
    timers: tuple[Timer, ...] = ()
    # Database constraint name -> the error that its breach means.
    constraints: Mapping[str, SaguaroError] = field(default_factory=dict)
    # Its policy tables. With any, the service answers saguaro.policy.v1.PolicyService too.
    policies: tuple[Policy, ...] = ()

    def __post_init__(self) -> None:
        if not self.policies:
            return
        # Late, as the rows of PolicyService are themselves rows of an index.
        from chassis.policy_rpcs import GRPC_SERVICE, rows_of  # noqa: PLC0415

        commands, queries = rows_of(self.policies)
        object.__setattr__(self, "grpc_services", (*self.grpc_services, GRPC_SERVICE))
        object.__setattr__(self, "commands", (*self.commands, *commands))
        object.__setattr__(self, "queries", (*self.queries, *queries))
