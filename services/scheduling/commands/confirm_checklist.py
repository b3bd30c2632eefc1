"""The day before: fasting, a driver and the medicines to hold are confirmed with somebody."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.change_booking import locked_booking
from scheduling.domain import words
from scheduling.queries.bookings import missing_items
from scheduling.reading import required_items
from scheduling.tables import booking, visit_check


def handle(uow: UnitOfWork, request: pb.ConfirmChecklistRequest) -> Ids:
    """Keeps each item with whom it was confirmed, by whom and when; the last confirmation of an item stands.

    InvalidArgument for an item that the site's policy does not ask for; FailedPrecondition once somebody arrived.
    """
    row = locked_booking(uow, request.session_id, (words.BOOKED,), "only of a booked session a checklist is confirmed")
    required = required_items(uow, row.site_id)
    if not set(request.items) <= set(required):
        raise InvalidArgument("items", f"must be of the site's checklist: {', '.join(required)}")
    for item in request.items:
        facts = {
            "confirmed_with": request.confirmed_with,
            "confirmed_by": uow.context.actor_id,
            "confirmed_at": uow.clinic_time,
        }
        uow.execute(
            insert(visit_check)
            .values(session_id=row.session_id, item_code=item, person_id=row.person_id, site_id=row.site_id, **facts)
            .on_conflict_do_update(constraint="visit_check_pkey", set_=facts)
        )
    return {"session_id": str(row.session_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.ConfirmChecklistResponse:
    """What is still to be confirmed."""
    session_id = UUID(ids["session_id"])
    site_id = uow.execute(booking.select().where(booking.c.session_id == session_id)).one().site_id
    return pb.ConfirmChecklistResponse(
        session_id=ids["session_id"], missing=missing_items(uow, site_id, [session_id])[session_id]
    )


COMMAND = Command("ConfirmChecklist", pb.ConfirmChecklistRequest, handle, answer, roles=ROLES)
