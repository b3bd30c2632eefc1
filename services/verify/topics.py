"""Reads the topics from beginning to end, without a consumer group and without a trace of having read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.envelope import WATERMARK_TYPE, text_headers

Place = tuple[str, int]
# A broker that answers nothing for so long is away: what was read then is no basis for a verdict.
_SILENCE_S = 20.0


class TopicsUnread(Exception):
    """The broker stopped answering before the end of a partition was read."""


@dataclass(frozen=True)
class Logged:
    """One record as it lies in a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]

    @property
    def is_watermark(self) -> bool:
        """Whether it only says how complete the partition is."""
        return self.headers.get("ce_type") == WATERMARK_TYPE

    @property
    def event_id(self) -> str:
        """The id by which a repeated record is known; empty when it has none."""
        return self.headers.get("ce_id", "")

    @property
    def sequence(self) -> int | None:
        """The version of its aggregate, or None when it has none."""
        text = self.headers.get("ce_sequence", "")
        return int(text) if text.isdigit() else None

    @property
    def place(self) -> str:
        """Where it lies: says nothing of what it says."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass
class Log:
    """Records by partition in the order of their offsets, and where each partition ended."""

    records: dict[Place, list[Logged]] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)

    def events(self) -> Iterable[Logged]:
        """Every record but the watermarks, partition by partition."""
        for place in sorted(self.records):
            for record in self.records[place]:
                if not record.is_watermark:
                    yield record


class TopicReader:
    """Reads the topics named `saguaro.*` of one broker."""

    def __init__(self, bootstrap: str) -> None:
        from kafka import KafkaConsumer  # noqa: PLC0415

        self._consumer: Any = KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            client_id="saguaro-verify",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            request_timeout_ms=15_000,
        )

    def close(self) -> None:
        """Closes the connection."""
        self._consumer.close()

    def ends(self) -> dict[Place, int]:
        """The end of every partition: the offset that its next record will have."""
        return {(item.topic, item.partition): end for item, end in self._consumer.end_offsets(self._all()).items()}

    def _all(self) -> list[Any]:
        from kafka import TopicPartition  # noqa: PLC0415

        names = sorted(name for name in self._consumer.topics() if name.startswith("saguaro."))
        return [
            TopicPartition(name, partition)
            for name in names
            for partition in sorted(self._consumer.partitions_for_topic(name) or ())
        ]

    def read(self, topics: Iterable[str], after: Log | None = None) -> Log:
        """Every record of `topics` up to where each partition ends now; with `after`, that log and what came since."""
        log = Log({} if after is None else {place: list(items) for place, items in after.records.items()}, self.ends())
        wanted = set(topics)
        partitions = [item for item in self._all() if item.topic in wanted]
        beginnings = self._consumer.beginning_offsets(partitions) if partitions else {}
        self._consumer.assign(partitions)
        missing = set()
        for item in partitions:
            place = (item.topic, item.partition)
            log.records.setdefault(place, [])
            start = beginnings[item] if after is None else after.ends.get(place, beginnings[item])
            if start < log.ends[place]:
                missing.add(item)
            self._consumer.seek(item, start)
        self._fill(log, missing)
        return log

    def _fill(self, log: Log, missing: set[Any]) -> None:
        heard = time.monotonic()
        while missing:
            for item, batch in self._consumer.poll(timeout_ms=500, max_records=5_000).items():
                heard = time.monotonic()
                place = (item.topic, item.partition)
                log.records[place] += [_logged(record) for record in batch if record.offset < log.ends[place]]
            missing = {item for item in missing if self._consumer.position(item) < log.ends[item.topic, item.partition]}
            if time.monotonic() - heard > _SILENCE_S:
                raise TopicsUnread(f"{len(missing)} partitions could not be read to their end")


def _logged(record: Any) -> Logged:
    return Logged(
        record.topic, record.partition, record.offset, record.key, record.value, text_headers(record.headers or ())
    )
