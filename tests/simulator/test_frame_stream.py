"""The bedside's frame stream against a server that loses connections, answers late or refuses."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from typing import Any
from uuid import UUID

import grpc
import pytest

from chassis.context import RequestContext
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import service_pb2_grpc as stubs
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator import frame_stream as module
from simulator.calls import Calls, GaveUp
from simulator.frame_stream import FrameStream
from simulator.unexpected import Unexpected

CONTEXT = RequestContext(UUID(int=1), "device", "", "TREAT", UUID(int=2), datetime(2026, 7, 14, tzinfo=UTC))
Answer = Callable[[types.Frame, grpc.ServicerContext], pb.StreamFramesResponse | None]


class Network(stubs.DeviceStreamServiceServicer):
    """Keeps what came; `answers` are used up one a frame, the last for ever. None ends the stream without an answer."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.came: list[int] = []
        self.streams = 0

    def StreamFrames(
        self, requests: Iterator[pb.StreamFramesRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.StreamFramesResponse]:
        self.streams += 1
        for request in requests:
            frame = types.Frame.FromString(request.frame)
            self.came.append(frame.sequence)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            response = answer(frame, context)
            if response is None:
                return
            yield response


def accept(frame: types.Frame, _: Any) -> pb.StreamFramesResponse:
    return pb.StreamFramesResponse(sequence=frame.sequence)


def hang_up(*_: Any) -> None:
    return None


def fail(_: Any, context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAVAILABLE, "the log does not answer")


def refuse(frame: types.Frame, _: Any) -> pb.StreamFramesResponse:
    return pb.StreamFramesResponse(sequence=frame.sequence, refused_rule="quality: must hold a sample")


Serve = Callable[..., tuple[Network, Calls]]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.001)
    servers: list[grpc.Server] = []

    def start(*answers: Answer, patience_s: float = 10) -> tuple[Network, Calls]:
        network, server = Network(*answers), grpc.server(ThreadPoolExecutor(4))
        stubs.add_DeviceStreamServiceServicer_to_server(network, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        return network, Calls({"device_stream": f"127.0.0.1:{port}"}, patience_s)

    yield start
    for server in servers:
        server.stop(0).wait()


def frame(sequence: int) -> types.Frame:
    return types.Frame(device_id=str(UUID(int=9)), sequence=sequence)


def test_frames_go_one_after_the_other_on_one_stream(serve: Serve) -> None:
    network, calls = serve(accept)
    with FrameStream(calls, CONTEXT) as stream:
        for sequence in (1, 2, 3):
            stream.send(frame(sequence))
    assert (network.came, network.streams, stream.frames) == ([1, 2, 3], 1, 3)
    assert calls.measured.summary()["calls"]["StreamFrames"]["count"] == 3


@pytest.mark.parametrize("trouble", [hang_up, fail])
def test_a_frame_without_answer_is_sent_again_with_its_number(serve: Serve, trouble: Answer) -> None:
    network, calls = serve(accept, trouble, trouble, accept)
    with FrameStream(calls, CONTEXT) as stream:
        for sequence in (1, 2, 3):
            stream.send(frame(sequence))
    assert network.came == [1, 2, 2, 2, 3]
    assert network.streams == 3
    assert calls.measured.repeated == 2


def test_an_answer_that_takes_too_long_is_not_waited_for(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ANSWER_WITHIN_S", 0.2)

    def stuck(*_: Any) -> None:
        # Longer than the bedside waits.
        gone.wait()

    gone = Event()
    network, calls = serve(stuck, accept)
    with FrameStream(calls, CONTEXT) as stream:
        stream.send(frame(1))
    gone.set()
    assert network.came == [1, 1]


def test_a_frame_that_breaks_a_rule_ends_the_script(serve: Serve) -> None:
    _, calls = serve(refuse)
    with pytest.raises(Unexpected, match="quality: must hold a sample"), FrameStream(calls, CONTEXT) as stream:
        stream.send(frame(1))


def test_an_acknowledgement_of_another_frame_ends_the_script(serve: Serve) -> None:
    _, calls = serve(lambda *_: pb.StreamFramesResponse(sequence=7))
    with pytest.raises(Unexpected, match="must name the frame"), FrameStream(calls, CONTEXT) as stream:
        stream.send(frame(1))


def test_patience_ends(serve: Serve) -> None:
    _, calls = serve(fail, patience_s=0.1)
    with pytest.raises(GaveUp, match="no acknowledgement"), FrameStream(calls, CONTEXT) as stream:
        stream.send(frame(1))
