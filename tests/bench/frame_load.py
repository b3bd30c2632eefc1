"""Ten device streams.

Arguments: address, frames, one dip in how many, frames a second of all streams together (0: as fast as they are
taken).

Prints when it began, how long until the last acknowledgement, and the wall time at which each frame was sent.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from uuid import UUID

import grpc

from chassis.context import RequestContext
from chassis.grpc_context import write_context
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1.service_pb2_grpc import DeviceStreamServiceStub
from tests.bench.wards import START, STREAMS, WARD, Sent, frames


class Stream:
    """One connection with the frames of its monitors."""

    def __init__(self, address: str, number: int, mine: list[Sent], rate: float) -> None:
        self._channel = grpc.insecure_channel(
            address, options=(("grpc.use_local_subchannel_pool", 1), ("stream", number))
        )
        self._mine, self._rate = mine, rate
        self._requests = [pb.StreamFramesRequest(frame=frame.raw) for frame in mine]
        self.sent_at: dict[str, float] = {}
        self.acknowledged = 0
        self.refused: set[str] = set()

    def open(self) -> None:
        """Connects."""
        grpc.channel_ready_future(self._channel).result(timeout=20)

    def run(self) -> None:
        """Sends everything and hears every answer."""
        context = RequestContext(UUID(int=1), "device", "", "treatment", UUID(int=2), START)
        answers = DeviceStreamServiceStub(self._channel).StreamFrames(
            self._send(), metadata=write_context(context, None)
        )
        for answer in answers:
            self.acknowledged += 1
            if answer.refused_rule:
                self.refused.add(answer.refused_rule)

    def _send(self) -> Iterator[pb.StreamFramesRequest]:
        began = time.perf_counter()
        for place, (frame, request) in enumerate(zip(self._mine, self._requests, strict=True)):
            if self._rate:
                time.sleep(max(0.0, began + place / self._rate - time.perf_counter()))
            self.sent_at[f"{frame.device}:{frame.sequence}"] = time.time()
            yield request


def main() -> None:
    """Says when it is ready, waits for a line, sends."""
    address, number, dip_every, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    made = frames(number, dip_every)
    each = WARD // STREAMS
    streams = [
        Stream(address, place, [frame for frame in made if frame.device // each == place], rate / STREAMS)
        for place in range(STREAMS)
    ]
    for stream in streams:
        stream.open()
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    began = time.time()
    threads = [threading.Thread(target=stream.run) for stream in streams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            {
                "began": began,
                "seconds": time.time() - began,
                "acknowledged": sum(stream.acknowledged for stream in streams),
                "refused": sorted(set().union(*(stream.refused for stream in streams))),
                "sent_at": {key: at for stream in streams for key, at in stream.sent_at.items()},
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
