"""The four classes of field and the event option, read from the contract and enforced."""

from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.message import Message

from saguaro.options.v1 import options_pb2 as options

NONE = int(options.FIELD_CLASS_NONE)
PSEUDONYMOUS = int(options.FIELD_CLASS_PSEUDONYMOUS)
CLINICAL = int(options.FIELD_CLASS_CLINICAL)
IDENTIFYING = int(options.FIELD_CLASS_IDENTIFYING)
UNSPECIFIED = int(options.FIELD_CLASS_UNSPECIFIED)
CLASS_NAMES: dict[int, str] = {
    UNSPECIFIED: "unspecified",
    NONE: "none",
    PSEUDONYMOUS: "pseudonymous",
    CLINICAL: "clinical",
    IDENTIFYING: "identifying",
}


@dataclass(frozen=True)
class EventSpec:
    """Where an event goes. `type_name` is its full protobuf name and its CloudEvents type."""

    type_name: str
    topic: str
    key_field: str
    strict: bool
    # The highest class among its fields.
    field_class: str


def class_of(field: FieldDescriptor) -> int:
    """The field's class: its own, or its message's default; UNSPECIFIED when neither says."""
    own = int(field.GetOptions().Extensions[options.field_class])
    if own != UNSPECIFIED:
        return own
    holder = field.containing_type
    return UNSPECIFIED if holder is None else int(holder.GetOptions().Extensions[options.default_class])


def _walk(descriptor: Descriptor, seen: set[str]) -> list[FieldDescriptor]:
    if descriptor.full_name in seen:
        return []
    seen.add(descriptor.full_name)
    found: list[FieldDescriptor] = []
    for item in descriptor.fields:
        found.append(item)
        if item.message_type is not None and item.message_type.full_name.startswith("saguaro."):
            found.extend(_walk(item.message_type, seen))
    return found


@cache
def event_spec(descriptor: Descriptor) -> EventSpec | None:
    """The event option of a message, or None when it is no event. Raises ValueError for an event that breaks a rule."""
    message_options = descriptor.GetOptions()
    if not message_options.HasExtension(options.event):
        return None
    event = message_options.Extensions[options.event]
    broken = broken_rules(descriptor)
    if broken:
        raise ValueError("; ".join(broken))
    highest = max((class_of(item) for item in _walk(descriptor, set())), default=NONE)
    return EventSpec(descriptor.full_name, event.topic, event.key, event.strict, CLASS_NAMES[highest])


def broken_rules(descriptor: Descriptor) -> list[str]:
    """What a message of the contract breaks: a field without a class; for events, an identifying field or a bad key."""
    broken = [
        f"{item.full_name}: has no field class" for item in _walk(descriptor, set()) if class_of(item) == UNSPECIFIED
    ]
    message_options = descriptor.GetOptions()
    if message_options.HasExtension(options.event):
        event = message_options.Extensions[options.event]
        broken += [
            f"{descriptor.full_name}: {item.full_name} is identifying; events carry none"
            for item in _walk(descriptor, set())
            if class_of(item) == IDENTIFYING
        ]
        key = descriptor.fields_by_name.get(event.key)
        if key is None or key.type != FieldDescriptor.TYPE_STRING:
            broken.append(f"{descriptor.full_name}: its key {event.key!r} is not a string field of it")
        elif class_of(key) not in (NONE, PSEUDONYMOUS):
            broken.append(f"{descriptor.full_name}: its key {event.key!r} must be pseudonymous or none")
        if not event.topic.startswith("saguaro."):
            broken.append(f"{descriptor.full_name}: its topic must begin with 'saguaro.'")
    return broken


def broken_in_file(file: FileDescriptor) -> list[str]:
    """Every rule that a file of the contract breaks."""
    broken = [rule for message in file.message_types_by_name.values() for rule in broken_rules(message)]
    if file.name.endswith("events.proto"):
        broken += [
            f"{message.full_name}: {item.name} is identifying; an events.proto holds none"
            for message in file.message_types_by_name.values()
            for item in message.fields
            if class_of(item) == IDENTIFYING
        ]
    return sorted(set(broken))


def spec_of(message: Message) -> EventSpec:
    """The event option of a message; ValueError when it is no event."""
    spec = event_spec(message.DESCRIPTOR)
    if spec is None:
        raise ValueError(f"{message.DESCRIPTOR.full_name} is not an event: it has no event option")
    return spec


def key_of(message: Message) -> str:
    """The record key of an event; ValueError when the field is empty."""
    spec = spec_of(message)
    key = str(getattr(message, spec.key_field))
    if not key:
        raise ValueError(f"{spec.type_name}.{spec.key_field} is empty: an event needs its key")
    return key
