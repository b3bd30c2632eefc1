"""A session stands at another time, with other devices perhaps: those that are attached are taken off."""

from uuid import UUID

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.changes import lock_session, settle, take_devices_off
from saguaro.scheduling.v1 import events_pb2 as scheduling


def react(uow: UnitOfWork, event: scheduling.SessionMoved) -> None:
    """Settles the change. Early while the booking is not known."""
    session_id, at = UUID(event.session_id), from_timestamp(event.moved_at)
    if lock_session(uow, session_id) is None:
        raise Early(f"session:{event.session_id}")
    settle(uow, session_id, "moved", at)
    take_devices_off(uow, session_id, at)
