"""An appointment is fulfilled once the infusion runs (HL7 FHIR R4, AppointmentStatus) and cannot be cancelled then."""

from uuid import UUID

from sqlalchemy import update

from chassis.errors import Poison
from chassis.unit_of_work import UnitOfWork
from scheduling.commands.settle_change import open_change, settle_refused
from scheduling.domain import words
from scheduling.tables import booking


def fulfil(uow: UnitOfWork, session_id: str) -> None:
    """Marks the booking fulfilled; a second event about it changes nothing.

    The claims stay as booked: the chair is needed until the end of recovery, the person's interval counts from the
    planned end. A booking that was cancelled or missed stays so. A move or a cancellation that still waits for answers
    comes too late and is refused. Poison for a session that nobody booked.
    """
    change = open_change(uow, UUID(session_id))
    if change is not None:
        settle_refused(uow, change, words.INFUSION_STARTED)
    row = uow.execute(
        update(booking)
        .where(booking.c.session_id == UUID(session_id))
        .where(booking.c.state.in_((words.BOOKED, words.ARRIVED)))
        .values(state=words.FULFILLED, changed_at=uow.clinic_time)
        .returning(booking.c.session_id)
    ).one_or_none()
    if row is None and not _booked(uow, session_id):
        raise Poison("session_id: must be a session that was booked here")


def _booked(uow: UnitOfWork, session_id: str) -> bool:
    found = uow.execute(booking.select().where(booking.c.session_id == UUID(session_id))).one_or_none()
    return found is not None
