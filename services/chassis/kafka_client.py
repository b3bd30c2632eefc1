"""Kafka clients as this network uses them: every acknowledgement awaited, offsets in our own database, short time-outs."""

from collections.abc import Callable
from typing import Any

_REQUEST_TIMEOUT_MS = 10_000
# Whoever makes a client tries again by itself; a stop is heard between two attempts, and the drain has 10 s in all.
_BOOTSTRAP_TIMEOUT_MS = 3_000


def make_producer(
    bootstrap: str, client_id: str, *, linger_ms: int = 0, max_request_bytes: int = 1_000_000
) -> Callable[[], Any]:
    """A factory of producers with acks=all and idempotence, as a producer that failed once is thrown away."""

    def make() -> Any:
        from kafka import KafkaProducer  # noqa: PLC0415

        return KafkaProducer(
            bootstrap_servers=bootstrap.split(","),
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=linger_ms,
            batch_size=262_144,
            max_request_size=max_request_bytes,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            bootstrap_timeout_ms=_BOOTSTRAP_TIMEOUT_MS,
            delivery_timeout_ms=25_000,
            max_block_ms=10_000,
        )

    return make


def make_consumer(
    bootstrap: str,
    *,
    group: str,
    slot: str,
    client_id: str,
    max_poll_records: int,
    session_timeout_s: float = 6.0,
    fetch_max_bytes: int = 16_000_000,
) -> Any:
    """A consumer that never commits by itself, never skips and never starts at the end.

    `slot` names the process's place, so that a restarted process gets its partitions back without a rebalance. A killed one's
    move on after `session_timeout_s`; Kafka's default of 45 s would leave alarms silent that long.
    """
    from kafka import KafkaConsumer  # noqa: PLC0415

    return KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        client_id=client_id,
        group_id=group,
        group_instance_id=f"{group}-{slot}",
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=int(session_timeout_s * 1000),
        heartbeat_interval_ms=int(session_timeout_s * 250),
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
        bootstrap_timeout_ms=_BOOTSTRAP_TIMEOUT_MS,
        fetch_max_wait_ms=250,
        fetch_min_bytes=1,
        fetch_max_bytes=fetch_max_bytes,
        max_partition_fetch_bytes=4_000_000,
        max_poll_records=max_poll_records,
        metadata_max_age_ms=60_000,
        reconnect_backoff_ms=50,
        reconnect_backoff_max_ms=500,
    )


def resume_at(consumer: Any, place: Any, offset: int) -> None:
    """Goes on with a paused partition at `offset`.

    kafka-python 3.0.12 sets aside what it had fetched of a partition that is paused in the middle of a fetch, gives it back only
    while no other partition's records are in hand, which is almost never, and fetches nothing of that partition until then: it would
    stand still for ever and without a word. So what was set aside is dropped; it is fetched again.
    """
    for aside in ("_paused_partition_records", "_paused_completed_fetches"):
        getattr(consumer._fetcher, aside).pop(place, None)
    consumer.seek(place, offset)
    consumer.resume(place)
