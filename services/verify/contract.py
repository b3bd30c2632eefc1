"""The events of the contract, found in the generated files."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import saguaro
from chassis.fields import EventSpec, event_spec

_NOT_A_CONTEXT = ("chassis", "options", "policy")


@dataclass(frozen=True)
class KnownEvent:
    """An event of the contract: who sends it, its class and where it goes."""

    service: str
    message: type[Message]
    spec: EventSpec


@cache
def known_events() -> dict[str, KnownEvent]:
    """Every event by its full name, which is its CloudEvents type."""
    found = {}
    contexts = (item.name for item in pkgutil.iter_modules(saguaro.__path__) if item.name not in _NOT_A_CONTEXT)
    for context in sorted(contexts):
        module = import_module(f"saguaro.{context}.v1.events_pb2")
        for descriptor in module.DESCRIPTOR.message_types_by_name.values():
            spec = event_spec(descriptor)
            if spec is not None:
                found[spec.type_name] = KnownEvent(context, GetMessageClass(descriptor), spec)
    return found


@cache
def event_topics() -> frozenset[str]:
    """The topics that carry events; every other topic of the network is a stream."""
    return frozenset(event.spec.topic for event in known_events().values())
