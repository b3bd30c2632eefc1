"""A person sees a practitioner in a room: both are taken together, or neither."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from chassis.errors import AlreadyExists, FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.booking_checks import keep_overrides, override_of
from scheduling.commands.booking_statements import person_lock
from scheduling.commands.when import start_of, zone_of
from scheduling.domain import overrides, words
from scheduling.domain.booking_rules import ResourceFacts, require_future, require_on_shift, require_resources
from scheduling.domain.visit import Span, Visit
from scheduling.reading import minutes, open_for, phases_at, week_at
from scheduling.tables import resource, shift

ROLES = frozenset({"scheduler", "nurse", "clinician", "prescriber", "charge_nurse", "medical_director"})

_TAKE = """
WITH booked AS (
    INSERT INTO consultation (consultation_id, person_id, site_id, practitioner_id, room_id, state, during, booked_at,
                              changed_at)
    VALUES (%(session_id)s, %(person_id)s, %(site_id)s, %(practitioner_id)s, %(room_id)s, 'booked',
            tstzrange(%(starts_at)s, %(ends_at)s), %(now)s, %(now)s)
    ON CONFLICT DO NOTHING RETURNING 1
), claimed AS (
    INSERT INTO claim (session_id, kind, resource_id, person_id, site_id, during, active)
    SELECT %(session_id)s, asked.kind, asked.resource_id, %(person_id)s, %(site_id)s,
           tstzrange(asked.from_time, asked.until_time), true
    FROM unnest(%(kinds)s::text[], %(resources)s::uuid[], %(froms)s::timestamptz[], %(untils)s::timestamptz[])
         AS asked (kind, resource_id, from_time, until_time)
    ORDER BY asked.resource_id
    ON CONFLICT DO NOTHING RETURNING kind
)
SELECT (SELECT count(*) FROM booked), (SELECT array_agg(kind) FROM claimed)
"""

# The visit itself, not the interval that the person's claim keeps free after it; also of a time that is held.
_IN_SESSION = """
SELECT coalesce(b.session_id, h.hold_id) FROM claim c
LEFT JOIN booking b ON b.session_id = c.session_id
LEFT JOIN hold h ON h.hold_id = c.session_id AND h.state = 'held' AND h.expires_at > %(now)s
WHERE c.resource_id = %(person_id)s AND c.active
  AND tstzrange(coalesce(b.starts_at, h.starts_at), coalesce(b.ends_at, h.ends_at))
      && tstzrange(%(starts_at)s, %(ends_at)s)
  AND coalesce(b.session_id, h.hold_id) IS NOT NULL LIMIT 1
