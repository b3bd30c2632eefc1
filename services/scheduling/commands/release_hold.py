"""Nobody needs the held time any more."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.offers import offer_freed
from scheduling.commands.release import let_go
from scheduling.domain import words
from scheduling.domain.visit import Span
from scheduling.tables import hold


def handle(uow: UnitOfWork, request: pb.ReleaseHoldRequest) -> Ids:
    """Frees what is held and offers it to who waits. HOLD_NOT_HELD for one that is confirmed, released or over."""
    release(uow, UUID(request.hold_id), "hold_id")
    return {"hold_id": request.hold_id}


def release(uow: UnitOfWork, hold_id: UUID, field: str) -> None:
    """Lets the hold go, also one that is over, and offers its time to the next in line."""
    row = uow.execute(
        select(hold.c.site_id, hold.c.starts_at, hold.c.ends_at).where(hold.c.hold_id == hold_id)
    ).one_or_none()
    if row is None:
        raise NotFound(field, "must be a hold on record", hold_id=str(hold_id))
    if not let_go(uow, hold_id, words.RELEASED):
        raise FailedPrecondition("HOLD_NOT_HELD", field=field, rule="must be held still", hold_id=str(hold_id))
    offer_freed(uow, row.site_id, Span(row.starts_at, row.ends_at))


def answer(uow: UnitOfWork, ids: Ids) -> pb.ReleaseHoldResponse:
    """The hold that let go."""
    return pb.ReleaseHoldResponse(hold_id=ids["hold_id"])


COMMAND = Command("ReleaseHold", pb.ReleaseHoldRequest, handle, answer, roles=ROLES)
