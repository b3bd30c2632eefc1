"""Changes of a booking under way: while scheduling has not said what became of one, nothing is ordered or started."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select, update

from chassis.errors import FailedPrecondition
from chassis.unit_of_work import UnitOfWork
from treatment_plan.hold_tables import session_change


def refuse_while_pending(uow: UnitOfWork, session_id: UUID) -> None:
    """FailedPrecondition CHANGE_PENDING; to be called with the session locked. The caller repeats."""
    pending = and_(
        session_change.c.session_id == session_id, session_change.c.accepted, session_change.c.settled_at.is_(None)
    )
    if uow.execute(select(session_change.c.change_id).where(pending).limit(1)).one_or_none() is None:
        return
    raise FailedPrecondition(
        "CHANGE_PENDING",
        field="session_id",
        rule="a change of the session's booking must be decided first; repeat the call with the same request_id",
        session_id=str(session_id),
    )


def settle(uow: UnitOfWork, session_id: UUID, at: datetime) -> None:
    """Whatever was under way for this session is decided."""
    uow.execute(
        update(session_change)
        .where(session_change.c.session_id == session_id, session_change.c.settled_at.is_(None))
        .values(settled_at=at)
    )
