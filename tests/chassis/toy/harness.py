"""Records as other services would send them, and what the toy has heard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from google.protobuf.message import Message
from sqlalchemy import text

from chassis.consumer import Reader
from chassis.context import RequestContext
from chassis.database import Database
from chassis.envelope import headers_of, wire_headers
from chassis.fields import key_of, spec_of
from chassis.records import Record
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from tests.chassis.toy.app import INDEX

EPISODE = UUID(int=7)


def name(word: str) -> str:
    """A stable UUID of a word."""
    return str(uuid5(NAMESPACE_OID, word))


def plan(person: str, word: str) -> plan_events.PlanSigned:
    """A plan of a person."""
    return plan_events.PlanSigned(plan_id=name(word), person_id=name(person), site_id=name("site"))


def order(person: str, word: str, of_plan: str) -> plan_events.OrderIssued:
    """An order that needs a plan."""
    return plan_events.OrderIssued(
        order_id=name(word), plan_id=name(of_plan), person_id=name(person), site_id=name("site")
    )


def headers_for(event: Message, sequence: int) -> dict[str, str]:
    """The headers that a relay would send."""
    spec, key = spec_of(event), key_of(event)
    context = RequestContext(UUID(int=1), "nurse", "", "treatment", EPISODE, datetime(2026, 7, 15, 16, tzinfo=UTC))
    headers = headers_of(
        event_id=uuid5(NAMESPACE_OID, f"{spec.topic}{key}{sequence}"),
        source="test",
        spec=spec,
        key=key,
        context=context,
        recorded_at=datetime.now(UTC),
        traceparent=None,
    )
    return headers | {"ce_sequence": str(sequence)}


@dataclass
class Log:
    """Partitions in memory: what was appended gets the next offset."""

    database: Database
    reader: Reader = field(init=False)
    records: dict[str, list[Record]] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reader = Reader(INDEX, self.database)

    def append(self, event: Message, sequence: int, *, value: bytes | None = None, drop: Sequence[str] = ()) -> Record:
        """Adds an event; `value` replaces its bytes, `drop` removes headers, as a torn record would have it."""
        topic = spec_of(event).topic
        headers = {name: text for name, text in headers_for(event, sequence).items() if name not in drop}
        partition = self.records.setdefault(topic, [])
        body = event.SerializeToString() if value is None else value
        record = Record(topic, 0, len(partition), key_of(event).encode(), body, tuple(wire_headers(headers)), 0)
        partition.append(record)
        return record

    def again(self, record: Record) -> None:
        """The same record a second time, at a later offset."""
        partition = self.records[record.topic]
        partition.append(Record(record.topic, 0, len(partition), record.key, record.value, record.headers, 0))

    def poll(self, topic: str, most: int = 500) -> list[str]:
        """Applies the next records of a topic; returns what became of each."""
        at = self.reader.ensure_offset(topic, 0, 0)
        batch = self.records.get(topic, [])[at : at + most]
        return self.reader.apply(topic, 0, batch, expected=at)

    def poll_all(self) -> list[str]:
        """Applies everything there is."""
        return [result for topic in list(self.records) for result in self.poll(topic)]

    def heard(self, kind: str | None = None, key: str | None = None) -> list[str]:
        """What the toy kept, in order."""
        with self.database.engine.connect() as connection:
            rows = connection.execute(text("SELECT kind, key, what FROM heard ORDER BY n")).all()
        return [row.what for row in rows if kind in (None, row.kind) and key in (None, row.key)]

    def parked(self) -> list[tuple[str, str]]:
        """Reason and rule of what is parked."""
        with self.database.engine.connect() as connection:
            rows = connection.execute(text("SELECT reason, rule FROM parked ORDER BY topic, key, sequence")).all()
        return [(row.reason, row.rule) for row in rows]
