"""A time is kept free for somebody: excludes as a booking does, until it is confirmed, released or over."""

from datetime import timedelta
from uuid import UUID

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_session import ROLES
from scheduling.commands.booking_checks import (
    asked_of,
    attempt_of,
    keep_overrides,
    ordinal_booked,
    override_of,
    plan_booking,
    secure,
)
from scheduling.commands.booking_statements import standing_session, take_hold
from scheduling.commands.when import start_of
from scheduling.reading import minutes


def handle(uow: UnitOfWork, request: pb.HoldTimeRequest) -> Ids:
    """Holds for as long as the policy hold_min says. Refused as BookSession is; ORDINAL_BOOKED where a session stands."""
    asked = asked_of(request, start_of(uow, request, UUID(request.site_id)))
    planned = plan_booking(uow, asked, override_of(uow, request))
    visit, hold_id = planned.visit, uow.new_id()
    standing = standing_session(uow, asked, hold_id)
    if standing is not None:
        raise ordinal_booked(asked, standing)
    expires_at = uow.clinic_time + timedelta(minutes=minutes(uow, "hold_min", asked.site_id))
    attempt = attempt_of(
        uow, asked, visit, hold_id, lambda: take_hold(uow, asked, visit, hold_id, planned.near, expires_at, None)
    )
    used = secure(uow, asked, planned, attempt)
    keep_overrides(uow, used, planned.override, hold_id, asked.person_id, asked.site_id)
    return {"hold_id": str(hold_id), "expires_at": expires_at.isoformat(), "ends_at": visit.ends_at.isoformat()}


def answer(uow: UnitOfWork, ids: Ids) -> pb.HoldTimeResponse:
    """The hold, when it is over, and the end of its visit."""
    response = pb.HoldTimeResponse(hold_id=ids["hold_id"])
    response.expires_at.FromJsonString(ids["expires_at"])
    response.ends_at.FromJsonString(ids["ends_at"])
    return response


COMMAND = Command("HoldTime", pb.HoldTimeRequest, handle, answer, roles=ROLES)
