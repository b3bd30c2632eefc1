"""Sends rows of the outbox to Kafka in order and waits for every acknowledgement.

After any error in sending the producer is thrown away: one refused record makes the same producer fail every later send.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from chassis import logs
from chassis.envelope import watermark_headers, wire_headers
from chassis.values import to_timestamp
from saguaro.chassis.v1 import events_pb2 as chassis_events

log = logs.get_logger(component="relay")

_ACK_TIMEOUT_S = 30.0
_CLOSE_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Row:
    """One row of the outbox."""

    row_id: int
    topic: str
    key: str
    sequence: int
    headers: dict[str, str]
    value: bytes
    recorded_at: datetime


class Refused(Exception):
    """The broker refuses one record for good."""

    def __init__(self, row: Row, rule: str) -> None:
        super().__init__(rule)
        self.row = row
        self.rule = rule


class BrokerAway(Exception):
    """The broker does not take records now; the same ones are sent again later."""


class Publisher:
    """What the relay needs of a Kafka producer: send in order and wait for every acknowledgement."""

    def __init__(self, make_producer: Callable[[], Any]) -> None:
        self._make_producer = make_producer
        self._producer: Any = None

    def _current(self) -> Any:
        if self._producer is None:
            self._producer = self._make_producer()
        return self._producer

    def throw_away(self) -> None:
        """Drops the producer after an error; the next send makes a new one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=_CLOSE_TIMEOUT_S)
            except Exception as error:  # noqa: BLE001
                log.warning("producer did not close", error_type=type(error).__name__)

    def publish(self, rows: Sequence[Row]) -> None:
        """Sends all rows and returns when the broker has all of them. Refused or BrokerAway otherwise.

        A record that is too large makes kafka-python split its batch, after which the broker may answer for the whole of it with
        another error. So where the broker itself said no, the rows go again one at a time: then the error is of its row.
        """
        from kafka.errors import BrokerResponseError  # noqa: PLC0415

        try:
            self._send(rows)
        except Refused:
            if len(rows) == 1:
                raise
        except BrokerResponseError as error:
            if len(rows) == 1:
                raise BrokerAway(type(error).__name__) from None
        except Exception as error:  # noqa: BLE001
            raise BrokerAway(type(error).__name__) from None
        else:
            return
        for row in rows:
            try:
                self._send([row])
            except Refused:
                raise
            except Exception as error:  # noqa: BLE001
                raise BrokerAway(type(error).__name__) from None

    def _send(self, rows: Sequence[Row]) -> None:
        """One attempt; the producer is thrown away after any error."""
        from kafka import errors as kafka_errors  # noqa: PLC0415

        lasting = (
            kafka_errors.MessageSizeTooLargeError,
            kafka_errors.RecordListTooLargeError,
            kafka_errors.InvalidTopicError,
            kafka_errors.CorruptRecordError,
        )
        try:
            producer = self._current()
            sent = []
            for row in rows:
                headers = wire_headers({**row.headers, "ce_sequence": str(row.sequence)})
                sent.append(producer.send(row.topic, value=row.value, key=row.key.encode(), headers=headers))
            producer.flush(timeout=_ACK_TIMEOUT_S)
            for future in sent:
                future.get(timeout=_ACK_TIMEOUT_S)
        except lasting as error:
            self.throw_away()
            raise Refused(rows[0], f"the broker refuses it: {type(error).__name__}") from None
        except Exception:
            self.throw_away()
            raise

    def publish_watermarks(self, service: str, topics: Sequence[str], until: datetime) -> None:
        """Tells every partition of the topics up to when it is complete. BrokerAway when it cannot."""
        value = chassis_events.Watermark(service=service, complete_until=to_timestamp(until)).SerializeToString()
        headers = wire_headers(watermark_headers(service, uuid7(), until))
        try:
            producer = self._current()
            for topic in topics:
                for partition in producer.partitions_for(topic) or ():
                    producer.send(topic, value=value, partition=partition, headers=headers)
            producer.flush(timeout=_ACK_TIMEOUT_S)
        except Exception as error:  # noqa: BLE001
            self.throw_away()
            raise BrokerAway(type(error).__name__) from None

    def close(self) -> None:
        """Waits for what is under way and closes."""
        if self._producer is not None:
            self._producer.close(timeout=5)
            self._producer = None
