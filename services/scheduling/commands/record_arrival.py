"""The person is at the door."""

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.change_booking import change_booking, locked_booking
from scheduling.domain import words


def handle(uow: UnitOfWork, request: pb.RecordArrivalRequest) -> Ids:
    """Marks the booking arrived. FailedPrecondition when it is not in the state booked."""
    row = locked_booking(uow, request.session_id, (words.BOOKED,), "only a booked session can be arrived at")
    change_booking(uow, row.session_id, state=words.ARRIVED)
    uow.emit(
        events.PatientArrived(
            session_id=str(row.session_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            arrived_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"session_id": str(row.session_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordArrivalResponse:
    """The session that was arrived at."""
    return pb.RecordArrivalResponse(session_id=ids["session_id"])


COMMAND = Command("RecordArrival", pb.RecordArrivalRequest, handle, answer, roles=frozenset({"scheduler", "nurse"}))
