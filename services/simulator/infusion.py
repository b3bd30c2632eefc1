"""From arrival to the end of recovery: devices attached, the start authorised, the infusion as its script goes."""

from collections import Counter, deque
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from saguaro.scheduling.v1 import service_pb2 as scheduling
from saguaro.treatment_plan.v1 import service_pb2 as plan
from saguaro.treatment_plan.v1.types_pb2 import PumpProgramme
from simulator.bedside import FRAME_MIN, Bedside, Bench, Feed, FrameFeed, Hl7Feed
from simulator.day import Visit
from simulator.drug import NDC, VIAL_MG_PER_ML, bag_of
from simulator.episode import Episode
from simulator.frame_stream import FrameStream
from simulator.mllp_link import MllpLink
from simulator.monitor import Playback
from simulator.planning import Order
from simulator.pump import Programme
from simulator.recording import Recording

_NOT_THERE_YET: Final = ("NOT_FOUND",)
_START_ON_ITS_WAY: Final = ("NOT_FOUND", "NO_ECHO", "NOT_AUTHORISED_UNREACHABLE", "PEER_UNAVAILABLE", "PEER_DEADLINE")
_RECOVERY_MIN: Final = 20
_KEEP_OPEN_MIN: Final = 10
_AROUND_MIN: Final = 60
# What a pump does by its script: minutes after the start, what, why.
_EVENTS: Final = {
    "paused": ((12, "pause", "paused"), (18, "resume", "")),
    "occluded": ((9, "pause", "occluded"), (11, "resume", "")),
    "aborted": ((17, "pause", "stopped"),),
}
# Alarms that an outage of the network causes by itself.
OUTAGE_ALARMS: Final = frozenset({"log.stopped"})


@dataclass(frozen=True)
class Infused:
    """How an infusion ended. Volumes by the pump; alarms by kind, those of an outage apart."""

    state: str
    concentration_mg_per_ml: Decimal
    pump_ml: Decimal
    reported_ml: Decimal
    alarms: Counter[str]
    outage_alarms: Counter[str]


def infuse(episode: Episode, visit: Visit, order: Order, bench: Bench, recording: Recording) -> Infused:
    """The whole second visit up to the end of recovery."""
    arrive(episode, visit, order)
    begins_at, script = episode.now, episode.script
    playback = Playback(recording, begins_at, script.window, script.duration_min + _AROUND_MIN)
    context = episode.context("device", visit.lane.place)
    with ExitStack() as stack:
        stream = stack.enter_context(FrameStream(episode.calls, context))
        feed: Feed = FrameFeed(stream, bench.monitor)
        if script.way == "device_hl7":
            feed = Hl7Feed(stack.enter_context(MllpLink(episode.calls)), bench)
        bedside = Bedside(stream, bench.pump, feed, playback)
        start(episode, visit, order, bedside)
        run(episode, bedside)
        episode.forward(_RECOVERY_MIN)
        bedside.watch_until(episode.now)
        sent = {bench.pump.device_id: bedside.pump_sequence, bench.monitor.device_id: feed.last_sequence}
        ended = await_end(episode, order, sent)
    alarms = read_alarms(episode, order)
    detach(episode, visit, order)
    return Infused(
        state=ended.state,
        concentration_mg_per_ml=Decimal(order.programme.concentration_mg_per_ml),
        pump_ml=bench.pump.delivered_ml,
        reported_ml=Decimal(ended.delivered_ml),
        alarms=Counter(alarm.kind_code for alarm in alarms if alarm.kind_code not in OUTAGE_ALARMS),
        outage_alarms=Counter(alarm.kind_code for alarm in alarms if alarm.kind_code in OUTAGE_ALARMS),
    )


def arrive(episode: Episode, visit: Visit, order: Order) -> None:
    """At the door, on the scale, with the devices on; everything that must be there before a start is there."""
    place, script = visit.lane.place, episode.script
    episode.at(visit.starts_at)
    arrival = scheduling.RecordArrivalRequest(request_id=episode.request_id(), session_id=order.session_id)
    episode.ask("nurse", "scheduling", "RecordArrival", arrival, place=place)
    episode.forward(5)
    bag = bag_of(order.programme)
    ready = plan.MarkSessionReadyRequest(
        request_id=episode.request_id(),
        session_id=order.session_id,
        arrival_weight_kg=str(script.arrival_weight_kg),
        bag_prepared_by=place.staff("nurse"),
        bag_checked_by=place.staff("second_nurse"),
        ndc=NDC,
        vial_concentration_mg_per_ml=str(VIAL_MG_PER_ML),
        drawn_ml=str(bag.drawn_ml),
        bag_volume_ml=str(bag.volume_ml),
        identity_checked_twice=True,
        fasting_confirmed=True,
        driver_confirmed=True,
    )
    episode.ask("nurse", "treatment_plan", "MarkSessionReady", ready, place=place)
    episode.forward(1)
    for kind in ("pump", "monitor"):
        attach = pb.AttachDeviceRequest(
            request_id=episode.request_id(), device_id=visit.lane.id(kind), session_id=order.session_id
        )
        episode.ask("nurse", "device_telemetry", "AttachDevice", attach, place=place, until=_NOT_THERE_YET)


