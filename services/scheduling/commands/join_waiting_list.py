"""Somebody would come earlier, or at all, when a time becomes free."""

from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.booking_statements import Asked, standing_session
from scheduling.domain import words
from scheduling.domain.booking_rules import require_plan
from scheduling.reading import plan_facts
from scheduling.tables import site, waiting_entry


def handle(uow: UnitOfWork, request: pb.JoinWaitingListRequest) -> Ids:
    """Keeps the wishes; who joined first is asked first. Waits once for each session of a plan (ALREADY_WAITING).

    FailedPrecondition ORDINAL_BOOKED where the session is booked already: it is moved, or cancelled first.
    """
    earliest, latest = from_timestamp(request.earliest), from_timestamp(request.latest)
    if latest <= earliest:
        raise InvalidArgument("latest", "must lie after earliest")
    if latest <= uow.clinic_time:
        raise InvalidArgument("latest", "must lie after the clinic time of the request")
    sites = [UUID(one) for one in request.site_ids]
    known = set(uow.execute(select(site.c.site_id).where(site.c.site_id.in_(sites))).scalars())
    for one in sites:
        if one not in known:
            raise NotFound("site_ids", "must be opened sites", site_id=str(one))
    person_id, plan_id = UUID(request.person_id), UUID(request.plan_id)
    require_plan(plan_facts(uow, plan_id), plan_id, person_id, request.ordinal)
    waiting_id = uow.new_id()
    asked = Asked(person_id, sites[0], plan_id, request.ordinal, earliest, request.infusion_min, {})
    if standing_session(uow, asked, waiting_id) is not None:
        raise FailedPrecondition(
            "ORDINAL_BOOKED", field="ordinal", rule="must not be booked already", plan_id=request.plan_id
        )
    uow.execute(
        insert(waiting_entry).values(
            waiting_id=waiting_id,
            person_id=person_id,
            site_id=sites[0],
            site_ids=sites,
            plan_id=plan_id,
            ordinal=request.ordinal,
            infusion_min=request.infusion_min,
            earliest=earliest,
            latest=latest,
            state=words.WAITING,
            joined_at=uow.clinic_time,
            changed_at=uow.clinic_time,
        )
    )
    return {"waiting_id": str(waiting_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.JoinWaitingListResponse:
    """The entry's id."""
    return pb.JoinWaitingListResponse(waiting_id=ids["waiting_id"])


COMMAND = Command("JoinWaitingList", pb.JoinWaitingListRequest, handle, answer, roles=ROLES)