"""


def handle(uow: UnitOfWork, request: pb.BookConsultationRequest) -> Ids:
    """Books practitioner and room. AlreadyExists SLOT_TAKEN names what is taken, PERSON_HAS_SESSION a visit meanwhile.

    The practitioner must be on shift at the site and the site open (a charge nurse may set that aside).
    """
    override = override_of(uow, request)
    site_id, person_id = UUID(request.site_id), UUID(request.person_id)
    starts_at = start_of(uow, request, site_id)
    require_future(starts_at, uow.clinic_time)
    length = request.minutes or minutes(uow, "consultation_min", site_id)
    asked = {words.PRACTITIONER: UUID(request.practitioner_id), words.ROOM: UUID(request.room_id)}
    zone = zone_of(uow, site_id)
    require_resources(asked, _known(uow, asked), site_id)
    visit = _visit(uow, site_id, starts_at, length)
    span = visit.span_of(words.PRACTITIONER)
    require_on_shift(
        _shifts(uow, asked[words.PRACTITIONER], site_id, span), span, words.PRACTITIONER, asked[words.PRACTITIONER]
    )
    closed = not open_for(visit, week_at(uow, site_id, starts_at), zone)
    used = overrides.settle([overrides.CLOSED] if closed else [], override)
    uow.driver.execute("SELECT pg_advisory_xact_lock(%s)", (person_lock(person_id),))
    consultation_id = uow.new_id()
    _take(uow, request, asked, visit, consultation_id)
    keep_overrides(uow, used, override, consultation_id, person_id, site_id)
    uow.emit(
        events.ConsultationBooked(
            consultation_id=str(consultation_id),
            person_id=request.person_id,
            site_id=request.site_id,
            practitioner_id=request.practitioner_id,
            room_id=request.room_id,
            starts_at=to_timestamp(visit.starts_at),
            ends_at=to_timestamp(visit.ends_at),
            booked_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"consultation_id": str(consultation_id), "ends_at": visit.ends_at.isoformat()}


def _visit(uow: UnitOfWork, site_id: UUID, starts_at: datetime, length_min: int) -> Visit:
    phases = phases_at(uow, words.CONSULTATION, site_id, starts_at)
    if not {words.PRACTITIONER, words.ROOM} <= set(phases):
        raise FailedPrecondition("NO_BOOKING_POLICY", field="starts_at", rule="must lie in a booking policy's time")
    ends_at = starts_at + timedelta(minutes=length_min)
    cleaned_at = ends_at + timedelta(minutes=minutes(uow, "consultation_cleaning_min", site_id))
    return Visit(starts_at, starts_at, ends_at, ends_at, cleaned_at, ends_at, phases)


def _known(uow: UnitOfWork, asked: dict[str, UUID]) -> dict[str, ResourceFacts | None]:
    rows = uow.execute(
        select(resource.c.resource_id, resource.c.kind, resource.c.site_id).where(
            resource.c.resource_id.in_(asked.values())
        )
    )
    by_id = {row.resource_id: ResourceFacts(row.kind, row.site_id) for row in rows}
    return {kind: by_id.get(resource_id) for kind, resource_id in asked.items()}


def _shifts(uow: UnitOfWork, staff_id: UUID, site_id: UUID, span: Span) -> list[Span]:
    rows = uow.execute(
        select(func.lower(shift.c.during).label("start"), func.upper(shift.c.during).label("end")).where(
            shift.c.nurse_id == staff_id,
            shift.c.site_id == site_id,
            shift.c.during.op("&&")(func.tstzrange(span.start, span.end)),
        )
    )
    return [Span(row.start, row.end) for row in rows]


def _take(
    uow: UnitOfWork, request: pb.BookConsultationRequest, asked: dict[str, UUID], visit: Visit, consultation_id: UUID
) -> None:
    spans = [visit.span_of(kind) for kind in asked]
    parameters: dict[str, Any] = {
        "session_id": consultation_id,
        "person_id": UUID(request.person_id),
        "site_id": UUID(request.site_id),
        "practitioner_id": asked[words.PRACTITIONER],
        "room_id": asked[words.ROOM],
        "starts_at": visit.starts_at,
        "ends_at": visit.ends_at,
        "now": uow.clinic_time,
        "kinds": list(asked),
        "resources": list(asked.values()),
        "froms": [span.start for span in spans],
        "untils": [span.end for span in spans],
    }
    if uow.driver.execute(_IN_SESSION, parameters).fetchone() is not None:
        raise AlreadyExists(
            "PERSON_HAS_SESSION", field="starts_at", rule="the person must not have a session meanwhile"
        )
    booked, claimed = uow.driver.execute(_TAKE, parameters).fetchone()
    if booked == 1 and len(claimed or ()) == len(asked):
        return
    taken = {f"{kind}_id": str(one) for kind, one in asked.items() if kind not in (claimed or ())}
    if not booked:
        taken["person_id"] = request.person_id
    raise AlreadyExists(
        "SLOT_TAKEN", field="starts_at", rule="practitioner, room and person must be free", findings=(), **taken
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.BookConsultationResponse:
    """The consultation and its end."""
    response = pb.BookConsultationResponse(consultation_id=ids["consultation_id"])
    response.ends_at.FromJsonString(ids["ends_at"])
    return response


COMMAND = Command("BookConsultation", pb.BookConsultationRequest, handle, answer, roles=ROLES)
