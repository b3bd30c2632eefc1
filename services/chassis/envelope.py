"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, the protobuf in the value, the partition key in the key.

Headers hold ids, codes and times only. Beside the standard attributes: ce_actor, ce_role, ce_site, ce_purpose,
ce_causationid, ce_correlationid (the care episode), ce_sequence (the aggregate's version), ce_recordedtime (machine time of
the insert), ce_schemaversion and ce_fieldclass.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.message import Message

from chassis.context import SERVICE_ROLE, RequestContext
from chassis.errors import Poison
from chassis.fields import EventSpec

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/protobuf"
WATERMARK_TYPE = "saguaro.chassis.v1.Watermark"
# Who acts where no person does.
NOBODY = UUID(int=0)

# What an index of the database can hold with room to spare; our own ids are far shorter.
_MAX_TEXT = 200
_MAX_SEQUENCE = 2**63 - 1
_REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_sequence", "ce_correlationid")


def rfc3339(moment: datetime) -> str:
    """UTC with microseconds and a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_rfc3339(text: str) -> datetime:
    """An aware datetime. ValueError without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset")
    return moment.astimezone(UTC)


@dataclass(frozen=True)
class Envelope:
    """What is known of an event without reading its value."""

    event_id: str
    source: str
    type_name: str
    key: str
    sequence: int
    context: RequestContext
    headers: Mapping[str, str]


def headers_of(
    *,
    event_id: UUID,
    source: str,
    spec: EventSpec,
    key: str,
    context: RequestContext,
    recorded_at: datetime,
    traceparent: str | None,
) -> dict[str, str]:
    """The headers of a new event. The relay adds ce_sequence, which the database gives."""
    headers = {
        "ce_specversion": SPEC_VERSION,
        "ce_id": str(event_id),
        "ce_source": f"/saguaro/{source}",
        "ce_type": spec.type_name,
        "ce_subject": key,
        "ce_time": rfc3339(context.clinic_time),
        "ce_partitionkey": key,
        "ce_actor": str(context.actor_id),
        "ce_role": context.role,
        "ce_site": context.site_id,
        "ce_purpose": context.purpose,
        "ce_correlationid": str(context.correlation_id),
        "ce_recordedtime": rfc3339(recorded_at),
        "ce_schemaversion": spec.type_name.split(".")[-2],
        "ce_fieldclass": spec.field_class,
        "content-type": CONTENT_TYPE,
    }
    if context.causation_id is not None:
        headers["ce_causationid"] = context.causation_id
    if traceparent is not None:
        headers["traceparent"] = traceparent
    return headers


def watermark_headers(source: str, event_id: UUID, now: datetime) -> dict[str, str]:
    """The headers of a watermark: it has no key, no sequence and no clinic time, as it says nothing of the clinic."""
    return {
        "ce_specversion": SPEC_VERSION,
        "ce_id": str(event_id),
        "ce_source": f"/saguaro/{source}",
        "ce_type": WATERMARK_TYPE,
        "ce_recordedtime": rfc3339(now),
        "content-type": CONTENT_TYPE,
    }


def text_headers(pairs: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Kafka's header pairs as text; bytes that are no text are replaced, so that a torn header shows and can be kept."""
    return {printable(name): printable((value or b"").decode("utf-8", "replace")) for name, value in pairs}


def printable(text: str) -> str:
    """The text without what PostgreSQL cannot hold in one: U+0000 and lone surrogates are replaced."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def wire_headers(headers: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Text headers as Kafka takes them."""
    return [(name, value.encode()) for name, value in headers.items()]


def read_envelope(key: bytes | None, headers: Mapping[str, str]) -> Envelope:
    """The envelope of a record. Poison naming the header that is missing or malformed."""
    for name in _REQUIRED:
        if not headers.get(name):
            raise Poison(f"{name}: must be there")
    if headers["ce_specversion"] != SPEC_VERSION:
        raise Poison("ce_specversion: must be 1.0")
    if key is None:
        raise Poison("key: must be there")
    try:
        context = RequestContext(
            actor_id=UUID(headers["ce_actor"]) if headers.get("ce_actor") else NOBODY,
            role=SERVICE_ROLE,
            site_id=headers.get("ce_site", ""),
            purpose=headers.get("ce_purpose", ""),
            correlation_id=UUID(headers["ce_correlationid"]),
            clinic_time=parse_rfc3339(headers["ce_time"]),
            causation_id=headers["ce_id"],
            traceparent=headers.get("traceparent"),
        )
        sequence = int(headers["ce_sequence"])
        key_text = key.decode("utf-8")
    except (ValueError, OverflowError):
        raise Poison("ce_time, ce_sequence, ce_actor, ce_correlationid or key: must be well formed") from None
    if not 1 <= sequence <= _MAX_SEQUENCE:
        raise Poison("ce_sequence: must be a version, counted from 1")
    if "\x00" in key_text or len(key_text) > _MAX_TEXT or len(headers["ce_id"]) > _MAX_TEXT:
        raise Poison(f"key, ce_id: must be text of at most {_MAX_TEXT} characters")
    return Envelope(headers["ce_id"], headers["ce_source"], headers["ce_type"], key_text, sequence, context, headers)


def read_value(message: type[Message], value: bytes | None) -> Message:
    """The event itself. Poison when the bytes are not one."""
    if value is None:
        raise Poison("value: must be there")
    event = message()
    try:
        event.ParseFromString(value)
    except Exception:  # noqa: BLE001
        raise Poison("value: must be a well-formed protobuf of its type") from None
    return event
