"""Vital signs, sedation, dissociation, recovery and side effects, as seen at one time: any part of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.domain.session_state import BEFORE_START, CHARTING_INFUSION, IN_RECOVERY, require_state
from treatment_plan.observation_values import values_of
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import live_order, session_for_update
from treatment_plan.session_answers import observation_message
from treatment_plan.session_facts import ended_at_of, readiness_of
from treatment_plan.session_policy import circulation_rule, saturation_rule, score_bands
from treatment_plan.session_tables import observation

STATES_OF_PHASE = {"baseline": BEFORE_START, "infusion": CHARTING_INFUSION, "recovery": IN_RECOVERY}


def handle(uow: UnitOfWork, request: pb.RecordObservationRequest) -> Ids:
    """FailedPrecondition SESSION_STATE outside of its phase; InvalidArgument for a time to come, or a value that cannot be."""
    seen = request.observation
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    require_state(
        session.state, STATES_OF_PHASE[seen.phase], f"an observation of the {seen.phase}", session_id=request.session_id
    )
    taken_at = from_timestamp(seen.taken_at)
    require_time(uow, session, seen.phase, taken_at)
    site_id = str(session.site_id)
    values = values_of(
        seen,
        baseline_systolic=baseline_systolic(uow, session),
        circulation=circulation_rule(uow, site_id, seen.aldrete.variant or "mmhg"),
        saturation=saturation_rule(uow, site_id),
        bands=score_bands(uow, site_id),
    )
    observation_id = uow.new_id()
    uow.execute(
        insert(observation).values(
            observation_id=observation_id,
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            phase=seen.phase,
            taken_at=taken_at,
            recorded_by=uow.context.actor_id,
            recorded_at=uow.clinic_time,
            **values,
        )
    )
    return {"observation_id": str(observation_id)}


def require_time(uow: UnitOfWork, session: Any, phase: str, taken_at: datetime) -> None:
    """Not after the clinic time, and on its own side of the infusion's end."""
    if taken_at > uow.clinic_time:
        raise InvalidArgument("observation.taken_at", "must not lie after the clinic time")
    ended_at = ended_at_of(uow, session.session_id)
    if ended_at is None:
        return
    if phase == "recovery" and taken_at < ended_at:
        raise InvalidArgument("observation.taken_at", "must not lie before the infusion's end")
    if phase == "infusion" and taken_at > ended_at:
        raise InvalidArgument("observation.taken_at", "must not lie after the infusion's end")


def baseline_systolic(uow: UnitOfWork, session: Any) -> Any:
    """What the session was made ready with; None before that."""
    order = live_order(uow, session.session_id)
    ready = None if order is None else readiness_of(uow, order.order_id)
    return None if ready is None else ready.baseline_systolic_mmhg


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordObservationResponse:
    """The observation as it stands on record, with the bands of its scores."""
    chosen = select(observation).where(observation.c.observation_id == UUID(ids["observation_id"]))
    return pb.RecordObservationResponse(observation=observation_message(uow.execute(chosen).one()))


COMMAND = Command(
    "RecordObservation",
    pb.RecordObservationRequest,
    handle,
    answer,
    roles=frozenset({"nurse", "prescriber", "clinician"}),
)
