"""What cancelling, arriving and missing have in common: one booking, locked, and the claims that it holds."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.unit_of_work import UnitOfWork
from scheduling.tables import booking, claim


def locked_booking(uow: UnitOfWork, session_id: str, allowed: tuple[str, ...], rule: str) -> Row[Any]:
    """The booking, locked until the end. NotFound, or FailedPrecondition BOOKING_STATE with `rule` in another state."""
    row = uow.execute(select(booking).where(booking.c.session_id == UUID(session_id)).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("session_id", "must be a booked session", session_id=session_id)
    if row.state not in allowed:
        raise FailedPrecondition("BOOKING_STATE", field="session_id", rule=rule, session_id=session_id)
    return row


def change_booking(uow: UnitOfWork, session_id: UUID, **values: str) -> None:
    """Sets columns of the booking, and when it changed by clinic time."""
    uow.execute(update(booking).where(booking.c.session_id == session_id).values(changed_at=uow.clinic_time, **values))


def free_claims(uow: UnitOfWork, session_id: UUID) -> None:
    """Chair, pump, monitor, nurse and person are free again for this time; the rows stay as a record."""
    uow.execute(update(claim).where(claim.c.session_id == session_id).values(active=False))
