"""A booked session is to be cancelled: treatment-plan and device-telemetry are asked first."""

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.change_booking import locked_booking
from scheduling.domain import words
from scheduling.queries.changes import state_of
from scheduling.tables import session_change


def handle(uow: UnitOfWork, request: pb.CancelSessionRequest) -> Ids:
    """Proposes; the session stands until both agreed. Not once the infusion began: then the interval to the next counts."""
    row = locked_booking(
        uow, request.session_id, (words.BOOKED, words.ARRIVED), "only a session that has not begun can be cancelled"
    )
    change_id = uow.new_id()
    uow.execute(
        session_change.insert().values(
            change_id=change_id,
            session_id=row.session_id,
            person_id=row.person_id,
            site_id=row.site_id,
            kind=words.CANCEL,
            state=words.PROPOSED,
            reason_code=request.reason_code,
            proposed_at=uow.clinic_time,
            correlation_id=uow.context.correlation_id,
        )
    )
    uow.emit(
        events.SessionChangeProposed(
            change_id=str(change_id),
            session_id=str(row.session_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            kind=words.CANCEL,
            reason_code=request.reason_code,
            proposed_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"session_id": str(row.session_id), "change_id": str(change_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.CancelSessionResponse:
    """The session and its change, as it stands now."""
    change_id = ids.get("change_id", "")
    # An answer recorded by an earlier release has no change: that session was cancelled at once.
    response = pb.CancelSessionResponse(session_id=ids["session_id"], change_id=change_id)
    if change_id:
        response.state = state_of(uow, change_id)
    return response


COMMAND = Command("CancelSession", pb.CancelSessionRequest, handle, answer, roles=ROLES)
