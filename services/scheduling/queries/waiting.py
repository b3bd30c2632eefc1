"""Holds, and who waits for a time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, any_, select, tuple_

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain import words
from scheduling.tables import hold, waiting_entry

_HOLD_STATES = {
    words.HELD: types.HOLD_STATE_HELD,
    words.CONFIRMED: types.HOLD_STATE_CONFIRMED,
    words.RELEASED: types.HOLD_STATE_RELEASED,
    words.EXPIRED: types.HOLD_STATE_EXPIRED,
}
_WAITING_STATES = {
    words.WAITING: types.WAITING_STATE_WAITING,
    words.OFFERED: types.WAITING_STATE_OFFERED,
    words.BOOKED: types.WAITING_STATE_BOOKED,
    words.LEFT: types.WAITING_STATE_LEFT,
}


def get_hold(uow: UnitOfWork, request: pb.GetHoldRequest) -> pb.GetHoldResponse:
    """One hold; over by clinic time is expired, whether somebody needed its time or not. NotFound for none."""
    row = uow.execute(select(hold).where(hold.c.hold_id == UUID(request.hold_id))).one_or_none()
    if row is None:
        raise NotFound("hold_id", "must be a hold on record", hold_id=request.hold_id)
    return pb.GetHoldResponse(hold=_hold(uow, row))


def get_waiting(uow: UnitOfWork, request: pb.GetWaitingRequest) -> pb.GetWaitingResponse:
    """One entry with the time that is held for it, if there is one. NotFound for none."""
    row = uow.execute(select(waiting_entry).where(waiting_entry.c.waiting_id == UUID(request.waiting_id))).one_or_none()
    if row is None:
        raise NotFound("waiting_id", "must be an entry of the waiting list", waiting_id=request.waiting_id)
    return pb.GetWaitingResponse(waiting=_waiting(uow, row))


def list_waiting(uow: UnitOfWork, request: pb.ListWaitingRequest) -> pb.ListWaitingResponse:
    """Who waits for the site or has an offer, in their order."""
    page = read_token(request)
    table = waiting_entry
    statement = (
        select(table)
        .where(any_(table.c.site_ids) == UUID(request.site_id), table.c.state.in_((words.WAITING, words.OFFERED)))
        .order_by(table.c.joined_at, table.c.waiting_id)
        .limit(page.size + 1)
    )
    if page.after is not None:
        after = (datetime.fromisoformat(page.after[0]), UUID(page.after[1]))
        statement = statement.where(tuple_(table.c.joined_at, table.c.waiting_id) > after)
    rows = uow.execute(statement).all()
    shown = rows[: page.size]
    last = (shown[-1].joined_at.isoformat(), shown[-1].waiting_id) if len(rows) > page.size else None
    return pb.ListWaitingResponse(waiting=[_waiting(uow, row) for row in shown], next_page_token=make_token(page, last))


def _waiting(uow: UnitOfWork, row: Row[Any]) -> types.Waiting:
    found = types.Waiting(
        waiting_id=str(row.waiting_id),
        person_id=str(row.person_id),
        plan_id=str(row.plan_id),
        ordinal=row.ordinal,
        site_ids=[str(one) for one in row.site_ids],
        earliest=to_timestamp(row.earliest),
        latest=to_timestamp(row.latest),
        infusion_min=row.infusion_min,
        state=_WAITING_STATES[row.state],
        joined_at=to_timestamp(row.joined_at),
    )
    offer = uow.execute(
        select(hold).where(hold.c.waiting_id == row.waiting_id, hold.c.state == words.HELD)
    ).one_or_none()
    if offer is not None:
        found.offer.CopyFrom(_hold(uow, offer))
    return found


def _hold(uow: UnitOfWork, row: Row[Any]) -> types.Hold:
    over = row.state == words.HELD and row.expires_at <= uow.clinic_time
    return types.Hold(
        hold_id=str(row.hold_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        state=types.HOLD_STATE_EXPIRED if over else _HOLD_STATES[row.state],
        starts_at=to_timestamp(row.starts_at),
        ends_at=to_timestamp(row.ends_at),
        expires_at=to_timestamp(row.expires_at),
    )


GET_HOLD = Query("GetHold", pb.GetHoldRequest, get_hold)
GET_WAITING = Query("GetWaiting", pb.GetWaitingRequest, get_waiting)
LIST_WAITING = Query("ListWaiting", pb.ListWaitingRequest, list_waiting)
