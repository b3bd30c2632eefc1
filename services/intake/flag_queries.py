"""Safety flags and follow-ups of a site: what is open, and what is overdue, as of a moment."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, tuple_

from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from intake import roles
from intake.tables import follow_up, safety_flag
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types

ALL, OVERDUE = pb.ListSafetyFlagsRequest.WHICH_ALL, pb.ListSafetyFlagsRequest.WHICH_OVERDUE


def list_safety_flags(uow: UnitOfWork, request: pb.ListSafetyFlagsRequest) -> pb.ListSafetyFlagsResponse:
    """Flags raised up to the asked moment, as they stood then; the earliest due first."""
    page = read_token(request)
    at = from_timestamp(request.at) if request.HasField("at") else uow.clinic_time
    flag = safety_flag.c
    query = select(safety_flag).where(flag.site_id == UUID(request.site_id), flag.raised_at <= at)
    if request.which != ALL:
        query = query.where(or_(flag.cleared_at.is_(None), flag.cleared_at > at))
    if request.which == OVERDUE:
        query = query.where(flag.due_at <= at)
    if page.after is not None:
        query = query.where(tuple_(flag.due_at, flag.flag_id) > _key(page.after))
    rows = uow.execute(query.order_by(flag.due_at, flag.flag_id).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = (shown[-1].due_at.isoformat(), shown[-1].flag_id) if len(rows) > page.size else None
    return pb.ListSafetyFlagsResponse(flags=[_flag(row, at) for row in shown], next_page_token=make_token(page, last))


def _key(after: tuple[str, ...]) -> tuple[datetime, UUID]:
    return datetime.fromisoformat(after[0]), UUID(after[1])


def _flag(row: Any, at: datetime) -> types.SafetyFlag:
    cleared = row.cleared_at is not None and row.cleared_at <= at
    return types.SafetyFlag(
        flag_id=str(row.flag_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        reason_code=row.reason_code,
        blocks=row.blocks,
        owner_id=str(row.owner_id) if row.owner_id else "",
        raised_at=to_timestamp(row.raised_at),
        due_at=to_timestamp(row.due_at),
        overdue=not cleared and row.due_at <= at,
        cleared_at=to_timestamp(row.cleared_at) if cleared else None,
        note_id=str(row.note_id) if cleared else "",
    )


def list_follow_ups(uow: UnitOfWork, request: pb.ListFollowUpsRequest) -> pb.ListFollowUpsResponse:
    """Open ones, the earliest due first."""
    page, one = read_token(request), follow_up.c
    query = select(follow_up).where(and_(one.site_id == UUID(request.site_id), one.done_at.is_(None)))
    if request.HasField("due_before"):
        query = query.where(one.due_at < from_timestamp(request.due_before))
    if page.after is not None:
        query = query.where(tuple_(one.due_at, one.follow_up_id) > _key(page.after))
    rows = uow.execute(query.order_by(one.due_at, one.follow_up_id).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = (shown[-1].due_at.isoformat(), shown[-1].follow_up_id) if len(rows) > page.size else None
    return pb.ListFollowUpsResponse(
        follow_ups=[_follow_up(row, uow.clinic_time) for row in shown], next_page_token=make_token(page, last)
    )


def _follow_up(row: Any, at: datetime) -> types.FollowUp:
    return types.FollowUp(
        follow_up_id=str(row.follow_up_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        kind=row.kind,
        session_id=str(row.session_id) if row.session_id else "",
        flag_id=str(row.flag_id) if row.flag_id else "",
        due_at=to_timestamp(row.due_at),
        overdue=row.due_at <= at,
    )


LIST_SAFETY_FLAGS = Query("ListSafetyFlags", pb.ListSafetyFlagsRequest, list_safety_flags, roles=roles.SEES_TO_FLAGS)
LIST_FOLLOW_UPS = Query("ListFollowUps", pb.ListFollowUpsRequest, list_follow_ups, roles=roles.SEES_TO_FLAGS)
