"""A session is booked: chair, pump, monitor, nurse and the person together, or none of them."""

from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.booking_statements import PLAN_TOPIC, Asked, holders, read_facts, standing_session, take
from scheduling.domain import words
from scheduling.domain.booking_rules import require_future, require_plan, require_resources, require_shift
from scheduling.domain.visit import Visit, plan_visit


def handle(uow: UnitOfWork, request: pb.BookSessionRequest) -> Ids:
    """Checks everything, takes everything. AlreadyExists names each held resource and the session that holds it."""
    asked = _asked(request)
    require_future(asked.starts_at, uow.clinic_time)
    visit = _checked(uow, asked)
    session_id = uow.new_id()
    if not take(uow, asked, visit, session_id):
        raise _taken(uow, asked, visit, session_id)
    uow.emit(
        events.SessionBooked(
            session_id=str(session_id),
            person_id=request.person_id,
            site_id=request.site_id,
            plan_id=request.plan_id,
            ordinal=request.ordinal,
            starts_at=to_timestamp(visit.starts_at),
            ends_at=to_timestamp(visit.ends_at),
            chair_id=request.chair_id,
            pump_id=request.pump_id,
            monitor_id=request.monitor_id,
            nurse_id=request.nurse_id,
            booked_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"session_id": str(session_id), "ends_at": visit.ends_at.isoformat()}


def _asked(request: pb.BookSessionRequest) -> Asked:
    return Asked(
        person_id=UUID(request.person_id),
        site_id=UUID(request.site_id),
        plan_id=UUID(request.plan_id),
        ordinal=request.ordinal,
        starts_at=from_timestamp(request.starts_at),
        infusion_min=request.infusion_min,
        resources={kind: UUID(getattr(request, f"{kind}_id")) for kind in words.RESOURCE_KINDS},
    )


def _checked(uow: UnitOfWork, asked: Asked) -> Visit:
    """The visit, when nothing but other people's bookings can stand against it."""
    facts = read_facts(uow, asked)
    if not facts.site_known:
        raise NotFound("site_id", "must be an opened site", site_id=str(asked.site_id))
    require_resources(asked.resources, facts.resources, asked.site_id)
    if facts.plan_uncertain:
        uow.refuse_if_parked(PLAN_TOPIC, str(asked.person_id))
    plan = require_plan(facts.plan, asked.plan_id, asked.person_id, asked.ordinal)
    if facts.policy is None:
        raise FailedPrecondition("NO_BOOKING_POLICY", field="starts_at", rule="must lie in a booking policy's time")
    recovery_min = facts.policy.recovery_of(ordinal=asked.ordinal, for_pain=plan.for_pain)
    visit = plan_visit(asked.starts_at, asked.infusion_min, recovery_min, facts.policy)
    require_shift(facts.shifts, visit, asked.resources[words.NURSE])
    return visit


def _taken(uow: UnitOfWork, asked: Asked, visit: Visit, session_id: UUID) -> AlreadyExists:
    """A second read, after the wait for whoever was first: each held kind with its resource and the session holding it.

    When the holder let go between the two reads there is nobody to name; the same call may simply be made again.
    """
    held = holders(uow, asked, visit, session_id)
    ids: dict[str, str | int] = {}
    for kind, resource_id, holder in held:
        if f"{kind}_id" not in ids:
            ids[f"{kind}_id"], ids[f"{kind}_held_by_session_id"] = str(resource_id), str(holder)
    if not held:
        standing = standing_session(uow, asked, session_id)
        if standing is not None:
            return AlreadyExists(
                "ORDINAL_BOOKED",
                field="ordinal",
                plan_id=str(asked.plan_id),
                held_by_session_id=str(standing),
                rule="each session of a plan is booked once; cancel the other first",
            )
    return AlreadyExists(
        "SLOT_TAKEN", field="starts_at", rule="every resource and the person must be free", findings=(), **ids
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.BookSessionResponse:
    """The new session and the end of its visit."""
    response = pb.BookSessionResponse(session_id=ids["session_id"])
    response.ends_at.FromJsonString(ids["ends_at"])
    return response


COMMAND = Command("BookSession", pb.BookSessionRequest, handle, answer, roles=frozenset({"scheduler", "nurse"}))
