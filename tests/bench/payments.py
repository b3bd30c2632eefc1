"""Events of about 400 bytes with their headers, as a service's outbox holds them, and the same as Kafka records."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.context import RequestContext
from chassis.envelope import WATERMARK_TYPE, headers_of, text_headers, wire_headers
from chassis.fields import spec_of
from saguaro.billing.v1 import events_pb2 as events
from tests.bench.fair import Arrived

PEOPLE = 200
_NOON = datetime(2026, 7, 15, 19, tzinfo=UTC)


@dataclass(frozen=True)
class Payment:
    """One event, ready to be sent."""

    payment_id: str
    key: str
    sequence: int
    headers: dict[str, str]
    value: bytes

    def wire(self) -> list[tuple[str, bytes]]:
        """Headers as the relay sends them."""
        return wire_headers({**self.headers, "ce_sequence": str(self.sequence)})


def payments(number: int) -> list[Payment]:
    """`number` payments of 200 people in turn, the versions of each counted from 1."""
    spec = spec_of(events.PaymentReceived())
    context = RequestContext(UUID(int=1), "biller", str(UUID(int=2)), "payment", UUID(int=3), _NOON, traceparent=None)
    made = []
    for n in range(number):
        person = str(UUID(int=0xA000 + n % PEOPLE))
        payment_id = str(UUID(int=(7 << 64) + n))
        event = events.PaymentReceived(
            payment_id=payment_id,
            invoice_id=payment_id,
            person_id=person,
            site_id=str(UUID(int=2)),
            amount_usd="475.00",
        )
        event.received_at.FromDatetime(_NOON)
        headers = headers_of(
            event_id=UUID(payment_id),
            source="bench",
            spec=spec,
            key=person,
            context=context,
            recorded_at=datetime.now(UTC),
            traceparent=f"00-{n + 1:032x}-{n + 1:016x}-01",
        )
        made.append(Payment(payment_id, person, n // PEOPLE + 1, headers, event.SerializeToString()))
    return made


def on_topic(bootstrap: str, topic: str) -> tuple[Arrived, bool]:
    """What lies on the topic, watermarks aside, and whether each key's versions follow each other."""
    from kafka import KafkaConsumer, TopicPartition

    consumer: Any = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    consumer.seek_to_beginning()
    found, last, ordered = [], dict[bytes, int](), True
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                headers = text_headers(record.headers)
                if headers["ce_type"] != WATERMARK_TYPE:
                    found.append(headers["ce_id"])
                    sequence = int(headers["ce_sequence"])
                    ordered = ordered and sequence == last.get(record.key, 0) + 1
                    last[record.key] = sequence
    consumer.close()
    return Arrived.of(found), ordered
