"""What was held is booked."""

from uuid import UUID

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.confirm import confirm


def handle(uow: UnitOfWork, request: pb.ConfirmHoldRequest) -> Ids:
    """Books what is held; see confirm for what refuses."""
    return confirm(uow, UUID(request.hold_id), "hold_id")


def answer(uow: UnitOfWork, ids: Ids) -> pb.ConfirmHoldResponse:
    """The session, which has the hold's id, and the end of its visit."""
    response = pb.ConfirmHoldResponse(session_id=ids["session_id"])
    response.ends_at.FromJsonString(ids["ends_at"])
    return response


COMMAND = Command("ConfirmHold", pb.ConfirmHoldRequest, handle, answer, roles=ROLES)
