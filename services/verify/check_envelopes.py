"""Every record of an event topic is a CloudEvent of the contract, and says nothing that names a person."""

from __future__ import annotations

from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from chassis.envelope import CONTENT_TYPE, SPEC_VERSION, parse_rfc3339
from chassis.fields import IDENTIFYING, UNSPECIFIED, class_of
from saguaro.chassis.v1 import events_pb2 as chassis_events
from verify.contract import KnownEvent
from verify.outcome import Check, Outcome
from verify.parsed import known, parse
from verify.topics import Logged
from verify.world import World

# CloudEvents 1.0 and its Kafka binding ask for the first five and content-type; the others are this network's own.
REQUIRED = (
    "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type", "ce_subject", "ce_partitionkey",
    "ce_sequence", "ce_correlationid", "ce_actor", "ce_role", "ce_purpose", "ce_recordedtime", "ce_schemaversion",
    "ce_fieldclass",
)  # fmt: skip
# May be there too; `ce_site` is empty for what spans the network.
ALLOWED = frozenset((*REQUIRED, "ce_site", "ce_causationid", "traceparent", "tracestate"))
_WATERMARK = frozenset(("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_recordedtime", "content-type"))


def envelopes(world: World) -> Outcome:
    """Headers, type, key and value of each record; and those of the watermarks."""
    outcome = Outcome()
    for records in world.log.records.values():
        for record in records:
            broken = _watermark_rules(record) if record.is_watermark else _event_rules(record)
            outcome.look(not broken, f"event {record.event_id} at {record.place}: {'; '.join(broken)}")
    return outcome


def _watermark_rules(record: Logged) -> list[str]:
    broken = [f"{name} is missing" for name in sorted(_WATERMARK) if not record.headers.get(name)]
    broken += _foreign(record, _WATERMARK)
    try:
        chassis_events.Watermark().ParseFromString(record.value or b"")
    except DecodeError:
        broken.append("its value is no watermark")
    if record.key is not None:
        broken.append("a watermark has a key")
    return broken


def _foreign(record: Logged, allowed: frozenset[str]) -> list[str]:
    return ["has a header that the envelope does not know"] if set(record.headers) - allowed else []


def _event_rules(record: Logged) -> list[str]:
    broken = [f"{name} is missing" for name in REQUIRED if not record.headers.get(name)]
    broken += _foreign(record, ALLOWED)
    broken += _form_rules(record)
    event = known(record)
    if event is None:
        return [*broken, "its type is not in the contract"]
    message = parse(record)
    if message is None:
        return [*broken, "its value is not of its type"]
    return broken + _contract_rules(record, event, message)


def _form_rules(record: Logged) -> list[str]:
    headers, broken = record.headers, []
    for name, expected in (("ce_specversion", SPEC_VERSION), ("content-type", CONTENT_TYPE)):
        if headers.get(name, expected) != expected:
            broken.append(f"{name} must be {expected}")
    for name in ("ce_id", "ce_correlationid", "ce_actor"):
        if headers.get(name) and not _well_formed(UUID, headers[name]):
            broken.append(f"{name} must be a UUID")
    for name in ("ce_time", "ce_recordedtime"):
        if headers.get(name) and not _well_formed(parse_rfc3339, headers[name]):
            broken.append(f"{name} must be a time with its offset")
    return broken


def _well_formed(read: object, text: str) -> bool:
    try:
        read(text)  # type: ignore[operator]
    except ValueError:
        return False
    return True


def _contract_rules(record: Logged, event: KnownEvent, message: Message) -> list[str]:
    headers, spec = record.headers, event.spec
    key = str(getattr(message, spec.key_field))
    rules = [
        (record.topic == spec.topic, "stands in another topic than its contract says"),
        (bool(key) and record.key == key.encode(), "its key is not the field that its contract says"),
        (headers.get("ce_partitionkey") == key, "ce_partitionkey is not its key"),
        (headers.get("ce_source") == f"/saguaro/{event.service}", "ce_source is not the service that owns it"),
        (headers.get("ce_fieldclass") == spec.field_class, "ce_fieldclass is not the class of its fields"),
        (headers.get("ce_schemaversion") == spec.type_name.split(".")[-2], "ce_schemaversion is not that of its type"),
    ]
    return [rule for holds, rule in rules if not holds]


def no_identifying_field(world: World) -> Outcome:
    """No field of class identifying, none without a class and none that the contract does not know, at any depth."""
    outcome = Outcome()
    for record in world.log.events():
        message = parse(record)
        if message is None:
            continue  # said by the check of envelopes
        broken = sorted(set(_fields_against(message)))
        outcome.look(not broken, f"event {record.event_id} at {record.place}: {'; '.join(broken)}")
    return outcome


def _fields_against(message: Message) -> list[str]:
    broken = []
    if len(UnknownFieldSet(message)):
        broken.append("has a field that the contract does not know")
    for field, value in message.ListFields():
        if field.full_name.startswith("saguaro.") and class_of(field) in (UNSPECIFIED, IDENTIFYING):
            broken.append(f"{field.full_name} may not be in an event")
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for item in value if field.is_repeated else (value,):
                broken += _fields_against(item)
    return broken


CHECKS = (Check("events.envelope", envelopes), Check("events.no_identifying_field", no_identifying_field))
