"""A session is cancelled: no device is put to it and nothing starts in it."""

from uuid import UUID

from sqlalchemy import update

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.tables import infusion_session
from saguaro.scheduling.v1 import events_pb2 as scheduling


def react(uow: UnitOfWork, event: scheduling.SessionCancelled) -> None:
    """Marks the copy. Early while the booking itself is not known."""
    changed = uow.execute(
        update(infusion_session)
        .where(infusion_session.c.session_id == UUID(event.session_id))
        .values(cancelled_at=from_timestamp(event.cancelled_at))
    )
    if changed.rowcount == 0:
        raise Early(f"session:{event.session_id}")
