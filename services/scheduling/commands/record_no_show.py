"""The time came and the person did not; what the session held is free again."""

from datetime import timedelta

from sqlalchemy import insert

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.change_booking import change_booking, free_claims, locked_booking
from scheduling.commands.offers import offer_freed
from scheduling.domain import words
from scheduling.domain.visit import Span
from scheduling.reading import minutes
from scheduling.tables import no_show


def handle(uow: UnitOfWork, request: pb.RecordNoShowRequest) -> Ids:
    """Marks the booking missed, counts it and frees it for who waits.

    FailedPrecondition before the policy no_show_after_min has passed since its start, or when somebody arrived.
    """
    row = locked_booking(uow, request.session_id, (words.BOOKED,), "only a booked session can be missed")
    if uow.clinic_time < row.starts_at + timedelta(minutes=minutes(uow, "no_show_after_min", row.site_id)):
        raise FailedPrecondition(
            "BOOKING_NOT_DUE",
            field="session_id",
            rule="can be missed only once the person is late by more than policy allows",
            session_id=request.session_id,
        )
    change_booking(uow, row.session_id, state=words.NO_SHOW)
    free_claims(uow, row.session_id)
    uow.execute(
        insert(no_show).values(
            session_id=row.session_id, person_id=row.person_id, site_id=row.site_id, recorded_at=uow.clinic_time
        )
    )
    uow.emit(
        events.NoShowRecorded(
            session_id=str(row.session_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            recorded_at=to_timestamp(uow.clinic_time),
        )
    )
    # What is left of the time may still suit somebody.
    offer_freed(uow, row.site_id, Span(row.starts_at, row.ends_at))
    return {"session_id": str(row.session_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordNoShowResponse:
    """The missed session."""
    return pb.RecordNoShowResponse(session_id=ids["session_id"])


COMMAND = Command("RecordNoShow", pb.RecordNoShowRequest, handle, answer, roles=frozenset({"scheduler", "nurse"}))
