"""Somebody does not wait any more; a time that was held for them goes to the next in line."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.release_hold import release
from scheduling.domain import words
from scheduling.tables import hold, waiting_entry


def handle(uow: UnitOfWork, request: pb.LeaveWaitingListRequest) -> Ids:
    """Ends the wait. NotFound, or FailedPrecondition NOT_WAITING for an entry that is booked or left."""
    waiting_id = UUID(request.waiting_id)
    table = waiting_entry
    state = uow.execute(
        select(table.c.state).where(table.c.waiting_id == waiting_id).with_for_update()
    ).scalar_one_or_none()
    if state is None:
        raise NotFound("waiting_id", "must be an entry of the waiting list", waiting_id=request.waiting_id)
    if state not in (words.WAITING, words.OFFERED):
        raise FailedPrecondition(
            "NOT_WAITING", field="waiting_id", rule="must be waiting still", waiting_id=request.waiting_id
        )
    uow.execute(
        update(table).where(table.c.waiting_id == waiting_id).values(state=words.LEFT, changed_at=uow.clinic_time)
    )
    held = uow.execute(
        select(hold.c.hold_id).where(hold.c.waiting_id == waiting_id, hold.c.state == words.HELD)
    ).scalars()
    for hold_id in held.all():
        release(uow, hold_id, "waiting_id")
    return {"waiting_id": request.waiting_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.LeaveWaitingListResponse:
    """The entry's id."""
    return pb.LeaveWaitingListResponse(waiting_id=ids["waiting_id"])


COMMAND = Command("LeaveWaitingList", pb.LeaveWaitingListRequest, handle, answer, roles=ROLES)
