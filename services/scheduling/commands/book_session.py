"""A session is booked: chair, pump, monitor, nurse and the person together, or none of them."""

from uuid import UUID

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.booking_checks import (
    asked_of,
    attempt_of,
    keep_overrides,
    override_of,
    plan_booking,
    secure,
)
from scheduling.commands.booking_statements import Asked, take
from scheduling.commands.when import start_of
from scheduling.domain.visit import Visit

ROLES = frozenset({"scheduler", "nurse", "charge_nurse", "medical_director"})


def handle(uow: UnitOfWork, request: pb.BookSessionRequest) -> Ids:
    """Checks everything, takes everything. AlreadyExists names each held resource and the session that holds it."""
    asked = asked_of(request, start_of(uow, request, UUID(request.site_id)))
    planned = plan_booking(uow, asked, override_of(uow, request))
    visit, session_id = planned.visit, uow.new_id()
    attempt = attempt_of(uow, asked, visit, session_id, lambda: take(uow, asked, visit, session_id, planned.near))
    used = secure(uow, asked, planned, attempt)
    if used:
        keep_overrides(uow, used, planned.override, session_id, asked.person_id, asked.site_id)
    uow.emit(session_booked(uow, asked, visit, session_id))
    return {"session_id": str(session_id), "ends_at": visit.ends_at.isoformat()}


def session_booked(uow: UnitOfWork, asked: Asked, visit: Visit, session_id: UUID) -> events.SessionBooked:
    """The event of a new booking."""
    return events.SessionBooked(
        session_id=str(session_id),
        person_id=str(asked.person_id),
        site_id=str(asked.site_id),
        plan_id=str(asked.plan_id),
        ordinal=asked.ordinal,
        starts_at=to_timestamp(visit.starts_at),
        ends_at=to_timestamp(visit.ends_at),
        booked_at=to_timestamp(uow.clinic_time),
        infusion_starts_at=to_timestamp(visit.infusion_starts_at),
        infusion_ends_at=to_timestamp(visit.infusion_ends_at),
        **{f"{kind}_id": str(resource_id) for kind, resource_id in asked.resources.items()},
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.BookSessionResponse:
    """The new session and the end of its visit."""
    response = pb.BookSessionResponse(session_id=ids["session_id"])
    response.ends_at.FromJsonString(ids["ends_at"])
    return response


COMMAND = Command("BookSession", pb.BookSessionRequest, handle, answer, roles=ROLES)
