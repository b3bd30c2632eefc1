"""The stream of a device over a real gRPC server: acknowledged when durable, refused by rule, and the stream goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from queue import Empty, Queue
from threading import Thread
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.grpc_context import write_context
from chassis.grpc_server import ServerOptions, serve
from chassis.grpc_servicer import Instruments
from device_telemetry.app import INDEX
from device_telemetry.domain import codes
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.stream_frames import FrameStreams
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import service_pb2_grpc as rpc
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import MONITOR, START, frame, usable
from tests.device_telemetry.kafka_by_hand import Broker
from tests.device_telemetry.ward import Ward


class Device:
    """One open stream."""

    def __init__(self, port: int, metadata: Any) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._sent: Queue[pb.StreamFramesRequest | None] = Queue()
        self.answers = rpc.DeviceStreamServiceStub(self._channel).StreamFrames(
            iter(self._sent.get, None), metadata=metadata, timeout=20
        )

    def send(self, *frames: types.Frame | bytes) -> None:
        for item in frames:
            raw = item if isinstance(item, bytes) else item.SerializeToString()
            self._sent.put(pb.StreamFramesRequest(frame=raw))

    def answer(self) -> tuple[int, str]:
        response = next(self.answers)
        return response.sequence, response.refused_rule

    def close(self) -> None:
        self._sent.put(None)
        self._channel.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def device(ward: Ward, broker: Broker) -> Iterator[Device]:
    with serving(ward, broker) as connect:
        yield connect()


@contextmanager
def serving(ward: Ward, broker: Broker) -> Iterator[Callable[[], Device]]:
    streams = FrameStreams(ward.database, Directory(ward.database), FrameLog(broker.factory))
    instruments = Instruments(lambda *_: nullcontext(), lambda *_: None)
    servers = serve(
        INDEX, ward.harness.runner, instruments, ServerOptions(max_streams=4), {"StreamFrames": streams.rpc()}
    )
    opened: list[Device] = []

    def connect() -> Device:
        assert servers.stream_port is not None
        opened.append(Device(servers.stream_port, write_context(ward.harness.context("device", START))))
        return opened[-1]

    yield connect
    for item in opened:
        item.close()
    servers.stop(1.0)


def at(number: int) -> types.Frame:
    return frame(MONITOR, number, usable(codes.HEART_RATE, [(float(number), 70.0)]))


def test_a_frame_is_acknowledged_when_it_is_durable_and_not_before(ward: Ward, broker: Broker, device: Device) -> None:
    ward.attach(MONITOR)
    broker.acknowledging.clear()
    device.send(at(1))
    answered: Queue[tuple[int, str]] = Queue()
    reader = Thread(target=lambda: answered.put(device.answer()))
    reader.start()
    assert broker.reached.wait(10)
    with pytest.raises(Empty):
        answered.get(timeout=0.2)
    broker.acknowledging.set()
    assert answered.get(timeout=10) == (1, "")
    reader.join()
    (record,) = broker.records
    assert record.key == ward.session_id.encode()
    assert record.value == at(1).SerializeToString()
    assert dict(record.headers)["ce_id"] == f"{MONITOR}:1".encode()


def test_a_bad_frame_is_kept_and_answered_and_the_stream_goes_on(ward: Ward, broker: Broker, device: Device) -> None:
    ward.attach(MONITOR)
    bad = at(2)
    bad.value_e6 = b"123"
    stranger = frame(uuid4(), 9, usable(codes.HEART_RATE, [(0.0, 70.0)]))
    device.send(at(1), bad, b"\xff", stranger, at(3))
    assert [device.answer() for _ in range(5)] == [
        (1, ""),
        (2, "value_e6: must hold 8 bytes a sample"),
        (0, "frame: must be a saguaro.device_telemetry.v1.Frame"),
        (9, "device_id: must be a registered device"),
        (3, ""),
    ]
    assert len(broker.records) == 2
    listed = ward.harness.call("ListQuarantine", pb.ListQuarantineRequest(), role="operator")
    assert {(item.source, item.device_id, item.rule) for item in listed.items} == {
        ("frame", str(MONITOR), "value_e6: must hold 8 bytes a sample"),
        ("frame", "unknown", "frame: must be a saguaro.device_telemetry.v1.Frame"),
        ("frame", stranger.device_id, "device_id: must be a registered device"),
    }


def test_after_a_send_error_the_producer_is_replaced_and_the_frame_sent_again(
    ward: Ward, broker: Broker, device: Device
) -> None:
    ward.attach(MONITOR)
    broker.failures = 1
    device.send(at(1), at(2))
    assert [device.answer() for _ in range(2)] == [(1, ""), (2, "")]
    assert broker.producers == 2
    assert sorted(dict(record.headers)["ce_id"] for record in broker.records) == [
        f"{MONITOR}:{n}".encode() for n in (1, 2)
    ]


def test_a_frame_goes_to_the_session_attached_when_it_was_measured(ward: Ward, broker: Broker, device: Device) -> None:
    """Data go to the session attached at measurement time, by device id."""
    other = str(uuid4())
    ward.book(other)
    ward.attach(MONITOR, at=START)
    moved = START.replace(minute=1)
    device.send(at(1))
    assert device.answer() == (1, "")
    ward.detach(MONITOR, moved)
    ward.attach(MONITOR, other, at=moved)
    device.send(at(59), at(60), at(1))
    assert [device.answer() for _ in range(3)] == [(59, ""), (60, ""), (1, "")]
    early = frame(MONITOR, 61, usable(codes.HEART_RATE, [(-60.0, 70.0)]))
    device.send(early)
    assert device.answer() == (61, "")
    keys = [record.key for record in broker.records]
    assert keys == [item.encode() for item in (ward.session_id, ward.session_id, other, ward.session_id, str(MONITOR))]


def test_the_frames_of_a_stream_reach_the_rules(ward: Ward, broker: Broker, device: Device) -> None:
    ward.attach(MONITOR)
    device.send(frame(MONITOR, 1, usable(codes.HEART_RATE, [(0.0, 35.0)])))
    assert device.answer() == (1, "")
    record = broker.records[0]
    ward.harness.reader.ensure_offset(record.topic, 0, 0)
    ward.harness.reader.apply_stream(record.topic, 0, broker.records, expected=0)
    assert [row.kind_code for row in ward.rows("SELECT kind_code FROM alarm ORDER BY 1")] == [
        "hr.low.caution",
        "hr.low.stop",
    ]