def start(episode: Episode, visit: Visit, order: Order, bedside: Bedside) -> None:
    """The pump echoes its programme, the start is authorised, and only the pump's own report begins the infusion."""
    episode.forward(3)
    bedside.watch_until(episode.now)
    programme = programme_of(order.programme)
    bedside.pump.program(programme, episode.now, clear_counter=visit.turn % 2 == 1)
    echoed = bedside.report()
    _watch(episode, order, lambda now: now.pump_report_at == echoed.first_sample_at, "pump report to echo on record")
    episode.forward(1)
    request = pb.StartInfusionRequest(
        request_id=episode.request_id(), session_id=order.session_id, order_id=order.order_id
    )
    episode.ask("nurse", "device_telemetry", "StartInfusion", request, place=visit.lane.place, until=_START_ON_ITS_WAY)
    episode.now += timedelta(seconds=5)
    bedside.pump.start(episode.now)
    bedside.report()
    _watch(episode, order, lambda now: now.state == "infusing", "pump start to infusing")


def programme_of(message: PumpProgramme) -> Programme:
    """The order's numbers as the nurse keys them in."""
    return Programme(
        message.drug_code,
        Decimal(message.concentration_mg_per_ml),
        Decimal(message.rate_ml_per_h),
        Decimal(message.vtbi_ml),
    )


def run(episode: Episode, bedside: Bedside) -> None:
    """Clinic time passes in steps: whatever comes first of the next look, the script's next event and the pump's own end."""
    pump, began = bedside.pump, episode.now
    events = deque(_EVENTS.get(episode.script.way, ()))
    while True:
        step = began + timedelta(minutes=FRAME_MIN)
        while step <= episode.now:
            step += timedelta(minutes=FRAME_MIN)
        event_at = began + timedelta(minutes=events[0][0]) if events else None
        ends_at = pump.ends_at() if pump.infusing else None
        moment = min(at for at in (step, event_at, ends_at) if at is not None)
        _to(episode, bedside, moment)
        if moment == ends_at:
            _end(episode, bedside)
            return
        if moment == event_at:
            _, what, reason = events.popleft()
            if what == "resume":
                pump.start(moment)
            else:
                pump.pause(moment, reason)
        else:
            pump.advance(moment)
        bedside.report()
        if not pump.infusing and not events:
            return


def _to(episode: Episode, bedside: Bedside, moment: datetime) -> None:
    episode.at(moment)
    bedside.watch_until(moment)


def _end(episode: Episode, bedside: Bedside) -> None:
    """All went in: the pump stands still, or keeps the vein open for a while first."""
    if episode.script.way == "keep_vein_open":
        bedside.pump.keep_vein_open(episode.now)
        bedside.report()
        _to(episode, bedside, episode.now + timedelta(minutes=_KEEP_OPEN_MIN))
    bedside.pump.complete(episode.now)
    bedside.report()


def await_end(episode: Episode, order: Order, sent: dict[str, int]) -> Any:
    """Waits until every frame that was sent is in the session's log and the infusion is over."""

    def over(now: pb.GetSessionTelemetryResponse) -> bool:
        applied = {device.device_id: device.last_sequence for device in now.devices}
        return now.state in ("completed", "aborted") and all(applied.get(one, 0) >= last for one, last in sent.items())

    return _watch(episode, order, over, "last frame to end on record")


def read_alarms(episode: Episode, order: Order) -> list[types.Alarm]:
    """Every alarm of the session; the nurse acknowledges those of high priority."""
    found: list[types.Alarm] = []
    token = ""
    while True:
        request = pb.ListAlarmsRequest(session_id=order.session_id, page_size=500, page_token=token)
        page = episode.ask("nurse", "device_telemetry", "ListAlarms", request, place=episode.treated_at)
        found.extend(page.alarms)
        token = page.next_page_token
        if not token:
            break
    for alarm in found:
        if alarm.priority == types.ALARM_PRIORITY_HIGH and alarm.kind_code not in OUTAGE_ALARMS:
            seen = pb.AcknowledgeAlarmRequest(request_id=episode.request_id(), alarm_id=alarm.alarm_id)
            episode.ask("nurse", "device_telemetry", "AcknowledgeAlarm", seen, place=episode.treated_at)
    return found


def detach(episode: Episode, visit: Visit, order: Order) -> None:
    """Both devices are free for the next patient."""
    episode.forward(1)
    for kind in ("pump", "monitor"):
        request = pb.DetachDeviceRequest(
            request_id=episode.request_id(), device_id=visit.lane.id(kind), session_id=order.session_id
        )
        episode.ask("nurse", "device_telemetry", "DetachDevice", request, place=visit.lane.place)


def _watch(episode: Episode, order: Order, until: Any, effect: str) -> Any:
    request = pb.GetSessionTelemetryRequest(session_id=order.session_id)
    context = episode.context("nurse", episode.treated_at)
    return episode.calls.watch("device_telemetry", "GetSessionTelemetry", request, context, until=until, effect=effect)
