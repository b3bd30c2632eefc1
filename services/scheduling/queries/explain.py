"""Why a time is not free, resource by resource."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from chassis.errors import InvalidArgument, NotFound
from chassis.index import Query
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.commands.when import start_of, zone_of
from scheduling.domain import obstacles, words
from scheduling.domain.obstacles import Claimed, Obstacle
from scheduling.domain.visit import Span, Visit, plan_visit
from scheduling.reading import occupancy, open_for, phases_at, policy_at, taken_of, week_at
from scheduling.tables import consultation, resource

_KINDS = {
    words.CHAIR: types.RESOURCE_KIND_CHAIR,
    words.PUMP: types.RESOURCE_KIND_PUMP,
    words.MONITOR: types.RESOURCE_KIND_MONITOR,
    words.NURSE: types.RESOURCE_KIND_NURSE,
    words.PERSON: types.RESOURCE_KIND_PERSON,
    "": types.RESOURCE_KIND_UNSPECIFIED,
}

# The end of the visit tells cleaning from the visit; a hold that is over stands against nothing.
_CLAIMS = """
SELECT claim.resource_id, lower(claim.during), upper(claim.during), booking.ends_at
FROM claim LEFT JOIN booking ON booking.session_id = claim.session_id
LEFT JOIN hold ON hold.hold_id = claim.session_id AND hold.state = 'held'
WHERE claim.active AND claim.resource_id = ANY (%(resources)s) AND claim.during && tstzrange(%(start)s, %(end)s)
  AND (hold.expires_at > %(now)s) IS NOT FALSE
ORDER BY claim.resource_id, lower(claim.during)
"""


def explain_time(uow: UnitOfWork, request: pb.ExplainTimeRequest) -> pb.ExplainTimeResponse:
    """Everything that stands against a visit with the longest recovery. Says what, never who or whose session.

    NotFound for a site that nobody opened and for a resource that is not on record.
    """
    site_id = UUID(request.site_id)
    zone = zone_of(uow, site_id)
    starts_at = start_of(uow, request, site_id)
    policy = policy_at(uow, site_id, starts_at)
    phases = phases_at(uow, words.INFUSION, site_id, starts_at)
    visit = plan_visit(starts_at, request.infusion_min, policy.longest_recovery_min, policy, phases)
    found: list[Obstacle] = []
    if starts_at <= uow.clinic_time:
        found.append(Obstacle(obstacles.PAST))
    if not open_for(visit, week_at(uow, site_id, starts_at), zone):
        found.append(Obstacle(obstacles.CLOSED, span=Span(visit.starts_at, visit.ends_at), override_rule=words.CLOSED))
    asked = _asked(uow, request, site_id)
    found += [Obstacle(obstacles.NONE_AT_SITE, kind) for kind, ids in asked.items() if not ids]
    found += _of_resources(uow, site_id, visit, asked)
    if request.person_id:
        found += _of_person(uow, UUID(request.person_id), visit, policy.soft_interval_min)
    return pb.ExplainTimeResponse(
        free=obstacles.one_of_each_is_free(asked, found), obstacles=[_message(one) for one in found]
    )


def _asked(uow: UnitOfWork, request: pb.ExplainTimeRequest, site_id: UUID) -> dict[str, list[UUID]]:
    asked: dict[str, list[UUID]] = {}
    for kind in words.INFUSION_KINDS:
        field = f"{kind}_id"
        named = getattr(request, field)
        if not named:
            rows = uow.execute(
                select(resource.c.resource_id)
                .where(resource.c.site_id == site_id, resource.c.kind == kind)
                .order_by(resource.c.resource_code)
            )
            asked[kind] = list(rows.scalars())
            continue
        resource_id = UUID(named)
        known = uow.execute(select(resource.c.kind).where(resource.c.resource_id == resource_id)).scalar_one_or_none()
        if known is None:
            raise NotFound(field, f"must be a {kind} on record", resource_id=named)
        if known != kind:
            raise InvalidArgument(field, f"must be a {kind}", reason="RESOURCE_KIND", resource_id=named)
        asked[kind] = [resource_id]
    return asked


def _of_resources(uow: UnitOfWork, site_id: UUID, visit: Visit, asked: dict[str, list[UUID]]) -> list[Obstacle]:
    window = Span(visit.starts_at, max(visit.cleaned_at, visit.ends_at))
    claims: dict[UUID, list[Claimed]] = defaultdict(list)
    everything = [one for ids in asked.values() for one in ids]
    parameters: dict[str, Any] = {
        "resources": everything,
        "start": window.start,
        "end": window.end,
        "now": uow.clinic_time,
    }
    for resource_id, start, end, ends_at in uow.driver.execute(_CLAIMS, parameters).fetchall():
        claims[resource_id].append(Claimed(Span(start, end), ends_at))
    shifts = occupancy(uow, site_id, window).shifts
    return [
        obstacle
        for kind, ids in asked.items()
        for one in ids
        for obstacle in obstacles.of_resource(
            kind, one, visit, claims[one], shifts.get(one, ()) if kind in words.STAFF_KINDS else None
        )
    ]


def _of_person(uow: UnitOfWork, person_id: UUID, visit: Visit, soft_interval_min: int) -> list[Obstacle]:
    near = visit.near(soft_interval_min)
    infusions = taken_of(uow, [person_id], func.tstzrange(near.start, near.end)).get(person_id, [])
    rows = uow.execute(
        select(func.lower(consultation.c.during).label("start"), func.upper(consultation.c.during).label("end")).where(
            consultation.c.person_id == person_id,
            consultation.c.state != words.CANCELLED,
            consultation.c.during.op("&&")(func.tstzrange(visit.starts_at, visit.ends_at)),
        )
    )
    busy = [Span(row.start, row.end) for row in rows]
    return list(obstacles.of_person(visit, soft_interval_min, infusions, busy))


def _message(one: Obstacle) -> types.Obstacle:
    message = types.Obstacle(
        reason_code=one.reason_code,
        kind=_KINDS[one.kind],
        resource_id="" if one.resource_id is None else str(one.resource_id),
        override_rule=one.override_rule,
    )
    if one.span is not None:
        message.from_time.CopyFrom(to_timestamp(one.span.start))
        message.until_time.CopyFrom(to_timestamp(one.span.end))
    return message


EXPLAIN_TIME = Query("ExplainTime", pb.ExplainTimeRequest, explain_time)
