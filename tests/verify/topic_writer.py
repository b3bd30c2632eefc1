"""Writes records to topics as a relay would, or as none ever should."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message

from chassis.context import RequestContext
from chassis.envelope import NOBODY, headers_of, watermark_headers, wire_headers
from chassis.fields import key_of, spec_of
from chassis.values import to_timestamp
from saguaro.chassis.v1 import events_pb2 as chassis_events
from tests.verify.rows_of_a_day import START, uid

Headers = Mapping[str, str | None]
# The topics that the tests write to.
TOPICS = ("saguaro.intake.person", "saguaro.intake.consent", "saguaro.device_telemetry.infusion")
# A topic that was made this moment may need a while for its leader on a busy machine.
_ACK_S = 60.0


class TopicWriter:
    """One producer; `send` waits until the broker has the record."""

    def __init__(self, bootstrap: str) -> None:
        from kafka import KafkaProducer

        self.bootstrap = bootstrap
        self._producer: Any = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
        self._last: dict[tuple[str, str], int] = {}

    def close(self) -> None:
        """Closes the producer."""
        self._producer.close()

    def event(
        self,
        event: Message,
        *,
        sequence: int | None = None,
        event_id: UUID | None = None,
        headers: Headers | None = None,
        topic: str | None = None,
        key: bytes | None = None,
        value: bytes | None = None,
    ) -> UUID:
        """Sends an event with its right envelope, except for what is given; a header of None is left out. Returns its id."""
        spec = spec_of(event)
        place = (spec.topic, key_of(event))
        number = self._last.get(place, 0) + 1 if sequence is None else sequence
        self._last[place] = max(number, self._last.get(place, 0))
        identity = event_id or uuid4()
        made: dict[str, str | None] = dict(
            headers_of(
                event_id=identity,
                source=spec.type_name.split(".")[1],
                spec=spec,
                key=place[1],
                context=RequestContext(NOBODY, "service", "", "treatment", uid(40), START),
                recorded_at=datetime.now(UTC),
                traceparent=None,
            )
        )
        made |= {"ce_sequence": str(number), **(headers or {})}
        wire = wire_headers({name: text for name, text in made.items() if text is not None})
        body = event.SerializeToString() if value is None else value
        self._producer.send(
            topic or spec.topic, value=body, key=place[1].encode() if key is None else key, headers=wire
        ).get(timeout=_ACK_S)
        return identity

    def watermark(self, topic: str, service: str) -> None:
        """Sends a watermark to every partition of a topic."""
        now = datetime.now(UTC)
        value = chassis_events.Watermark(service=service, complete_until=to_timestamp(now)).SerializeToString()
        headers = wire_headers(watermark_headers(service, uuid4(), now))
        for partition in self._producer.partitions_for(topic):
            self._producer.send(topic, value=value, partition=partition, headers=headers).get(timeout=_ACK_S)
