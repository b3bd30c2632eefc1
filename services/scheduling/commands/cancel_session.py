"""A booked session will not take place; what it held is free at once."""

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.change_booking import change_booking, free_claims, locked_booking
from scheduling.domain import words


def handle(uow: UnitOfWork, request: pb.CancelSessionRequest) -> Ids:
    """Cancels and frees. Not once the infusion began: then the person's interval to the next one counts."""
    row = locked_booking(
        uow, request.session_id, (words.BOOKED, words.ARRIVED), "only a session that has not begun can be cancelled"
    )
    change_booking(uow, row.session_id, state=words.CANCELLED, cancel_reason_code=request.reason_code)
    free_claims(uow, row.session_id)
    uow.emit(
        events.SessionCancelled(
            session_id=str(row.session_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            reason_code=request.reason_code,
            cancelled_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"session_id": str(row.session_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.CancelSessionResponse:
    """The cancelled session."""
    return pb.CancelSessionResponse(session_id=ids["session_id"])


COMMAND = Command("CancelSession", pb.CancelSessionRequest, handle, answer, roles=frozenset({"scheduler", "nurse"}))
