"""Stands where the Kafka producer stands: takes records, or fails as told."""

from collections.abc import Callable
from threading import Event
from typing import Any

from chassis.records import Record


class Future:
    """What a producer's send gives back."""

    def __init__(self, error: Exception | None, acknowledged: Event) -> None:
        self._error, self._acknowledged = error, acknowledged

    def get(self, timeout: float) -> None:
        if self._error is not None:
            raise self._error
        if not self._acknowledged.wait(timeout):
            raise TimeoutError


class Broker:
    """Keeps what every producer sent. `failures` sends fail; none is acknowledged before `acknowledging` is set."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failures = 0
        self.producers = 0
        self.acknowledging = Event()
        # Set by the first record.
        self.reached = Event()
        self.acknowledging.set()

    def make(self) -> "Producer":
        self.producers += 1
        return Producer(self)

    @property
    def factory(self) -> Callable[[], Any]:
        return self.make


class Producer:
    """One producer; once it failed, it fails for ever, as has been seen of the real one."""

    def __init__(self, broker: Broker) -> None:
        self._broker, self._broken = broker, False

    def send(self, topic: str, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Future:
        broker = self._broker
        if broker.failures:
            broker.failures -= 1
            self._broken = True
        if self._broken:
            return Future(OSError("the broker is away"), broker.acknowledging)
        broker.records.append(Record(topic, 0, len(broker.records), key, value, tuple(headers), 0))
        broker.reached.set()
        return Future(None, broker.acknowledging)

    def close(self, timeout: float) -> None:
        """Nothing to wait for."""
