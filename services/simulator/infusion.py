"""One infusion from the closed gate to the monitor coming off: devices attached, the start authorised, the course, the end."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from chassis.values import from_timestamp
from simulator.alarms import OUTAGE_ALARMS, read_alarms
from simulator.bedside import Bedside, Bench, Feed, FrameFeed, Hl7Feed, PumpStream
from simulator.chairside import attach, await_end, detach, start
from simulator.course import Course
from simulator.day import Visit
from simulator.episode import Episode
from simulator.frame_stream import FrameStream
from simulator.hl7_pump import Hl7PumpStream
from simulator.mllp_link import MllpLink
from simulator.monitor import Playback
from simulator.planning import Order
from simulator.recording import Recording

# The monitor stays on for the first part of the recovery; then the nurse looks every quarter of an hour.
_WATCHED_AFTER_MIN: Final = 20
_AROUND_MIN: Final = 90


@dataclass(frozen=True)
class Infused:
    """How an infusion ended. Volumes by the pumps; alarms by kind, those of an outage apart."""

    state: str
    # Safety flags that were raised while it ran.
    flag_ids: tuple[str, ...]
    # The end of the infusion: how long the person must be observed is counted from here.
    ended_at: datetime
    concentration_mg_per_ml: Decimal
    pump_ml: Decimal
    reported_ml: Decimal
    alarms: Counter[str]
    outage_alarms: Counter[str]


def infuse(episode: Episode, visit: Visit, order: Order, bench: Bench, recording: Recording) -> Infused:
    """From the closed gate until the monitor comes off."""
    for kind in ("pump", "monitor"):
        attach(episode, visit, order, kind)
    begins_at, script = episode.now, episode.script
    playback = Playback(recording, begins_at, script.window, script.duration_min + _AROUND_MIN)
    context = episode.context("device", visit.lane.place)
    with ExitStack() as stack:
        stream = stack.enter_context(FrameStream(episode.calls, context))
        feed: Feed = FrameFeed(stream, bench.monitor)
        pump_stream: PumpStream = stream
        over_hl7 = None
        if script.way == "device_hl7":
            feed = Hl7Feed(stack.enter_context(MllpLink(episode.calls)), bench)
            # The pump has a connection of its own.
            link = stack.enter_context(MllpLink(episode.calls))
            over_hl7 = Hl7PumpStream(link, visit.lane.equipment_id("pump"), bench.pump_hl7_frames)
            pump_stream = over_hl7
        bedside = Bedside(pump_stream, bench.pump, feed, playback)
        start(episode, visit, order, bedside)
        course = Course(episode, visit, order, bedside, bench)
        course.run()
        episode.forward(_WATCHED_AFTER_MIN)
        bedside.watch_until(episode.now)
        if over_hl7 is not None:
            bench.pump_hl7_frames = over_hl7.last_sequence
        sent = {**course.last_frames, bench.monitor.device_id: feed.last_sequence}
        ended = await_end(episode, visit, order, sent)
    alarms = read_alarms(episode, visit, order)
    for kind in (course.pump_kind, "monitor"):
        detach(episode, visit, order, kind)
    return Infused(
        state=ended.state,
        flag_ids=tuple(course.flag_ids),
        ended_at=from_timestamp(ended.stopped_at),
        concentration_mg_per_ml=Decimal(order.programme.concentration_mg_per_ml),
        pump_ml=course.delivered_ml,
        reported_ml=Decimal(ended.delivered_ml),
        alarms=Counter(alarm.kind_code for alarm in alarms if alarm.kind_code not in OUTAGE_ALARMS),
        outage_alarms=Counter(alarm.kind_code for alarm in alarms if alarm.kind_code in OUTAGE_ALARMS),
    )
