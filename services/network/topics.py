"""Topics as declared: made if they are missing, their settings brought into line, their partitions never touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType, KafkaAdminClient

_EXISTS = 36  # TOPIC_ALREADY_EXISTS
_SET_FOR_THIS_TOPIC = "DYNAMIC_TOPIC_CONFIG"


@dataclass(frozen=True)
class TopicSpec:
    """One topic as it shall be. `replication` -1 is the broker's default: 1 alone, 3 in a cluster of three."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    replication: int = -1


class TopicsDiffer(Exception):
    """A topic exists with another number of partitions than declared."""


class TopicRefused(Exception):
    """The broker refused to make a topic."""


def ensure_topics(bootstrap: str | Sequence[str], specs: Iterable[TopicSpec], timeout: float = 10.0) -> list[str]:
    """Bring the topics in line with what is declared and return the names of those made now; safe to repeat.

    Returns when every partition has a leader. A setting that is no longer declared goes back to the broker's default.
    """
    wanted = {spec.name: spec for spec in specs}
    if not wanted:
        return []
    # Short time-outs: the broker is here or it is not, and a lost request is cheaper to repeat than to wait for.
    admin = KafkaAdminClient(
        bootstrap_servers=bootstrap,
        client_id="saguaro-topics",
        request_timeout_ms=5_000,
        bootstrap_timeout_ms=int(timeout * 1_000),
        reconnect_backoff_max_ms=200,
    )
    try:
        made = _create(admin, wanted)
        admin.wait_for_topics(list(wanted), timeout_ms=int(timeout * 1_000))
        kept = [spec for name, spec in wanted.items() if name not in made]
        if kept:
            _check_partitions(admin, kept)
            _align_settings(admin, kept)
    finally:
        admin.close()
    return made


def _create(admin: Any, wanted: Mapping[str, TopicSpec]) -> list[str]:
    answer = admin.create_topics(
        {
            spec.name: {
                "num_partitions": spec.partitions,
                "replication_factor": spec.replication,
                "configs": dict(spec.config),
            }
            for spec in wanted.values()
        },
        raise_errors=False,
    )
    refused = [topic for topic in answer["topics"] if topic["error_code"] not in (0, _EXISTS)]
    if refused:
        raise TopicRefused("; ".join(f"{topic['name']}: {topic['error_message']}" for topic in refused))
    return [topic["name"] for topic in answer["topics"] if topic["error_code"] == 0]


def _check_partitions(admin: Any, kept: Sequence[TopicSpec]) -> None:
    found = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics([spec.name for spec in kept])}
    wrong = [f"{s.name} has {found[s.name]}, declared {s.partitions}" for s in kept if found[s.name] != s.partitions]
    if wrong:
        # More partitions would send a key elsewhere than before, and its order would be lost: never done in passing.
        raise TopicsDiffer(f"partitions are part of the contract and are not changed here: {'; '.join(wrong)}")


def _align_settings(admin: Any, kept: Sequence[TopicSpec]) -> None:
    resources = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in kept]
    described = admin.describe_configs(resources).get("topic", {})
    changes = []
    for spec in kept:
        have = {
            name: entry["value"]
            for name, entry in described.get(spec.name, {}).items()
            if entry["config_source"] == _SET_FOR_THIS_TOPIC
        }
        operations: dict[str, tuple[AlterConfigOp, str | None]] = {
            name: (AlterConfigOp.SET, value) for name, value in spec.config.items() if have.get(name) != value
        }
        operations |= {name: (AlterConfigOp.DELETE, None) for name in have if name not in spec.config}
        if operations:
            changes.append(ConfigResource(ConfigResourceType.TOPIC, spec.name, operations))
    if changes:
        admin.alter_configs(changes)
