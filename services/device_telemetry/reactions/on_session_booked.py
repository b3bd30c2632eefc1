"""A session is booked: its person and site are known before a device is put to it."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.tables import infusion_session
from saguaro.scheduling.v1 import events_pb2 as scheduling


def react(uow: UnitOfWork, event: scheduling.SessionBooked) -> None:
    """Keeps a copy; lets go on what waited for the session."""
    uow.execute(
        insert(infusion_session)
        .values(
            session_id=UUID(event.session_id),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            correlation_id=uow.context.correlation_id,
            booked_at=from_timestamp(event.booked_at),
        )
        .on_conflict_do_nothing(index_elements=["session_id"])
    )
    uow.arrived(f"session:{event.session_id}")
