"""Ten device streams at their limit: an eleventh is refused, and neither a command nor a health check waits for them."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.running import addresses_of
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import service_pb2_grpc as rpc
from tests.whole.network_under_test import NetworkUnderTest

pytestmark = pytest.mark.timeout(300)

LIMIT = 10
# Far less than a stream lives; far more than a command needs on a busy machine.
DEADLINE_S = 5.0


def context(role: str) -> list[tuple[str, str]]:
    """Who calls."""
    return [
        ("saguaro-actor", str(uuid4())),
        ("saguaro-role", role),
        ("saguaro-site", ""),
        ("saguaro-purpose", "treatment"),
        ("saguaro-correlation-id", str(uuid4())),
        ("saguaro-clinic-time", datetime(2026, 7, 15, 16, tzinfo=UTC).isoformat()),
    ]


def held_open(until: Event) -> Iterator[pb.StreamFramesRequest]:
    """One frame that is refused by rule, so that the stream is known to be served; then silence."""
    yield pb.StreamFramesRequest(frame=b"torn")
    until.wait()


def test_ten_streams_do_not_delay_a_command_or_a_health_check(network: NetworkUnderTest) -> None:
    """Streams have a server and a pool of their own."""
    found, done = addresses_of(network.home), Event()
    with ExitStack() as stack:
        stack.callback(done.set)
        stream_channel = stack.enter_context(grpc.insecure_channel(found["device_stream"]))
        streams = rpc.DeviceStreamServiceStub(stream_channel)
        calls = [streams.StreamFrames(held_open(done), metadata=context("device")) for _ in range(LIMIT)]
        for call in calls:
            assert next(call).refused_rule
        with pytest.raises(grpc.RpcError) as refused:
            next(streams.StreamFrames(held_open(done), metadata=context("device")))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

        channel = stack.enter_context(grpc.insecure_channel(found["device_telemetry"]))
        healthy = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_S)
        assert healthy.status == health_pb2.HealthCheckResponse.SERVING
        request = pb.RegisterDeviceRequest(
            request_id=str(uuid4()), device_id=str(uuid4()), site_id=str(uuid4()), kind="DEVICE_KIND_PUMP"
        )
        answer = rpc.DeviceTelemetryServiceStub(channel).RegisterDevice(
            request, metadata=context("operator"), timeout=DEADLINE_S
        )
        assert answer.device_id == request.device_id
