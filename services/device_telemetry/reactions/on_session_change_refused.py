"""A change was refused by somebody, or ran out of time: the session stands as it was."""

from uuid import UUID

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.changes import lock_session, settle
from saguaro.scheduling.v1 import events_pb2 as scheduling


def react(uow: UnitOfWork, event: scheduling.SessionChangeRefused) -> None:
    """Settles the change: it may start again. Early while the booking is not known."""
    session_id = UUID(event.session_id)
    if lock_session(uow, session_id) is None:
        raise Early(f"session:{event.session_id}")
    settle(uow, session_id, "refused", from_timestamp(event.refused_at))
