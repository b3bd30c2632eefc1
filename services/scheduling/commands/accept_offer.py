"""Who waited takes the time that is held for them."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.confirm import confirm
from scheduling.tables import hold


def handle(uow: UnitOfWork, request: pb.AcceptOfferRequest) -> Ids:
    """Books the offered time. NotFound for what is no offer; HOLD_EXPIRED when it was thought over for too long."""
    return confirm(uow, offer_of(uow, request.offer_id), "offer_id")


def offer_of(uow: UnitOfWork, offer_id: str) -> UUID:
    """The id of a hold that is an offer. NotFound otherwise."""
    hold_id = UUID(offer_id)
    waiting_id = uow.execute(select(hold.c.waiting_id).where(hold.c.hold_id == hold_id)).scalar_one_or_none()
    if waiting_id is None:
        raise NotFound("offer_id", "must be an offer to somebody who waits", hold_id=offer_id)
    return hold_id


def answer(uow: UnitOfWork, ids: Ids) -> pb.AcceptOfferResponse:
    """The session, which has the offer's id, and the end of its visit."""
    response = pb.AcceptOfferResponse(session_id=ids["session_id"])
    response.ends_at.FromJsonString(ids["ends_at"])
    return response


COMMAND = Command("AcceptOffer", pb.AcceptOfferRequest, handle, answer, roles=ROLES)
