"""A session is cancelled: no device is put to it, those that are attached are taken off, and nothing starts in it."""

from uuid import UUID

from sqlalchemy import update

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.changes import lock_session, settle, take_devices_off
from device_telemetry.tables import infusion_session
from saguaro.scheduling.v1 import events_pb2 as scheduling


def react(uow: UnitOfWork, event: scheduling.SessionCancelled) -> None:
    """Marks the copy and settles a change. Early while the booking itself is not known."""
    session_id, at = UUID(event.session_id), from_timestamp(event.cancelled_at)
    if lock_session(uow, session_id) is None:
        raise Early(f"session:{event.session_id}")
    uow.execute(update(infusion_session).where(infusion_session.c.session_id == session_id).values(cancelled_at=at))
    settle(uow, session_id, "cancelled", at)
    take_devices_off(uow, session_id, at)
