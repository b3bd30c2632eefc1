"""The person is at the door, and everything that had to be confirmed the day before is."""

from chassis.errors import FailedPrecondition, Finding
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.booking_checks import keep_overrides, override_of
from scheduling.commands.change_booking import change_booking, locked_booking
from scheduling.domain import words
from scheduling.queries.bookings import missing_items


def handle(uow: UnitOfWork, request: pb.RecordArrivalRequest) -> Ids:
    """Marks the booking arrived. FailedPrecondition when it is not in the state booked.

    CHECKLIST_INCOMPLETE names each item that was not confirmed; a nurse or a charge nurse may let the person in with a
    reason, which is kept.
    """
    override = override_of(uow, request)
    row = locked_booking(uow, request.session_id, (words.BOOKED,), "only a booked session can be arrived at")
    missing = missing_items(uow, row.site_id, [row.session_id])[row.session_id]
    if missing and words.CHECKLIST not in override.rules:
        raise FailedPrecondition(
            "CHECKLIST_INCOMPLETE",
            field="session_id",
            rule=f"must be confirmed before the arrival: {', '.join(missing)}",
            findings=[Finding(f"checklist.{item}", "must be confirmed before the arrival") for item in missing],
            session_id=request.session_id,
        )
    if missing:
        keep_overrides(uow, [words.CHECKLIST], override, row.session_id, row.person_id, row.site_id)
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


COMMAND = Command(
    "RecordArrival",
    pb.RecordArrivalRequest,
    handle,
    answer,
    roles=frozenset({"scheduler", "nurse", "charge_nurse", "medical_director"}),
)
