"""One device of your own against a running network: `saguaro simulate monitor`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from chassis.context import RequestContext
from chassis.remote import RemoteError
from chassis.values import from_timestamp
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from saguaro.scheduling.v1 import service_pb2 as scheduling
from saguaro.scheduling.v1.types_pb2 import Booking
from simulator.calls import Address, Calls, GaveUp
from simulator.frame_stream import FrameStream
from simulator.frames import Timed
from simulator.monitor import Monitor, held
from simulator.recording import PERIOD_S, Recording, read_recording

_FRAME_S: Final = 60
_ALREADY: Final = frozenset({"DEVICE_REGISTERED", "DEVICE_ATTACHED", "SESSION_HAS_DEVICE"})


def simulate_monitor(
    addresses: Mapping[str, Address],
    vitals_file: Path,
    session_id: str,
    *,
    hold: bool = False,
    at: datetime | None = None,
    patience_s: float = 30.0,
) -> dict[str, Any]:
    """Replays a recording as the monitor that is booked for a session, as fast as the network acknowledges.

    The first row is taken at `at` (aware), by default the booked start. With `hold` each value is repeated at 1 Hz and marked HELD.
    Returns {session_id, device_id, frames, samples, held, from, until, charted}; `charted` is false when the last frame did not become
    part of the session's log, as when the monitor was attached elsewhere at that time. ValueError for a bad file, RemoteError for an
    unknown session.
    """
    recording = read_recording(vitals_file)
    calls, asker = Calls(addresses, patience_s), uuid4()
    booking = _booking(calls, asker, session_id, at)
    begins_at = at or from_timestamp(booking.starts_at)
    context = _context(asker, "nurse", booking.site_id, begins_at)
    monitor = _attached(calls, context, booking, recording.cuff_period_s)
    samples = samples_of(recording, begins_at, hold=hold)
    with FrameStream(calls, context) as stream:
        for _, minute in groupby(samples, key=lambda timed: (timed.at - begins_at) // timedelta(seconds=_FRAME_S)):
            for frame in monitor.frames(list(minute)):
                stream.send(frame)
        frames = stream.frames
    return {
        "charted": _charted(calls, context, session_id, monitor),
        "session_id": session_id,
        "device_id": monitor.device_id,
        "frames": frames,
        "samples": len(samples),
        "held": sum(timed.sample.quality == types.SAMPLE_QUALITY_HELD for timed in samples),
        "from": begins_at.isoformat(),
        "until": samples[-1].at.isoformat() if samples else begins_at.isoformat(),
    }


def _charted(calls: Calls, context: RequestContext, session_id: str, monitor: Monitor) -> bool:
    def applied(now: pb.GetSessionTelemetryResponse) -> bool:
        known = {device.device_id: device.last_sequence for device in now.devices}
        return known.get(monitor.device_id, 0) >= monitor.last_sequence

    request = pb.GetSessionTelemetryRequest(session_id=session_id)
    try:
        calls.watch(
            "device_telemetry", "GetSessionTelemetry", request, context, until=applied, effect="last frame to chart"
        )
    except GaveUp:
        return False
    return True


def samples_of(recording: Recording, begins_at: datetime, *, hold: bool = False) -> list[Timed]:
    """Every row at the minute that it names, counted from the first."""
    first = recording.rows[0][0]
    rows = [(begins_at + timedelta(seconds=PERIOD_S * (minute - first)), row) for minute, row in recording.rows]
    if hold:
        return held(rows)
    return [Timed(taken, sample) for taken, row in rows for sample in row]


def _context(actor: UUID, role: str, site_id: str, at: datetime) -> RequestContext:
    return RequestContext(actor, role, site_id, "TREAT", actor, at)


def _booking(calls: Calls, actor: UUID, session_id: str, at: datetime | None) -> Booking:
    from_any_site = _context(actor, "scheduler", "", at or datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    request = scheduling.GetBookingRequest(session_id=session_id)
    booking: Booking = calls.ask("scheduling", "GetBooking", request, from_any_site).booking
    return booking


def _attached(calls: Calls, context: RequestContext, booking: Booking, cuff_period_s: int) -> Monitor:
    """The booked monitor, registered and attached if it was not yet; it goes on counting where it was."""
    operator = _context(context.actor_id, "operator", booking.site_id, context.clinic_time)
    registration = pb.RegisterDeviceRequest(
        request_id=str(uuid4()),
        device_id=booking.monitor_id,
        site_id=booking.site_id,
        kind=types.DEVICE_KIND_MONITOR,
    )
    attachment = pb.AttachDeviceRequest(
        request_id=str(uuid4()), device_id=booking.monitor_id, session_id=booking.session_id
    )
    for who, rpc, request in ((operator, "RegisterDevice", registration), (context, "AttachDevice", attachment)):
        try:
            calls.ask("device_telemetry", rpc, request, who, until=("NOT_FOUND",))
        except RemoteError as refused:
            if refused.reason not in _ALREADY:
                raise
    asked = pb.GetSessionTelemetryRequest(session_id=booking.session_id)
    known = calls.ask("device_telemetry", "GetSessionTelemetry", asked, context)
    last = {device.device_id: device.last_sequence for device in known.devices}
    first = last.get(booking.monitor_id, 0) + 1
    return Monitor(booking.monitor_id, first_sequence=first, cuff_period_s=cuff_period_s)
