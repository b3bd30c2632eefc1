"""Reads of the session record: everything about one session, what is due, the sessions and the checks of a site."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, tuple_

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.answers import session_message
from treatment_plan.domain.schedule import Due, Phase, due_observations
from treatment_plan.queries import CARE
from treatment_plan.session_answers import follow_up_message
from treatment_plan.session_facts import observations_of, one_row
from treatment_plan.session_policy import hours, minutes, schedule_steps
from treatment_plan.session_story import session_story
from treatment_plan.session_tables import follow_up, infusion_progress, session_discharge
from treatment_plan.tables import session_record, treatment_order

# Measure of the schedule -> the column that shows that it was taken.
TAKEN_BY = {
    "moaas": "moaas",
    "cadss": "cadss_total",
    "blood_pressure": "systolic_mmhg",
    "heart_rate": "heart_rate_per_min",
    "spo2": "spo2_percent",
    "respiratory_rate": "respiratory_rate_per_min",
    "aldrete": "aldrete_variant",
}


def get_session_record(uow: UnitOfWork, request: pb.GetSessionRecordRequest) -> pb.GetSessionRecordResponse:
    """Everything on record about a session. NotFound (session_id)."""
    return pb.GetSessionRecordResponse(record=session_story(uow, _session(uow, request.session_id)))


def list_observations_due(uow: UnitOfWork, request: pb.ListObservationsDueRequest) -> pb.ListObservationsDueResponse:
    """The schedule of a session up to the clinic time; empty before the infusion begins. NotFound (session_id)."""
    session = _session(uow, request.session_id)
    site_id = str(session.site_id)
    progress = one_row(uow, infusion_progress, session.session_id)
    discharged = one_row(uow, session_discharge, session.session_id)
    if progress is None or progress.started_at is None:
        return pb.ListObservationsDueResponse()
    phases = [Phase("infusion", progress.started_at, progress.ended_at)]
    if progress.ended_at is not None:
        phases.append(Phase("recovery", progress.ended_at, None if discharged is None else discharged.discharged_at))
    rows = observations_of(uow, session.session_id)
    taken = [
        (measure, row.taken_at)
        for row in rows
        for measure, column in TAKEN_BY.items()
        if getattr(row, column) is not None
    ]
    horizon = hours(uow, "observation_horizon_h", site_id)
    grace = minutes(uow, "observation_grace_min", site_id)
    found: list[Due] = []
    for phase in phases:
        # Nobody charts for ever: a session that was left open asks for nothing more after the horizon.
        until = min(uow.clinic_time, phase.began_at + horizon)
        found += due_observations(schedule_steps(uow, site_id), phase, taken, until, grace)
    return pb.ListObservationsDueResponse(observations=[_due_message(due) for due in found])


def list_sessions(uow: UnitOfWork, request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
    """The sessions of a site by their booked start."""
    page = read_token(request)
    live = and_(treatment_order.c.session_id == session_record.c.session_id, treatment_order.c.revoked_at.is_(None))
    chosen = select(session_record, treatment_order.c.order_id).outerjoin(treatment_order, live)
    chosen = chosen.where(session_record.c.site_id == UUID(request.site_id))
    if request.HasField("from"):
        chosen = chosen.where(session_record.c.starts_at >= from_timestamp(getattr(request, "from")))
    if request.HasField("until"):
        chosen = chosen.where(session_record.c.starts_at < from_timestamp(request.until))
    key = (session_record.c.starts_at, session_record.c.session_id)
    if page.after is not None:
        chosen = chosen.where(tuple_(*key) > tuple_(datetime.fromisoformat(page.after[0]), UUID(page.after[1])))
    rows = uow.execute(chosen.order_by(*key).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = [shown[-1].starts_at.isoformat(), shown[-1].session_id] if len(rows) > page.size else None
    return pb.ListSessionsResponse(
        sessions=[session_message(row, "" if row.order_id is None else str(row.order_id)) for row in shown],
        next_page_token=make_token(page, last),
    )


def list_follow_ups_due(uow: UnitOfWork, request: pb.ListFollowUpsDueRequest) -> pb.ListFollowUpsDueResponse:
    """The checks of a site that are due by a time and not made."""
    page = read_token(request)
    due_by = from_timestamp(request.due_by) if request.HasField("due_by") else uow.clinic_time
    chosen = select(follow_up).where(
        follow_up.c.site_id == UUID(request.site_id), follow_up.c.status_code == "due", follow_up.c.due_at <= due_by
    )
    key = (follow_up.c.due_at, follow_up.c.session_id)
    if page.after is not None:
        chosen = chosen.where(tuple_(*key) > tuple_(datetime.fromisoformat(page.after[0]), UUID(page.after[1])))
    rows = uow.execute(chosen.order_by(*key).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = [shown[-1].due_at.isoformat(), shown[-1].session_id] if len(rows) > page.size else None
    return pb.ListFollowUpsDueResponse(
        follow_ups=[follow_up_message(row) for row in shown], next_page_token=make_token(page, last)
    )


def _session(uow: UnitOfWork, session_id: str) -> Any:
    row = uow.execute(select(session_record).where(session_record.c.session_id == UUID(session_id))).one_or_none()
    if row is None:
        raise NotFound("session_id", "no such session")
    return row


def _due_message(due: Due) -> types.DueObservation:
    return types.DueObservation(
        phase=due.phase, measure_code=due.measure_code, due_at=to_timestamp(due.due_at), status_code=due.status_code
    )


QUERIES = (
    Query("GetSessionRecord", pb.GetSessionRecordRequest, get_session_record, roles=CARE),
    Query("ListObservationsDue", pb.ListObservationsDueRequest, list_observations_due, roles=CARE),
    Query("ListSessions", pb.ListSessionsRequest, list_sessions, roles=CARE),
    Query("ListFollowUpsDue", pb.ListFollowUpsDueRequest, list_follow_ups_due, roles=CARE),
)
