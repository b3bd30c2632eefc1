"""The frame log: a Kafka topic. A frame is durable when every replica that must have it has it (acks=all), and not before.

After any send error the producer is thrown away and a new one made: one refused record has been seen to make a producer fail
every later send.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from chassis import metrics
from chassis.envelope import SPEC_VERSION, rfc3339, wire_headers
from chassis.errors import Unavailable
from device_telemetry.frames.decode import RECEIVED_HEADER, TOPIC, TYPE
from saguaro.device_telemetry.v1 import types_pb2 as types

# A device waits this long for its frame to be durable before it is told to come again.
_PATIENCE_S: Final = 20.0
_PAUSE_S: Final = 0.2


class Entry:
    """A frame on its way into the log."""

    def __init__(self, log: "FrameLog", key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self._log, self._key, self._value, self._headers = log, key, value, headers
        self._made, self._future = log.send(key, value, headers)

    def wait(self) -> None:
        """Returns when the frame is durable. Unavailable when the log cannot take it; it may then be there or not, so it is sent again."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                if self._future is not None:
                    self._future.get(timeout=max(0.1, until - time.monotonic()))
                    return
            except Exception:  # noqa: BLE001
                self._log.discard(self._made)
            if time.monotonic() + _PAUSE_S >= until:
                raise Unavailable("FRAME_LOG_UNAVAILABLE", rule="the frame log does not answer; send the frame again")
            time.sleep(_PAUSE_S)
            self._made, self._future = self._log.send(self._key, self._value, self._headers)


class FrameLog:
    """One producer for all streams and connections of the process; `make` gives a new one."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._producer: Any = None

    def append(self, log_id: str, frame: types.Frame, raw: bytes, protocol: str = "frame") -> Entry:
        """Puts the received bytes under the key of their log. `protocol` is what they came by: frame or hl7."""
        metrics.FRAMES.labels(protocol).inc()
        metrics.SAMPLES.labels(protocol).inc(len(frame.quality))
        headers = wire_headers(_headers(log_id, frame))
        return Entry(self, log_id.encode(), raw, headers)

    def send(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> tuple[Any, Any]:
        """The producer that was used and its future; no future when the send itself failed."""
        producer = None
        try:
            producer = self._current()
            return producer, producer.send(TOPIC, key=key, value=value, headers=headers)
        except Exception:  # noqa: BLE001
            self.discard(producer)
            return None, None

    def discard(self, producer: Any) -> None:
        """Throws a producer away, if it is still the one in use."""
        with self._lock:
            if producer is None or producer is not self._producer:
                return
            self._producer = None
        threading.Thread(target=_close, args=(producer,), name="frame-log-close", daemon=True).start()

    def close(self) -> None:
        """Sends what is under way and ends."""
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=3)

    def _current(self) -> Any:
        with self._lock:
            if self._producer is None:
                self._producer = self._make()
            return self._producer


def _close(producer: Any) -> None:
    producer.close(timeout=0)


def _headers(log_id: str, frame: types.Frame) -> Mapping[str, str]:
    return {
        "ce_specversion": SPEC_VERSION,
        "ce_id": f"{frame.device_id}:{frame.sequence}",
        "ce_source": "/saguaro/device_telemetry",
        "ce_type": TYPE,
        "ce_time": rfc3339(frame.first_sample_at.ToDatetime(tzinfo=UTC)),
        "ce_partitionkey": log_id,
        RECEIVED_HEADER: rfc3339(datetime.now(UTC)),
    }
