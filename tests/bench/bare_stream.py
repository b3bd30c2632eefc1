"""A throw-away front: the same gRPC stream, each frame to Kafka, acknowledged when Kafka has it. No look at what is in it."""

import json
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from chassis.kafka_client import make_producer
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1.service_pb2_grpc import (
    DeviceStreamServiceServicer,
    add_DeviceStreamServiceServicer_to_server,
)
from tests.bench.toy.app import TOPIC
from tests.bench.wards import STREAMS

_UNDER_WAY = 64


class Front(DeviceStreamServiceServicer):
    """One producer for all streams."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = make_producer(bootstrap, "bench-bare", linger_ms=1)()

    def StreamFrames(self, request_iterator: Iterator[Any], context: Any) -> Iterator[pb.StreamFramesResponse]:
        """Answers each frame in order, some while later ones are under way."""
        waiting: deque[Any] = deque()
        # Bytes 2 to 38 of a frame are its device's id (field 1, 36 characters).
        for request in request_iterator:
            waiting.append(self._producer.send(TOPIC, key=request.frame[2:38], value=request.frame))
            while len(waiting) > _UNDER_WAY or (waiting and waiting[0].is_done):
                waiting.popleft().get(timeout=30)
                yield pb.StreamFramesResponse()
        while waiting:
            waiting.popleft().get(timeout=30)
            yield pb.StreamFramesResponse()


def main() -> None:
    """Argument: Kafka's address. Prints the port."""
    server = grpc.server(ThreadPoolExecutor(STREAMS + 2))
    add_DeviceStreamServiceServicer_to_server(Front(sys.argv[1]), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"port": port}), flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
