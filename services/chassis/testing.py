"""A service on a real database without gRPC or Kafka: the composition root's twin for tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message
from sqlalchemy import text

from chassis.consumer import Reader
from chassis.context import RequestContext
from chassis.database import Database
from chassis.envelope import headers_of, wire_headers
from chassis.fields import key_of, spec_of
from chassis.grpc_validate import validate
from chassis.index import Service
from chassis.records import Record
from chassis.runner import Runner

DEFAULT_TIME = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)


@dataclass
class PublishedEvent:
    """An event as it lies in the outbox."""

    message: Any
    topic: str
    key: str
    sequence: int
    headers: Mapping[str, str]


@dataclass
class ServiceHarness:
    """Calls commands, delivers events and reads the outbox of one service."""

    index: Service
    database: Database
    actor_id: UUID = field(default_factory=uuid4)
    site_id: str = ""
    correlation_id: UUID = field(default_factory=uuid4)
    peers: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runner = Runner(self.index, self.database, _Peers(self.peers))
        self.reader = Reader(self.index, self.database)
        self._sequences: dict[tuple[str, str], int] = {}
        self._offsets: dict[str, int] = {}

    def context(
        self, role: str = "operator", at: datetime | None = None, actor_id: UUID | None = None
    ) -> RequestContext:
        """A caller's context; clinic time is `at`."""
        return RequestContext(
            actor_id=actor_id or self.actor_id,
            role=role,
            site_id=self.site_id,
            purpose="treatment",
            correlation_id=self.correlation_id,
            clinic_time=at or DEFAULT_TIME,
        )

    def call(
        self,
        rpc: str,
        request: Message,
        *,
        role: str = "operator",
        at: datetime | None = None,
        actor_id: UUID | None = None,
        deadline_s: float = 10.0,
    ) -> Any:
        """Runs an rpc as the api would: validation, role, request id, transaction. A write without request_id gets a fresh one."""
        if "request_id" in request.DESCRIPTOR.fields_by_name and not getattr(request, "request_id"):  # noqa: B009
            request = type(request).FromString(request.SerializeToString())
            setattr(request, "request_id", str(uuid4()))  # noqa: B010
        validate(request)
        return self.runner.call(rpc, request, self.context(role, at, actor_id), deadline_s)

    def record_of(
        self, event: Message, *, at: datetime | None = None, event_id: UUID | None = None, sequence: int | None = None
    ) -> Record:
        """The Kafka record that another service's relay would have written for `event`."""
        spec, key = spec_of(event), key_of(event)
        place = (spec.topic, key)
        if sequence is None:
            sequence = self._sequences.get(place, 0) + 1
        self._sequences[place] = max(sequence, self._sequences.get(place, 0))
        headers = headers_of(
            event_id=event_id or uuid4(),
            source="test",
            spec=spec,
            key=key,
            context=self.context("operator", at),
            recorded_at=datetime.now(UTC),
            traceparent=None,
        )
        headers["ce_sequence"] = str(sequence)
        offset = self._offsets.get(spec.topic, 0)
        self._offsets[spec.topic] = offset + 1
        return Record(
            spec.topic, 0, offset, key.encode(), event.SerializeToString(), tuple(wire_headers(headers)), offset
        )

    def deliver_records(self, *records: Record) -> list[str]:
        """Applies records as one polled batch would be, each topic apart; returns what became of each."""
        results: list[str] = []
        for record in records:
            self.reader.ensure_offset(record.topic, record.partition, record.offset)
            results.extend(self.reader.apply(record.topic, record.partition, [record], expected=record.offset))
        self.reader.retry_waiting()
        return results

    def deliver(
        self, event: Message, *, at: datetime | None = None, event_id: UUID | None = None, sequence: int | None = None
    ) -> str:
        """Applies one event: "applied", "duplicate", "early" (it waits), "follower" or "poison" (parked)."""
        return self.deliver_records(self.record_of(event, at=at, event_id=event_id, sequence=sequence))[0]

    def events(self, kind: type[Message] | None = None) -> list[Any]:
        """The events in the outbox, oldest first; only those of `kind` when given."""
        found = [item.message for item in self.published()]
        return found if kind is None else [item for item in found if isinstance(item, kind)]

    def published(self) -> list[PublishedEvent]:
        """The outbox, oldest first, with headers."""
        import json  # noqa: PLC0415

        module = import_module(self.index.events_module)
        with self.database.engine.connect() as connection:
            rows = connection.execute(text("SELECT topic, key, sequence, headers, value FROM outbox ORDER BY id")).all()
        found = []
        for row in rows:
            headers = json.loads(row.headers)
            message = getattr(module, headers["ce_type"].rsplit(".", 1)[1])()
            message.ParseFromString(bytes(row.value))
            found.append(PublishedEvent(message, row.topic, row.key, row.sequence, headers))
        return found


class _Peers:
    """Attribute access to the harness's fake peers."""

    def __init__(self, peers: dict[str, Any]) -> None:
        self._peers = peers

    def __getattr__(self, name: str) -> Any:
        return self._peers[name]
