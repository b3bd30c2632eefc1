"""A nurse or a practitioner works at a site from one time to another."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, insert, select

from chassis.errors import InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.domain import words
from scheduling.tables import resource, shift, site

# Longer is a mistake in one of the two times, not a shift.
LONGEST = timedelta(hours=24)


def handle(uow: UnitOfWork, request: pb.AddShiftRequest) -> Ids:
    """Keep the shift, half-open. Nobody has two at one time, whatever the site (SHIFT_OVERLAPS)."""
    starts_at, ends_at = from_timestamp(request.starts_at), from_timestamp(request.ends_at)
    if ends_at <= starts_at:
        raise InvalidArgument("ends_at", "must lie after starts_at")
    if ends_at - starts_at > LONGEST:
        raise InvalidArgument("ends_at", "must lie at most 24 hours after starts_at")
    nurse_id, site_id = UUID(request.nurse_id), UUID(request.site_id)
    kind = uow.execute(select(resource.c.kind).where(resource.c.resource_id == nurse_id)).scalar_one_or_none()
    if kind is None:
        raise NotFound("nurse_id", "must be a nurse or a practitioner on record", resource_id=request.nurse_id)
    if kind not in words.STAFF_KINDS:
        raise InvalidArgument(
            "nurse_id", "must be a nurse or a practitioner", reason="RESOURCE_KIND", resource_id=request.nurse_id
        )
    if uow.execute(select(site.c.site_id).where(site.c.site_id == site_id)).one_or_none() is None:
        raise NotFound("site_id", "must be an opened site", site_id=request.site_id)
    shift_id = uow.new_id()
    uow.execute(
        insert(shift).values(
            shift_id=shift_id, nurse_id=nurse_id, site_id=site_id, during=func.tstzrange(starts_at, ends_at)
        )
    )
    return {"shift_id": str(shift_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.AddShiftResponse:
    """The id of the shift."""
    return pb.AddShiftResponse(shift_id=ids["shift_id"])


COMMAND = Command("AddShift", pb.AddShiftRequest, handle, answer, roles=frozenset({"operator", "scheduler"}))
