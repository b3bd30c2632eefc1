"""The bedside's end of the frame stream: one frame at a time, sent again with its number until the network has acknowledged it."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from chassis.context import RequestContext
from chassis.remote import RemoteError
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.calls import NO_ANSWER, Calls, GaveUp
from simulator.unexpected import Unexpected

# A broker that is being started again keeps the api waiting longer than any frame takes otherwise.
_ANSWER_WITHIN_S: Final = 15.0
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0


class _Connection:
    """One open stream with a thread that reads its answers."""

    def __init__(self, calls: Calls, context: RequestContext) -> None:
        self._outgoing: queue.SimpleQueue[pb.StreamFramesRequest | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[pb.StreamFramesResponse | Exception] = queue.SimpleQueue()
        self._stream = calls.client("device_stream").bound(context).StreamFrames(self._requests())
        threading.Thread(target=self._read, name="frame-answers", daemon=True).start()

    def exchange(self, raw: bytes) -> pb.StreamFramesResponse:
        """Sends one frame and waits for its answer. queue.Empty, RemoteError or ConnectionError when there is none."""
        self._outgoing.put(pb.StreamFramesRequest(frame=raw))
        answer = self._answers.get(timeout=_ANSWER_WITHIN_S)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self, *, hang_up: bool) -> None:
        """Ends the stream; `hang_up` does not wait for the other side."""
        self._outgoing.put(None)
        if hang_up:
            self._stream.cancel()

    def _requests(self) -> Iterator[pb.StreamFramesRequest]:
        while (request := self._outgoing.get()) is not None:
            yield request

    def _read(self) -> None:
        try:
            for answer in self._stream:
                self._answers.put(answer)
            self._answers.put(ConnectionError("the stream was ended"))
        except Exception as error:  # noqa: BLE001
            self._answers.put(error)


class FrameStream:
    """Frames of one bedside, in lockstep. Not to be shared between threads."""

    def __init__(self, calls: Calls, context: RequestContext) -> None:
        self._calls, self._context = calls, context
        self._connection: _Connection | None = None
        self.frames = 0

    def __enter__(self) -> "FrameStream":
        return self

    def __exit__(self, *error: Any) -> None:
        if self._connection is not None:
            self._connection.close(hang_up=error[0] is not None)
            self._connection = None

    def send(self, frame: types.Frame) -> None:
        """Returns once the frame is durable. Unexpected when it breaks a rule; GaveUp when nobody answers for too long."""
        raw, began, pause_s = frame.SerializeToString(), time.monotonic(), _FIRST_PAUSE_S
        while True:
            sent = time.monotonic()
            answer = self._try(raw)
            if answer is not None:
                break
            if time.monotonic() - began > self._calls.patience_s:
                raise GaveUp(f"StreamFrames: no acknowledgement for {time.monotonic() - began:.0f} s")
            self._calls.measured.again()
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        if answer.refused_rule:
            raise Unexpected(f"StreamFrames: {answer.refused_rule}")
        if answer.sequence != frame.sequence:
            raise Unexpected("StreamFrames: the acknowledgement must name the frame that was sent")
        self._calls.measured.call("StreamFrames", time.monotonic() - sent)
        self.frames += 1

    def _try(self, raw: bytes) -> pb.StreamFramesResponse | None:
        """The answer, or None when the connection is of no more use."""
        try:
            if self._connection is None:
                self._connection = _Connection(self._calls, self._context)
            return self._connection.exchange(raw)
        except (queue.Empty, LookupError, ConnectionError):
            pass
        except RemoteError as error:
            if error.code not in NO_ANSWER:
                raise
        if self._connection is not None:
            self._connection.close(hang_up=True)
            self._connection = None
        return None
