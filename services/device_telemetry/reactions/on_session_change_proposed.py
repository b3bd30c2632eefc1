"""Scheduling asks whether a session may be moved or cancelled: not while its devices are in use."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from device_telemetry.care_tables import session_change
from device_telemetry.changes import devices_in_use, lock_session
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.scheduling.v1 import events_pb2 as scheduling


def react(uow: UnitOfWork, event: scheduling.SessionChangeProposed) -> None:
    """Answers once, and while an accepted change waits, nothing starts. Early while the booking is not known."""
    session_id = UUID(event.session_id)
    session = lock_session(uow, session_id)
    if session is None:
        raise Early(f"session:{event.session_id}")
    accepted = not devices_in_use(uow, session_id)
    reason_code = "" if accepted else "devices.infusing"
    made = uow.execute(
        insert(session_change)
        .values(
            change_id=UUID(event.change_id),
            session_id=session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            kind=event.kind,
            accepted=accepted,
            reason_code=reason_code,
            proposed_at=from_timestamp(event.proposed_at),
        )
        .on_conflict_do_nothing(index_elements=["change_id"])
        .returning(session_change.c.change_id)
    ).one_or_none()
    if made is None:
        return
    uow.emit(
        events.SessionChangeAnswered(
            change_id=event.change_id,
            session_id=event.session_id,
            person_id=str(session.person_id),
            site_id=str(session.site_id),
            accepted=accepted,
            reason_code=reason_code,
            answered_at=to_timestamp(uow.clinic_time),
        )
    )
