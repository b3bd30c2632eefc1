"""A site gets a chair, a pump, a monitor, a nurse, a room or a practitioner."""

from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain import words
from scheduling.tables import resource, site

_KINDS: dict[int, str] = {
    types.RESOURCE_KIND_CHAIR: words.CHAIR,
    types.RESOURCE_KIND_PUMP: words.PUMP,
    types.RESOURCE_KIND_MONITOR: words.MONITOR,
    types.RESOURCE_KIND_NURSE: words.NURSE,
    types.RESOURCE_KIND_ROOM: words.ROOM,
    types.RESOURCE_KIND_PRACTITIONER: words.PRACTITIONER,
}


def handle(uow: UnitOfWork, request: pb.AddResourceRequest) -> Ids:
    """Keep the resource. NotFound for an unknown site; a code or id is taken once."""
    asked = request.resource
    kind = _KINDS.get(asked.kind)
    if kind is None:
        raise InvalidArgument("resource.kind", "must be a chair, a pump, a monitor, a nurse, a room or a practitioner")
    site_id = UUID(asked.site_id)
    if uow.execute(select(site.c.site_id).where(site.c.site_id == site_id)).one_or_none() is None:
        raise NotFound("resource.site_id", "must be an opened site", site_id=asked.site_id)
    uow.execute(
        insert(resource).values(
            resource_id=UUID(asked.resource_id), site_id=site_id, kind=kind, resource_code=asked.resource_code
        )
    )
    return {"resource_id": asked.resource_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.AddResourceResponse:
    """The id of the resource."""
    return pb.AddResourceResponse(resource_id=ids["resource_id"])


COMMAND = Command("AddResource", pb.AddResourceRequest, handle, answer, roles=frozenset({"operator"}))
