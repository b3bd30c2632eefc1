"""What cancelling, moving, arriving and missing have in common: one booking, locked, and the claims that it holds."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.unit_of_work import UnitOfWork
from scheduling.domain import words
from scheduling.tables import booking, claim, session_change


def locked_booking(uow: UnitOfWork, session_id: str, allowed: tuple[str, ...], rule: str) -> Row[Any]:
    """The booking, locked until the end. NotFound, or FailedPrecondition BOOKING_STATE with `rule` in another state.

    FailedPrecondition CHANGE_PENDING while a move or a cancellation of it waits for its answers: the caller repeats.
    """
    row = uow.execute(select(booking).where(booking.c.session_id == UUID(session_id)).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("session_id", "must be a booked session", session_id=session_id)
    if row.state not in allowed:
        raise FailedPrecondition("BOOKING_STATE", field="session_id", rule=rule, session_id=session_id)
    pending = uow.execute(
        select(session_change.c.change_id).where(
            session_change.c.session_id == row.session_id, session_change.c.state == words.PROPOSED
        )
    ).scalar_one_or_none()
    if pending is not None:
        raise FailedPrecondition(
            "CHANGE_PENDING",
            field="session_id",
            rule="a move or a cancellation of the session is not decided yet; try again in a moment",
            session_id=session_id,
            change_id=str(pending),
        )
    return row


def change_booking(uow: UnitOfWork, session_id: UUID, **values: Any) -> None:
    """Sets columns of the booking, and when it changed by clinic time."""
    uow.execute(update(booking).where(booking.c.session_id == session_id).values(changed_at=uow.clinic_time, **values))


def free_claims(uow: UnitOfWork, session_id: UUID) -> None:
    """Chair, pump, monitor, nurse and person are free again for this time; the rows stay as a record."""
    uow.execute(update(claim).where(claim.c.session_id == session_id).values(active=False))
