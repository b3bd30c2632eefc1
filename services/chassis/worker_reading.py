"""The reading loop of a worker, as a nameko entrypoint: polls Kafka and hands each partition's batch to a worker thread.

Polling and handling take turns in one green thread, so a rebalance never finds a batch in the middle: what is handed over is complete.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from eventlet.event import Event
from nameko.extensions import Entrypoint

from chassis import logs, metrics
from chassis.consumer import Reader
from chassis.database import is_transient
from chassis.errors import Fenced, Transient
from chassis.kafka_client import make_consumer, resume_at
from chassis.records import Record

log = logs.get_logger(component="reader")

_POLL_MS = 500
# Until the first assignment has come: what is assigned is placed between two polls.
_JOIN_POLL_MS = 50
_COMMIT_EVERY_S = 5.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class OffsetLost(Exception):
    """The next record to read is not on the broker any more (or the broker is another one). An operator has to decide."""


class TopicsUnknown(Exception):
    """The broker does not tell the partitions of a topic yet; the loop asks again."""


class ReadingLoop:
    """Assignment, fetching, handing over and backing off for one consumer of one process."""

    def __init__(
        self,
        *,
        name: str,
        topics: list[str],
        reader: Reader,
        make: Callable[[], Any],
        handle: Callable[[str, int, list[Record], int], None],
        beat: Callable[[], None],
        every_second: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.topics = topics
        self.reader = reader
        self._make = make
        self._handle = handle
        self._beat = beat
        self._every_second = every_second
        self._next: dict[Any, int] = {}
        self._paused: dict[Any, float] = {}
        # How long the last pause of a partition was, until a batch of it succeeds.
        self._pause_s: dict[Any, float] = {}
        self._consumer: Any = None
        self._next_second = 0.0
        self._next_commit = 0.0
        self._unplaced: list[Any] = []
        self._answered = False
        self.joined = False

    def run(self, stopping: Callable[[], bool]) -> None:
        """Reads until `stopping` says so, then leaves the group in order. Trouble with the broker is waited out."""
        pause = _FIRST_PAUSE_S
        while not stopping():
            try:
                self._open()
                while not stopping():
                    self._turn()
                    pause = _FIRST_PAUSE_S
            except OffsetLost:
                raise
            except Exception as error:  # noqa: BLE001
                log.warning("reader starts again", consumer=self.name, error_type=type(error).__name__, delay_s=pause)
                self._close()
                self._beat()
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        self._close()

    def _open(self) -> None:
        if self._consumer is None:
            self._next.clear()
            self._paused.clear()
            self._pause_s.clear()
            self._unplaced.clear()
            self._answered = self.joined = False
            self._consumer = self._make()
            self._consumer.subscribe(self.topics, listener=_listener(self))
            self._know_the_topics()

    def _know_the_topics(self) -> None:
        """Before the group is joined: who joins without knowing the topics is given no partition, and may wait long for one."""
        missing = sum(not self._consumer.partitions_for_topic(topic) for topic in self.topics)
        if missing:
            raise TopicsUnknown(f"{missing} topics are not known to the broker")

    def _close(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._next.clear()
        if consumer is not None:
            try:
                consumer.close(autocommit=False)
            except Exception as error:  # noqa: BLE001
                log.warning("consumer did not close", consumer=self.name, error_type=type(error).__name__)

    def assigned_to_us(self, partitions: list[Any]) -> None:
        """Notes what is ours now. Runs inside the client's own loop, where it answers no question: so nothing is fetched yet."""
        for place in partitions:
            self._consumer.seek(place, 0)
            self._consumer.pause(place)
            self._unplaced.append(place)
        self._answered = True

    def _place(self) -> None:
        """Goes to where this service's own database says that it was."""
        if not self._unplaced:
            self.joined = self.joined or self._answered
            return
        partitions, self._unplaced = self._unplaced, []
        beginnings: Mapping[Any, int] = self._consumer.beginning_offsets(partitions)
        ends: Mapping[Any, int] = self._consumer.end_offsets(partitions)
        for place in partitions:
            following = self.reader.ensure_offset(place.topic, place.partition, beginnings[place])
            if not beginnings[place] <= following <= ends[place]:
                log.error("offset out of range", consumer=self.name, topic=place.topic, partition=place.partition)
                raise OffsetLost(f"{place.topic}[{place.partition}]")
            resume_at(self._consumer, place, following)
            self._next[place] = following
        self.joined = True
        log.info("partitions assigned", consumer=self.name, partitions=len(partitions))

    def taken_from_us(self, partitions: list[Any]) -> None:
        """Another process reads these from now on."""
        for place in partitions:
            self._next.pop(place, None)
            self._paused.pop(place, None)
            self._pause_s.pop(place, None)
            if place in self._unplaced:
                self._unplaced.remove(place)
            metrics.copy_released(self.reader.index.name, place.topic, place.partition)

    def _turn(self) -> None:
        polled: Mapping[Any, list[Any]] = self._consumer.poll(timeout_ms=_POLL_MS if self.joined else _JOIN_POLL_MS)
        self._beat()
        self._place()
        self._resume()
        for place, found in polled.items():
            if place in self._next and place not in self._paused:
                self._batch(place, found)
        now = time.monotonic()
        if self._every_second is not None and now >= self._next_second:
            self._next_second = now + 1.0
            self._quietly(self._every_second)
        if now >= self._next_commit:
            self._next_commit = now + _COMMIT_EVERY_S
            self._show_lag()

    def _quietly(self, work: Callable[[], None]) -> None:
        """Runs what may be missed once, when the database is away."""
        try:
            work()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("the database is away", consumer=self.name, error_type=type(error).__name__)

    def _batch(self, place: Any, found: list[Any]) -> None:
        expected = self._next[place]
        records = [_record(item) for item in found if item.offset >= expected]
        if not records:
            return
        try:
            self._handle(place.topic, place.partition, records, expected)
        except Fenced:
            log.warning("partition is read elsewhere", consumer=self.name, topic=place.topic, partition=place.partition)
            self._next[place] = self.reader.ensure_offset(place.topic, place.partition, expected)
            self._consumer.seek(place, self._next[place])
            return
        except Transient:
            self._pause(place, expected)
            return
        self._next[place] = records[-1].offset + 1
        self._pause_s.pop(place, None)

    def _pause(self, place: Any, expected: int) -> None:
        """Back off on one partition and keep polling, so that the group does not lose this process."""
        pause_s = min(_LONGEST_PAUSE_S, self._pause_s.get(place, _FIRST_PAUSE_S / 2) * 2)
        self._pause_s[place] = pause_s
        self._paused[place] = time.monotonic() + pause_s
        self._consumer.seek(place, expected)
        self._consumer.pause(place)
        log.warning(
            "partition paused", consumer=self.name, topic=place.topic, partition=place.partition, delay_s=pause_s
        )

    def _resume(self) -> None:
        now = time.monotonic()
        for place in [place for place, until in self._paused.items() if until <= now]:
            del self._paused[place]
            resume_at(self._consumer, place, self._next[place])

    def _show_lag(self) -> None:
        """Commits to Kafka what the database already has; only tools that show lag read it."""
        from kafka.structs import OffsetAndMetadata  # noqa: PLC0415

        if self._next:
            self._consumer.commit_async({place: OffsetAndMetadata(at, "", -1) for place, at in self._next.items()})


