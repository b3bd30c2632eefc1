"""What the nurse does at the chair with devices: attach, set, start, look, detach."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1.types_pb2 import PumpProgramme
from simulator.bedside import Bedside
from simulator.day import Visit
from simulator.episode import Episode
from simulator.planning import Order
from simulator.pump import Programme

_NOT_THERE_YET: Final = ("NOT_FOUND",)
# Answers of other services that did not come in time, and reports that are not on record yet.
ON_ITS_WAY: Final = (
    "NOT_FOUND",
    "NO_ECHO",
    "NOT_AUTHORISED_UNREACHABLE",
    "PEER_UNAVAILABLE",
    "PEER_DEADLINE",
    "SESSION_NOT_YET_READY",
)


def attach(episode: Episode, visit: Visit, order: Order, kind: str) -> None:
    """By the nurse, after the two identifiers."""
    request = pb.AttachDeviceRequest(
        device_id=visit.lane.id(kind), session_id=order.session_id, identity_checked_twice=True
    )
    episode.ask("nurse", "device_telemetry", "AttachDevice", request, place=visit.lane.place, until=_NOT_THERE_YET)


def detach(episode: Episode, visit: Visit, order: Order, kind: str) -> None:
    """The device is free for the next patient."""
    request = pb.DetachDeviceRequest(device_id=visit.lane.id(kind), session_id=order.session_id)
    episode.ask("nurse", "device_telemetry", "DetachDevice", request, place=visit.lane.place)


def start(episode: Episode, visit: Visit, order: Order, bedside: Bedside) -> None:
    """The pump echoes its programme, the start is authorised, and only the pump's own report begins the infusion."""
    episode.forward(2)
    bedside.watch_until(episode.now)
    bedside.pump.program(programme_of(order.programme), episode.now, clear_counter=visit.turn % 2 == 1)
    echo(episode, visit, order, bedside)
    episode.forward(1)
    request = pb.StartInfusionRequest(session_id=order.session_id, order_id=order.order_id)
    episode.ask("nurse", "device_telemetry", "StartInfusion", request, place=visit.lane.place, until=ON_ITS_WAY)
    episode.now += timedelta(seconds=5)
    bedside.pump.start(episode.now)
    bedside.report()
    watch(episode, visit, order, lambda now: now.state == "infusing", "pump start to infusing")


def echo(episode: Episode, visit: Visit, order: Order, bedside: Bedside) -> pb.GetSessionTelemetryResponse:
    """The pump says what it is set to; what is on record once that is."""
    echoed = bedside.report()
    return watch(
        episode,
        visit,
        order,
        lambda now: now.pump_report_at == echoed.first_sample_at,
        "pump report to echo on record",
    )


def programme_of(message: PumpProgramme) -> Programme:
    """The order's numbers as the nurse keys them in."""
    return Programme(
        message.drug_code,
        Decimal(message.concentration_mg_per_ml),
        Decimal(message.rate_ml_per_h),
        Decimal(message.vtbi_ml),
    )


def await_end(episode: Episode, visit: Visit, order: Order, sent: dict[str, int]) -> pb.GetSessionTelemetryResponse:
    """Waits until every frame that was sent is in the session's log and the infusion is over."""

    def over(now: pb.GetSessionTelemetryResponse) -> bool:
        applied = {device.device_id: device.last_sequence for device in now.devices}
        return now.state in ("completed", "aborted") and all(applied.get(one, 0) >= last for one, last in sent.items())

    return watch(episode, visit, order, over, "last frame to end on record")


def watch(episode: Episode, visit: Visit, order: Order, until: Any, effect: str) -> pb.GetSessionTelemetryResponse:
    """Reads the session's telemetry until it is as wanted."""
    request = pb.GetSessionTelemetryRequest(session_id=order.session_id)
    context = episode.context("nurse", visit.lane.place)
    found: pb.GetSessionTelemetryResponse = episode.calls.watch(
        "device_telemetry", "GetSessionTelemetry", request, context, until=until, effect=effect
    )
    return found
