"""The gRPC stream of a device: each frame is looked at, forwarded unread, and acknowledged by its sequence once it is durable.

A frame that breaks a rule is kept, answered with the rule, and the stream goes on. One thread takes frames in, the stream's own
thread answers in the same order, so that many frames are under way at once; a queue between them is bounded, which slows a device
that sends faster than the log takes.
"""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from typing import Any, Final

from google.protobuf.message import DecodeError

from chassis import metrics
from chassis.context import RequestContext
from chassis.database import Database
from chassis.errors import InvalidArgument, Unavailable
from chassis.grpc_servicer import StreamRpc
from device_telemetry.frames.check import checked, rule_of
from device_telemetry.frames.decode import first_ms_of
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import Entry, FrameLog
from device_telemetry.ingest.quarantine import keep_aside
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types

_UNDER_WAY: Final = 256
_LOOK_S: Final = 1.0

# Sequence, and how it went: on its way, or refused by a rule. None ends the stream, an exception breaks it.
_Step = tuple[int, Entry | str] | Exception | None


class FrameStreams:
    """What all streams of the process share."""

    def __init__(self, database: Database, directory: Directory, log: FrameLog) -> None:
        self._database, self._directory, self._log = database, directory, log

    def rpc(self) -> StreamRpc:
        """The function of StreamFrames, for the chassis."""
        return StreamRpc(self._run, raw=True)

    def _run(self, requests: Iterator[bytes], _context: RequestContext, call: Any) -> Iterator[pb.StreamFramesResponse]:
        steps: Queue[_Step] = Queue(_UNDER_WAY)
        threading.Thread(
            target=self._take, args=(requests, steps, call.is_active), name="frames-in", daemon=True
        ).start()
        with metrics.STREAMS_OPEN.labels("frame").track_inprogress():
            yield from _answers(steps, call.is_active)

    def _take(self, requests: Iterator[bytes], steps: "Queue[_Step]", active: Callable[[], bool]) -> None:
        try:
            for raw in requests:
                _put(steps, self._step(raw), active)
            _put(steps, None, active)
        except Exception as error:  # noqa: BLE001
            # A caller that hung up needs no answer; a database that is away is told, so that the device comes again.
            gone = not active()
            _put(
                steps,
                None if gone else Unavailable("STREAM_BROKEN", rule=f"send again: {type(error).__name__}"),
                active,
            )

    def _step(self, raw: bytes) -> _Step:
        content = raw
        frame: types.Frame | None = None
        try:
            content = _content(raw)
            frame = checked(content)
            if not self._directory.knows(frame.device_id):
                raise InvalidArgument("device_id", "must be a registered device")
        except InvalidArgument as refused:
            rule = rule_of(refused)
            device_id, sequence = _whose(content)
            keep_aside(self._database, "frame", device_id, rule, content)
            return sequence, rule
        log_id = self._directory.session_at(frame.device_id, first_ms_of(frame)) or frame.device_id
        return frame.sequence, self._log.append(log_id, frame, content)


def _answers(steps: "Queue[_Step]", active: Callable[[], bool]) -> Iterator[pb.StreamFramesResponse]:
    """An answer for each frame in its order, once it is durable or refused."""
    while True:
        try:
            step = steps.get(timeout=_LOOK_S)
        except Empty:
            if not active():
                return
            continue
        if step is None:
            return
        if isinstance(step, Exception):
            raise step
        sequence, outcome = step
        if isinstance(outcome, Entry):
            outcome.wait()
            yield pb.StreamFramesResponse(sequence=sequence)
        else:
            yield pb.StreamFramesResponse(sequence=sequence, refused_rule=outcome)


def _content(raw: bytes) -> bytes:
    request = pb.StreamFramesRequest()
    try:
        request.ParseFromString(raw)
    except DecodeError:
        raise InvalidArgument("", "must be a saguaro.device_telemetry.v1.StreamFramesRequest") from None
    if not request.frame:
        raise InvalidArgument("frame", "must hold a frame")
    return request.frame


def _whose(content: bytes) -> tuple[str, int]:
    """Device and sequence of a frame that breaks a rule, as far as they can be read."""
    frame = types.Frame()
    try:
        frame.ParseFromString(content)
    except DecodeError:
        return "unknown", 0
    return (frame.device_id if len(frame.device_id) == 36 else "unknown"), frame.sequence


def _put(steps: "Queue[_Step]", step: _Step, active: Callable[[], bool]) -> None:
    """Waits for room as long as somebody reads."""
    while active():
        try:
            steps.put(step, timeout=_LOOK_S)
        except Full:
            continue
        return