def _listener(loop: ReadingLoop) -> Any:
    from kafka import ConsumerRebalanceListener  # noqa: PLC0415

    class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
        def on_partitions_revoked(self, revoked: Any) -> None:
            loop.taken_from_us(list(revoked))

        def on_partitions_assigned(self, assigned: Any) -> None:
            loop.assigned_to_us(list(assigned))

    return Listener()


def _record(item: Any) -> Record:
    return Record(item.topic, item.partition, item.offset, item.key, item.value, tuple(item.headers), item.timestamp)


class Reading(Entrypoint):  # type: ignore[misc]
    """Fires the decorated method with (topic, partition, records, expected) for each polled batch of its topics."""

    def __init__(self, loop_name: str, *, streams: bool = False, **kwargs: Any) -> None:
        self.loop_name = loop_name
        self.streams = streams
        self._stopping = False
        self._ended = Event()
        self.loop: ReadingLoop | None = None
        super().__init__(**kwargs)

    def start(self) -> None:
        """Begins to read in a thread of the container."""
        runtime = self.container.service_cls.runtime
        index = runtime.index
        topics = sorted({stream.topic for stream in index.streams}) if self.streams else runtime.reader.topics
        runtime.health.watch(self.loop_name, runtime.settings.live_bound_seconds)
        group = f"{index.name}-{self.loop_name}"
        self.loop = ReadingLoop(
            name=self.loop_name,
            topics=topics,
            reader=runtime.reader,
            make=lambda: make_consumer(
                ",".join(str(address) for address in runtime.settings.kafka_bootstrap),
                group=group,
                slot=str(runtime.settings.slot),
                client_id=f"{group}-{runtime.settings.slot}",
                max_poll_records=2_000 if self.streams else 500,
                session_timeout_s=runtime.settings.kafka_session_timeout_seconds,
            ),
            handle=self._hand_over,
            beat=lambda: runtime.health.beat(self.loop_name),
            every_second=None if self.streams else runtime.reader.retry_due,
        )
        runtime.loops[self.loop_name] = self.loop
        self.container.spawn_managed_thread(self._run, identifier=f"reading-{self.loop_name}")

    def _run(self) -> None:
        try:
            if self.loop is not None:
                self.loop.run(lambda: self._stopping)
        finally:
            self._ended.send(None)

    def _hand_over(self, topic: str, partition: int, records: list[Record], expected: int) -> None:
        """One worker of the container handles the batch; its error comes back here."""
        done = Event()

        def handle_result(_worker: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send((result, exc_info))
            return result, None

        self.container.spawn_worker(self, (topic, partition, records, expected), {}, handle_result=handle_result)
        _, exc_info = done.wait()
        if exc_info is not None:
            raise exc_info[1]

    def stop(self) -> None:
        """Ends after the batch that is being handled; the container then waits for nothing of this entrypoint."""
        self._stopping = True
        self._ended.wait()


read_batches = Reading.decorator
