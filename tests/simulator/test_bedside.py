"""The devices at a chair: one patient at a time, samples in the order of time, every message numbered."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast
from uuid import UUID

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.bedside import Bedside, FrameFeed, Hl7Feed, bench
from simulator.frame_stream import FrameStream
from simulator.frames import Timed
from simulator.mllp_link import MllpLink
from simulator.monitor import Playback
from simulator.places import Lane, Place, Run
from simulator.recording import Sample, read_recording

BEGAN = datetime(2026, 7, 14, 14, tzinfo=UTC)
LANE = Lane(Place(Run(UUID(int=1)), 0), 1)


class Kept:
    """Takes frames or messages and keeps them."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, what: Any) -> None:
        self.sent.append(what)


def test_a_patient_waits_for_those_before_and_nobody_else() -> None:
    chair, order = bench(LANE, 600), list[int]()

    def patient(turn: int) -> None:
        chair.await_turn(turn)
        order.append(turn)
        chair.leave(turn)

    threads = [threading.Thread(target=patient, args=(turn,)) for turn in (2, 1, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2]


def test_leaving_twice_lets_nobody_in_early() -> None:
    chair = bench(LANE, 600)
    chair.leave(0)
    chair.leave(1)
    chair.leave(0)
    chair.await_turn(2)
    assert chair._turn == 2, "the third patient's turn, and not yet the fourth's"


def test_frames_of_the_monitor_never_go_back_in_time_and_cover_at_most_five_minutes() -> None:
    kept, chair = Kept(), bench(LANE, 600)
    feed = FrameFeed(cast(FrameStream, kept), chair.monitor)
    bedside = Bedside(cast(FrameStream, kept), chair.pump, feed, Playback(read_recording(), BEGAN, 0.05, 60))
    for minutes in (3, 4, 22, 50):
        bedside.watch_until(BEGAN + timedelta(minutes=minutes))
    frames: list[types.Frame] = kept.sent
    firsts = [frame.first_sample_at.ToDatetime(tzinfo=UTC) for frame in frames]
    lasts = [
        first + timedelta(milliseconds=int.from_bytes(frame.delta_ms[-4:], "little"))
        for first, frame in zip(firsts, frames, strict=True)
    ]
    assert [frame.sequence for frame in frames] == list(range(1, len(frames) + 1))
    assert feed.last_sequence == len(frames)
    assert all(earlier <= later for earlier, later in pairwise(lasts))
    assert all(last - first < timedelta(minutes=5) for first, last in zip(firsts, lasts, strict=True))
    assert lasts[-1] == BEGAN + timedelta(minutes=50)


def test_an_hl7_monitor_sends_one_message_a_minute_with_an_id_of_its_own() -> None:
    kept, chair = Kept(), bench(LANE, 600)
    feed = Hl7Feed(cast(MllpLink, kept), chair)
    sample = Sample(147842, Decimal(60), types.SAMPLE_QUALITY_USABLE)
    feed.send([Timed(BEGAN + timedelta(minutes=minute), sample) for minute in (0, 0, 1)])
    feed.send([Timed(BEGAN + timedelta(minutes=2), sample)])
    ids = [message.split(b"|")[9] for message in kept.sent]
    assert len(set(ids)) == len(ids) == 3
    assert feed.last_sequence == chair.hl7_messages == 3
    assert all(LANE.equipment_id("monitor").encode() in message for message in kept.sent)
