"""What stands at the chair: pump and monitor of a lane, for one session at a time."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.frame_stream import FrameStream
from simulator.frames import Timed
from simulator.hl7_messages import pcd01
from simulator.mllp_link import MllpLink
from simulator.monitor import Monitor, Playback
from simulator.places import Lane
from simulator.pump import Pump

# How much of clinic time one frame of the monitor covers.
FRAME_MIN: Final = 5


class Feed(Protocol):
    """A way for the monitor's samples into the network."""

    @property
    def last_sequence(self) -> int:
        """The number of the monitor's last frame."""

    def send(self, samples: list[Timed]) -> None:
        """Returns once they are acknowledged."""


class PumpStream(Protocol):
    """A way for the pump's reports into the network."""

    def send(self, frame: types.Frame) -> None:
        """Returns once the frame is acknowledged; it then has the number that the network knows it by."""


@dataclass
class Bench:
    """Pump and monitor of a lane with what they remember from session to session, and whose turn it is."""

    lane: Lane
    pump: Pump
    spare: Pump
    monitor: Monitor
    hl7_messages: int = 0
    # Frames that the network made of what the pump said over HL7.
    pump_hl7_frames: int = 0
    _turn: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def await_turn(self, turn: int) -> None:
        """Waits until every earlier patient of the day has left the lane: a device belongs to one session at a time."""
        with self._changed:
            self._changed.wait_for(lambda: self._turn >= turn)

    def leave(self, turn: int) -> None:
        """The next patient may come."""
        with self._changed:
            self._turn = max(self._turn, turn + 1)
            self._changed.notify_all()


def bench(lane: Lane, cuff_period_s: int) -> Bench:
    """Devices as they come from the store."""
    return Bench(
        lane,
        Pump(lane.id("pump")),
        Pump(lane.id("spare_pump")),
        Monitor(lane.id("monitor"), cuff_period_s=cuff_period_s),
    )


class FrameFeed:
    """The monitor on the gRPC stream: columns of several minutes a frame."""

    def __init__(self, stream: FrameStream, monitor: Monitor) -> None:
        self._stream, self._monitor = stream, monitor
        self._last_sequence = 0

    @property
    def last_sequence(self) -> int:
        """As the monitor counts."""
        return self._last_sequence

    def send(self, samples: list[Timed]) -> None:
        """Cut into frames of at most the contract's size."""
        for frame in self._monitor.frames(samples):
            self._stream.send(frame)
            self._last_sequence = frame.sequence


class Hl7Feed:
    """The monitor on MLLP: one PCD-01 message a minute, its control id the same for every repetition."""

    def __init__(self, link: MllpLink, bench: Bench) -> None:
        self._link, self._bench = link, bench

    @property
    def last_sequence(self) -> int:
        """The network numbers the messages of a device as they come."""
        return self._bench.hl7_messages

    def send(self, samples: list[Timed]) -> None:
        """One message for each moment."""
        lane = self._bench.lane
        for at in sorted({timed.at for timed in samples}):
            control_id = f"{lane.id('monitor')[:8]}{int(at.timestamp()):d}"
            taken = [timed.sample for timed in samples if timed.at == at]
            self._link.send(pcd01(lane.equipment_id("monitor"), control_id, at, taken))
            self._bench.hl7_messages += 1


class Bedside:
    """The devices in lockstep: samples first, then the pump, each acknowledged before the next."""

    def __init__(self, stream: PumpStream, pump: Pump, feed: Feed, playback: Playback) -> None:
        self._stream, self.pump, self._feed, self._playback = stream, pump, feed, playback
        self.pump_sequence = 0

    def watch_until(self, moment: datetime) -> None:
        """Sends what the monitor measured up to this moment."""
        samples = self._playback.until(moment)
        while samples:
            end = samples[0].at + timedelta(minutes=FRAME_MIN)
            self._feed.send([timed for timed in samples if timed.at < end])
            samples = [timed for timed in samples if timed.at >= end]

    def report(self) -> types.Frame:
        """Sends what the pump says now."""
        frame = self.pump.frame()
        self._stream.send(frame)
        self.pump_sequence = frame.sequence
        return frame
