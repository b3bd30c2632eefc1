"""Holds and offers that are over by clinic time let go, and the next in line hears of it.

A booking that needs the time of such a hold lets it go itself; this is for times that nobody asks for.
"""

from uuid import UUID

from sqlalchemy import select

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.offers import offer_freed
from scheduling.commands.release import expire
from scheduling.domain import words
from scheduling.domain.visit import Span
from scheduling.tables import hold

# A bounded part at a time; who asks again gets the rest.
_AT_ONCE = 200


def handle(uow: UnitOfWork, request: pb.ExpireHoldsRequest) -> Ids:
    """Lets go of what is over at the site, and offers it."""
    rows = uow.execute(
        select(hold.c.hold_id, hold.c.site_id, hold.c.starts_at, hold.c.ends_at)
        .where(
            hold.c.site_id == UUID(request.site_id),
            hold.c.state == words.HELD,
            hold.c.expires_at <= uow.clinic_time,
        )
        .order_by(hold.c.expires_at, hold.c.hold_id)
        .limit(_AT_ONCE)
    ).all()
    released = offered = 0
    for row in rows:
        if expire(uow, [row.hold_id]):
            released += 1
            offered += offer_freed(uow, row.site_id, Span(row.starts_at, row.ends_at))
    return {"released": str(released), "offered": str(offered)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.ExpireHoldsResponse:
    """How many let go, and how many were offered to somebody."""
    return pb.ExpireHoldsResponse(released=int(ids["released"]), offered=int(ids["offered"]))


COMMAND = Command(
    "ExpireHolds", pb.ExpireHoldsRequest, handle, answer, roles=frozenset({"operator", "scheduler", "nurse"})
)
