"""A device's alert (PCD-04) as an alarm of the session that the device was attached to when it happened."""

from collections.abc import Mapping

from chassis.unit_of_work import UnitOfWork
from device_telemetry.device_alarms import clear_device_alarm, raise_device_alarm
from device_telemetry.domain.alarm_kinds import CLOCK_AHEAD, Kind
from device_telemetry.domain.alert_terms import POINT, RANKED_ANEW
from device_telemetry.domain.hl7_content import Taken
from device_telemetry.domain.hl7_rows import milliseconds
from device_telemetry.ingest import hl7_frames
from device_telemetry.ingest.directory import Directory


def take(
    uow: UnitOfWork,
    directory: Directory,
    taken: Taken,
    known: Mapping[str, str],
    strangers: frozenset[str],
    content: bytes,
) -> None:
    """Raises, continues or clears the alarm. That of a device attached to nothing is kept for an operator."""
    alert = taken.alert
    if alert is None or alert.is_heartbeat or not taken.sent.production:
        return
    device_id = hl7_frames.device_of(alert.equipment, known)
    if device_id is None or device_id in strangers:
        return
    # An alert from the future is told at the time of its message, and the clock is an alarm of its own.
    at_ms = milliseconds(taken.sent.at) if alert.in_future else alert.at_ms
    session_id = directory.session_at(device_id, at_ms)
    if session_id is None:
        uow.quarantine("hl7", device_id, "OBX-18: must be attached to a session when its alert happened", content)
        return
    change = raise_device_alarm if alert.in_future else clear_device_alarm
    change(uow, session_id, device_id, CLOCK_AHEAD, at_ms)
    kind = Kind(alert.kind, alert.priority, alert.category)
    # With another priority it is another alarm: the first one is over.
    if not alert.active or alert.phase in RANKED_ANEW:
        clear_device_alarm(uow, session_id, device_id, kind, at_ms)
    if alert.active:
        raise_device_alarm(uow, session_id, device_id, kind, at_ms)
    if alert.active and alert.phase == POINT:
        clear_device_alarm(uow, session_id, device_id, kind, at_ms)
