"""How a move or a cancellation stands."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.index import Query
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain import words
from scheduling.tables import session_change

_STATES = {
    words.PROPOSED: types.CHANGE_STATE_PROPOSED,
    words.DONE: types.CHANGE_STATE_DONE,
    words.REFUSED: types.CHANGE_STATE_REFUSED,
}
_ANSWERS = {
    None: types.CHANGE_ANSWER_AWAITED,
    True: types.CHANGE_ANSWER_ACCEPTED,
    False: types.CHANGE_ANSWER_REFUSED,
}


def state_of(uow: UnitOfWork, change_id: str) -> types.ChangeState.ValueType:
    """The state of a change that is on record."""
    state = uow.execute(
        select(session_change.c.state).where(session_change.c.change_id == UUID(change_id))
    ).scalar_one()
    return _STATES[state]


def get_session_change(uow: UnitOfWork, request: pb.GetSessionChangeRequest) -> pb.GetSessionChangeResponse:
    """One change. NotFound for one that nobody proposed."""
    row = uow.execute(select(session_change).where(session_change.c.change_id == UUID(request.change_id))).one_or_none()
    if row is None:
        raise NotFound("change_id", "must be a change on record", change_id=request.change_id)
    found = types.SessionChange(
        change_id=str(row.change_id),
        session_id=str(row.session_id),
        kind=row.kind,
        state=_STATES[row.state],
        reason_code=row.reason_code,
        refused_reason_code=row.refused_reason_code or "",
        plan_answer=_ANSWERS[row.plan_accepted],
        devices_answer=_ANSWERS[row.devices_accepted],
        proposed_at=to_timestamp(row.proposed_at),
    )
    if row.kind == words.MOVE:
        found.starts_at.CopyFrom(to_timestamp(row.starts_at))
        found.ends_at.CopyFrom(to_timestamp(row.ends_at))
    if row.settled_at is not None:
        found.settled_at.CopyFrom(to_timestamp(row.settled_at))
    return pb.GetSessionChangeResponse(change=found)


GET_SESSION_CHANGE = Query("GetSessionChange", pb.GetSessionChangeRequest, get_session_change)
