"""The outbox: an event is written in the transaction that changes the state; the relay brings it to Kafka.

Order is promised for each (topic, key). Identities are given before commit, so two transactions could commit in the other
order than they took their numbers; the row lock on `event_sequence`, held until commit, makes the later one wait, and gives
the aggregate's version at the same time.
"""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from google.protobuf.message import Message

from chassis import tracing
from chassis.envelope import headers_of
from chassis.fields import key_of, spec_of

if TYPE_CHECKING:
    from chassis.unit_of_work import UnitOfWork

RELAY_CHANNEL = "saguaro_outbox"

_PUT = f"""
WITH version AS (
    INSERT INTO event_sequence (topic, key, last) VALUES (%(topic)s, %(key)s, 1)
    ON CONFLICT (topic, key) DO UPDATE SET last = event_sequence.last + 1
    RETURNING last
), wake AS (
    SELECT pg_notify('{RELAY_CHANNEL}', '') FROM relay_idle WHERE idle
), kept AS (
    INSERT INTO outbox (event_id, topic, key, sequence, headers, value)
    SELECT %(event_id)s, %(topic)s, %(key)s, version.last, %(headers)s, %(value)s FROM version
)
SELECT count(*) FROM wake
"""


def put(uow: "UnitOfWork", event: Message, event_id: UUID) -> None:
    """Inserts the event. ValueError for a message that is no event, has no key or is too large."""
    spec = spec_of(event)
    key = key_of(event)
    value = event.SerializeToString(deterministic=True)
    if len(value) > uow.max_event_bytes:
        raise ValueError(f"{spec.type_name} is larger than {uow.max_event_bytes} bytes")
    traceparent = tracing.create_span(spec.type_name, spec.topic, uow.context)
    headers = headers_of(
        event_id=event_id,
        source=uow.service,
        spec=spec,
        key=key,
        context=uow.context,
        recorded_at=datetime.now(UTC),
        traceparent=traceparent,
    )
    uow.driver.execute(
        _PUT,
        {"topic": spec.topic, "key": key, "event_id": event_id, "headers": json.dumps(headers), "value": value},
        prepare=True,
    )
