"""The events of the topics as messages, each once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError, Message

from verify.contract import KnownEvent, known_events
from verify.topics import Logged
from verify.world import World


def known(record: Logged) -> KnownEvent | None:
    """The event that a record says it is, or None when the contract has none of that name."""
    return known_events().get(record.headers.get("ce_type", ""))


def parse(record: Logged) -> Message | None:
    """The message of a record, or None when its type is unknown or its bytes are none of that type."""
    event = known(record)
    if event is None or record.value is None:
        return None
    message = event.message()
    try:
        message.ParseFromString(record.value)
    except DecodeError:
        return None
    return message


def events_of(world: World, *names: str) -> Iterator[Any]:
    """The messages of these names; a record that came twice counts once."""
    wanted = {name for name in known_events() if name.rsplit(".", 1)[1] in names}
    seen: set[str] = set()
    for record in world.log.events():
        if record.headers.get("ce_type") in wanted and record.event_id not in seen:
            seen.add(record.event_id)
            message = parse(record)
            if message is not None:
                yield message
