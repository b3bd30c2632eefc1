"""What every process counts, for Prometheus. Labels come from bounded sets only: rpcs, topics, codes, never an id.

Durations are seconds; ages are seconds by the wall, computed when they are read.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

_FAST = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)

RPC_SECONDS = Histogram(
    "saguaro_rpc_seconds", "A call's time in this server", ("rpc", "code"), buckets=_FAST, registry=REGISTRY
)
EVENTS = Counter(
    "saguaro_events", "Events read, by what came of them", ("consumer", "topic", "outcome"), registry=REGISTRY
)
COMMIT_TO_EFFECT = Histogram(
    "saguaro_commit_to_effect_seconds",
    "From the outbox row of an event to the commit of its effect here",
    ("consumer",),
    buckets=_FAST,
    registry=REGISTRY,
)
RELAY_PUBLISHED = Counter(
    "saguaro_relay_published", "Events sent to Kafka and acknowledged", ("topic",), registry=REGISTRY
)
RELAY_REFUSED = Counter(
    "saguaro_relay_refused", "Events that the broker refused for good", ("topic",), registry=REGISTRY
)
RELAY_LEADER = Gauge("saguaro_relay_leader", "1 where this process relays its service's outbox", registry=REGISTRY)
OUTBOX_AGE = Gauge("saguaro_outbox_age_seconds", "Age of the oldest event not yet sent", registry=REGISTRY)
OUTBOX_ROWS = Gauge("saguaro_outbox_rows", "Events not yet sent", registry=REGISTRY)
PARKED_ROWS = Gauge(
    "saguaro_parked_rows", "Events that wait, by why", ("consumer", "topic", "state"), registry=REGISTRY
)
COPY_AGE = Gauge(
    "saguaro_copy_age_seconds", "How old what is known from a partition may be", ("consumer", "topic", "partition"),
    registry=REGISTRY,
)  # fmt: skip
POLL_AGE = Gauge("saguaro_poll_age_seconds", "Time since the last poll", ("loop",), registry=REGISTRY)
STREAMS_OPEN = Gauge("saguaro_streams_open", "Device connections open", ("protocol",), registry=REGISTRY)
FRAMES = Counter("saguaro_frames", "Frames received", ("protocol",), registry=REGISTRY)
SAMPLES = Counter("saguaro_samples", "Samples received", ("protocol",), registry=REGISTRY)
REFUSED = Counter("saguaro_refused", "Inputs refused, by rule", ("protocol", "reason"), registry=REGISTRY)
ALARMS = Counter("saguaro_alarms", "Alarms raised", ("priority",), registry=REGISTRY)


def rpc_finished(rpc: str, code: str, seconds: float) -> None:
    """One call ended; `rpc` is of the contract, `code` the name of a gRPC status code."""
    RPC_SECONDS.labels(rpc, code).observe(seconds)


def event_handled(consumer: str, topic: str, outcome: str) -> None:
    """One event was read: applied, ignored, duplicate, early, poison or blocked."""
    EVENTS.labels(consumer, topic, outcome).inc()


def commit_to_effect(consumer: str, recorded_at: str | None) -> None:
    """The effect of an event recorded at this time (RFC 3339 text of its envelope) is done; nothing for an absent time."""
    if not recorded_at:
        return
    try:
        recorded = datetime.fromisoformat(recorded_at)
    except ValueError:
        return
    if recorded.tzinfo is not None:
        COMMIT_TO_EFFECT.labels(consumer).observe(max(0.0, (datetime.now(UTC) - recorded).total_seconds()))


def copy_complete_until(consumer: str, topic: str, partition: int, until: datetime) -> None:
    """All events of a partition recorded before `until` are applied; the copy's age counts from there."""
    complete_s = until.timestamp()
    COPY_AGE.labels(consumer, topic, str(partition)).set_function(lambda: max(0.0, time.time() - complete_s))


def copy_released(consumer: str, topic: str, partition: int) -> None:
    """Another process reads this partition now; its copy's age is shown there."""
    try:
        COPY_AGE.remove(consumer, topic, str(partition))
    except KeyError:
        return


def exposition() -> tuple[str, bytes]:
    """Content type and text of the metrics page."""
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415

    return CONTENT_TYPE_LATEST, generate_latest(REGISTRY)
