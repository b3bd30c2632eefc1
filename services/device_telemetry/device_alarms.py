"""Alarms that a device or a message brings by itself, beside what the rules find in frames: on and off, once each.

They stand on the same board as all other alarms of the session, so that they escalate, latch and are acknowledged in the same way.
Safe to call again: a condition that is known changes nothing. Needs a unit of work of the api or of the worker; emits the events.
"""

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.alarm_board import AlarmBoard, key_of
from device_telemetry.domain.alarm_kinds import Kind
from device_telemetry.domain.findings import Finding
from device_telemetry.frames import kept_state
from device_telemetry.frames.report_findings import report_findings


def raise_device_alarm(uow: UnitOfWork, session_id: str, device_id: str, kind: Kind, at_ms: int) -> None:
    """The condition holds at this device since `at_ms` (milliseconds since 1970, by the device's clock)."""
    _set(uow, session_id, device_id, kind, at_ms, holds=True)


def clear_device_alarm(uow: UnitOfWork, session_id: str, device_id: str, kind: Kind, at_ms: int) -> None:
    """The condition is over at this device."""
    _set(uow, session_id, device_id, kind, at_ms, holds=False)


def _set(uow: UnitOfWork, session_id: str, device_id: str, kind: Kind, at_ms: int, *, holds: bool) -> None:
    session = kept_state.load(uow, [session_id])[session_id]
    # The first word of a session begins its clock; later ones are judged by it.
    session.state.log_ms = session.state.log_ms or at_ms
    found: list[Finding] = []
    board = AlarmBoard(session.state, device_id, found)
    key = key_of(kind.code, device_id)
    if holds:
        board.on(kind.code, kind.priority, kind.category, at_ms, device_id, key)
    else:
        board.off(key, at_ms)
    if found:
        kept_state.save(uow, [session])
        report_findings(uow, session, found)
