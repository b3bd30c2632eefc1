"""Practitioners as they stand or stood, and whether somebody may do something at a site now."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, tuple_

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from intake import roles
from intake.practitioner_tables import practitioner, practitioner_revision, practitioner_site
from intake.practitioners import message_of, missing
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types


def get_practitioner(uow: UnitOfWork, request: pb.GetPractitionerRequest) -> pb.GetPractitionerResponse:
    """The revision that holds, or the one that is asked for. NotFound when there is none."""
    mine = practitioner_revision.c.practitioner_id == UUID(request.practitioner_id)
    query = select(practitioner_revision).where(mine).order_by(practitioner_revision.c.revision.desc()).limit(1)
    if request.revision:
        query = query.where(practitioner_revision.c.revision == request.revision)
    row = uow.execute(query).one_or_none()
    if row is None:
        field = "revision" if request.revision else "practitioner_id"
        raise NotFound(field, "must be a practitioner on record, with a revision that there was")
    return pb.GetPractitionerResponse(practitioner=_messages(uow, [row])[0])


def list_practitioners(uow: UnitOfWork, request: pb.ListPractitionersRequest) -> pb.ListPractitionersResponse:
    """The revisions that hold, by practitioner id."""
    page = read_token(request)
    holds = and_(
        practitioner_revision.c.practitioner_id == practitioner.c.practitioner_id,
        practitioner_revision.c.revision == practitioner.c.revision,
    )
    query = select(practitioner_revision).select_from(practitioner.join(practitioner_revision, holds))
    if request.site_id:
        works_there = and_(
            practitioner_site.c.practitioner_id == practitioner.c.practitioner_id,
            practitioner_site.c.revision == practitioner.c.revision,
            practitioner_site.c.site_id == UUID(request.site_id),
        )
        query = query.where(select(practitioner_site.c.site_id).where(works_there).exists())
    if page.after is not None:
        query = query.where(practitioner.c.practitioner_id > UUID(page.after[0]))
    rows = uow.execute(query.order_by(practitioner.c.practitioner_id).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = (shown[-1].practitioner_id,) if len(rows) > page.size else None
    return pb.ListPractitionersResponse(practitioners=_messages(uow, shown), next_page_token=make_token(page, last))


def _messages(uow: UnitOfWork, rows: Sequence[Any]) -> list[types.Practitioner]:
    """With the sites of all of them read at once."""
    key = tuple_(practitioner_site.c.practitioner_id, practitioner_site.c.revision)
    wanted = [(row.practitioner_id, row.revision) for row in rows]
    found: dict[UUID, list[Any]] = {}
    if wanted:
        sites = select(practitioner_site).where(key.in_(wanted)).order_by(practitioner_site.c.site_id)
        for place in uow.execute(sites):
            found.setdefault(place.practitioner_id, []).append(place)
    return [message_of(uow, row, found.get(row.practitioner_id, [])) for row in rows]


def check_privilege(uow: UnitOfWork, request: pb.CheckPrivilegeRequest) -> pb.CheckPrivilegeResponse:
    """The same check that the acts themselves pass."""
    who = UUID(request.practitioner_id or str(uow.context.actor_id))
    found = missing(uow, who, UUID(request.site_id), request.privilege)
    return pb.CheckPrivilegeResponse(allowed=not found, missing=[finding.field for finding in found])


GET_PRACTITIONER = Query("GetPractitioner", pb.GetPractitionerRequest, get_practitioner, roles=roles.CREDENTIALS)
LIST_PRACTITIONERS = Query(
    "ListPractitioners", pb.ListPractitionersRequest, list_practitioners, roles=roles.CREDENTIALS
)
CHECK_PRIVILEGE = Query("CheckPrivilege", pb.CheckPrivilegeRequest, check_privilege, roles=roles.ASKS_PRIVILEGES)
