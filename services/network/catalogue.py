"""The indexes of the five services, and the topics that follow from them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from network.roles import SERVICES
from network.topics import TopicSpec

if TYPE_CHECKING:
    from chassis.index import Service

PARTITIONS = 4
_DAY_MS = 86_400_000
# Business events hold nothing identifying and are the record: kept for ever. Frames are kept in PostgreSQL.
_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
_TWO_DAYS = {"retention.ms": str(2 * _DAY_MS), "cleanup.policy": "delete"}


def indexes() -> list[Service]:
    """The index of every service."""
    return [import_module(f"{service}.app").INDEX for service in SERVICES]


def topic_specs(services: list[Service]) -> list[TopicSpec]:
    """Every topic of the network: those of the events out, and the streams."""
    from chassis.relay import topics_out  # noqa: PLC0415

    events = sorted({topic for index in services for topic in topics_out(index)})
    streams = sorted({stream.topic for index in services for stream in index.streams})
    return [TopicSpec(name, PARTITIONS, _FOR_EVER) for name in events] + [
        TopicSpec(name, PARTITIONS, _TWO_DAYS) for name in streams
    ]
