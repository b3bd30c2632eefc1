"""A Kafka record as readers see it, and the locks and marks by which they keep the order of its key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.context import SERVICE_ROLE, RequestContext
from chassis.envelope import NOBODY
from chassis.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Record:
    """One Kafka record, as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


def plumbing_context() -> RequestContext:
    """The transaction's own context; each event in it brings that of its sender."""
    return RequestContext(NOBODY, SERVICE_ROLE, "", "operations", NOBODY, datetime.fromtimestamp(0, UTC))


def lock_keys(uow: UnitOfWork, topic: str, keys: Sequence[str]) -> None:
    """Takes the advisory locks of the keys, in one order for everybody, until the end of the transaction."""
    uow.driver.execute(
        "SELECT count(pg_advisory_xact_lock(hashtext(%s), hashtext(k)))"
        " FROM (SELECT k FROM unnest(%s::text[]) AS k ORDER BY hashtext(k)) AS sorted",
        (topic, list(keys)),
    )


def sequence_mark(topic: str, key: str, sequence: int) -> str:
    """What an event that came before its predecessor waits for."""
    return f"sequence:{topic}:{key}:{sequence}"
