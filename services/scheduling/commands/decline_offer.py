"""Who waited does not want this time; the next in line is offered it, and who declined keeps waiting for others."""

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.accept_offer import offer_of
from scheduling.commands.book_session import ROLES
from scheduling.commands.release_hold import release


def handle(uow: UnitOfWork, request: pb.DeclineOfferRequest) -> Ids:
    """Lets the offered time go. HOLD_NOT_HELD for an offer that is accepted, declined or over."""
    release(uow, offer_of(uow, request.offer_id), "offer_id")
    return {"offer_id": request.offer_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.DeclineOfferResponse:
    """The offer that was declined."""
    return pb.DeclineOfferResponse(offer_id=ids["offer_id"])


COMMAND = Command("DeclineOffer", pb.DeclineOfferRequest, handle, answer, roles=ROLES)
