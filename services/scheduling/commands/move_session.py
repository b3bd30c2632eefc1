"""A booked session is to be moved: its new time is held, and treatment-plan and device-telemetry are asked."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.booking_checks import Attempt, keep_overrides, override_of, plan_booking, secure
from scheduling.commands.booking_statements import Asked, Holder, Taken, holders
from scheduling.commands.change_booking import locked_booking
from scheduling.commands.when import start_of
from scheduling.domain import words
from scheduling.domain.move import Held, Piece, pieces
from scheduling.domain.visit import Span, Visit
from scheduling.queries.changes import state_of
from scheduling.tables import claim, session_change

_CLAIM = """
WITH claimed AS (
    INSERT INTO claim (session_id, kind, resource_id, person_id, site_id, during, active)
    SELECT asked.hold_id, asked.kind, asked.resource_id, %(person_id)s, %(site_id)s,
           tstzrange(asked.from_time, asked.until_time), true
    FROM unnest(%(holds)s::uuid[], %(kinds)s::text[], %(resources)s::uuid[], %(froms)s::timestamptz[],
                %(untils)s::timestamptz[]) AS asked (hold_id, kind, resource_id, from_time, until_time)
    ORDER BY asked.resource_id, asked.from_time
    ON CONFLICT DO NOTHING RETURNING 1
), near AS (
    SELECT 1 FROM claim WHERE resource_id = %(person_id)s AND active AND during && tstzrange(%(near_from)s, %(near_until)s)
    AND session_id <> %(session_id)s LIMIT 1
), seen AS (
    SELECT 1 FROM consultation WHERE person_id = %(person_id)s AND state <> 'cancelled'
    AND during && tstzrange(%(starts_at)s, %(ends_at)s) LIMIT 1
)
SELECT (SELECT count(*) FROM claimed), (SELECT count(*) FROM near), (SELECT count(*) FROM seen)
"""


def handle(uow: UnitOfWork, request: pb.MoveSessionRequest) -> Ids:
    """Holds the new time and proposes. The session stands at its old time until both agreed, and if they do not."""
    row = locked_booking(uow, request.session_id, (words.BOOKED,), "only a booked session can be moved")
    asked = _asked(uow, request, row)
    planned = plan_booking(uow, asked, override_of(uow, request))
    visit, change_id, earlier, later = planned.visit, uow.new_id(), uow.new_id(), uow.new_id()
    wanted = pieces(_held(uow, row.session_id), _new(asked, visit))
    attempt = _attempt(uow, asked, visit, planned.near, wanted, (row.session_id, earlier, later))
    used = secure(uow, asked, planned, attempt)
    keep_overrides(uow, used, planned.override, row.session_id, row.person_id, row.site_id)
    uow.execute(
        session_change.insert().values(
            change_id=change_id,
            session_id=row.session_id,
            person_id=row.person_id,
            site_id=row.site_id,
            kind=words.MOVE,
            state=words.PROPOSED,
            reason_code=request.reason_code,
            proposed_at=uow.clinic_time,
            starts_at=visit.starts_at,
            infusion_starts_at=visit.infusion_starts_at,
            infusion_ends_at=visit.infusion_ends_at,
            ends_at=visit.ends_at,
            cleaned_at=visit.cleaned_at,
            person_free_at=visit.person_free_at,
            earlier_hold_id=earlier,
            later_hold_id=later,
            phases={kind: list(phases) for kind, phases in visit.phases.items()},
            correlation_id=uow.context.correlation_id,
            **{f"{kind}_id": resource_id for kind, resource_id in asked.resources.items()},
        )
    )
    uow.emit(_proposed(uow, request, row, asked, visit, change_id))
    return {
        "session_id": str(row.session_id),
        "change_id": str(change_id),
        "ends_at": visit.ends_at.isoformat(),
    }


def _asked(uow: UnitOfWork, request: pb.MoveSessionRequest, row: Row[Any]) -> Asked:
    names = [f"{kind}_id" for kind in words.INFUSION_KINDS]
    resources = {
        kind: UUID(getattr(request, name)) if getattr(request, name) else getattr(row, name)
        for kind, name in zip(words.INFUSION_KINDS, names, strict=True)
    }
    starts_at = start_of(uow, request, row.site_id)
    if starts_at == row.starts_at and all(resources[kind] == getattr(row, f"{kind}_id") for kind in resources):
        raise InvalidArgument("starts_at", "must differ from what is booked, or a resource must")
    return Asked(row.person_id, row.site_id, row.plan_id, row.ordinal, starts_at, row.infusion_min, resources)


def _held(uow: UnitOfWork, session_id: UUID) -> dict[str, Held]:
    rows = uow.execute(
        select(
            claim.c.kind,
            claim.c.resource_id,
            func.lower(claim.c.during).label("start"),
            func.upper(claim.c.during).label("end"),
        ).where(claim.c.session_id == session_id, claim.c.active)
    )
    return {row.kind: Held(row.resource_id, Span(row.start, row.end)) for row in rows}


def _new(asked: Asked, visit: Visit) -> dict[str, Held]:
    named = {**asked.resources, words.PERSON: asked.person_id}
    return {kind: Held(resource_id, visit.span_of(kind)) for kind, resource_id in named.items()}


def _attempt(
    uow: UnitOfWork, asked: Asked, visit: Visit, near: Span, wanted: Sequence[Piece], own: tuple[UUID, UUID, UUID]
) -> Attempt:
    session_id, earlier, later = own
    claims = {
        "session_id": session_id,
        "holds": [earlier if piece.earlier else later for piece in wanted],
        "kinds": [piece.kind for piece in wanted],
        "resources": [piece.resource_id for piece in wanted],
        "froms": [piece.span.start for piece in wanted],
        "untils": [piece.span.end for piece in wanted],
    }
    more = {
        "person_id": asked.person_id,
        "site_id": asked.site_id,
        "starts_at": visit.starts_at,
        "ends_at": visit.ends_at,
        "near_from": near.start,
        "near_until": near.end,
    }

    def take() -> Taken:
        claimed, close, seen = uow.driver.execute(_CLAIM, {**claims, **more}).fetchone()
        return Taken(claimed == len(wanted), close > 0, seen > 0)

    def undo() -> None:
        uow.driver.execute("DELETE FROM claim WHERE session_id IN (%s, %s)", (earlier, later))

    def in_the_way() -> list[Holder]:
        return [one for one in holders(uow, claims) if one[2] not in own]

    return Attempt(take, undo, in_the_way, own)


def _proposed(
    uow: UnitOfWork, request: pb.MoveSessionRequest, row: Row[Any], asked: Asked, visit: Visit, change_id: UUID
) -> events.SessionChangeProposed:
    return events.SessionChangeProposed(
        change_id=str(change_id),
        session_id=str(row.session_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        kind=words.MOVE,
        reason_code=request.reason_code,
        starts_at=to_timestamp(visit.starts_at),
        ends_at=to_timestamp(visit.ends_at),
        proposed_at=to_timestamp(uow.clinic_time),
        infusion_starts_at=to_timestamp(visit.infusion_starts_at),
        infusion_ends_at=to_timestamp(visit.infusion_ends_at),
        **{f"{kind}_id": str(resource_id) for kind, resource_id in asked.resources.items()},
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.MoveSessionResponse:
    """The session, its change as it stands now, and the end of the visit at the new time."""
    response = pb.MoveSessionResponse(
        session_id=ids["session_id"], change_id=ids["change_id"], state=state_of(uow, ids["change_id"])
    )
    response.ends_at.FromJsonString(ids["ends_at"])
    return response


COMMAND = Command("MoveSession", pb.MoveSessionRequest, handle, answer, roles=ROLES)
