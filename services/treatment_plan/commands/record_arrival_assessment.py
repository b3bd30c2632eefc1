"""What was found when the person came: weight in kilograms, pregnancy, fasting, driver, medications. Each answer is an item of its own."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.domain.numbers import ZERO, number_of
from treatment_plan.domain.ready import Arrival
from treatment_plan.domain.session_state import BEFORE_START, require_state
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import session_for_update
from treatment_plan.session_answers import arrival_message
from treatment_plan.session_facts import arrival_of
from treatment_plan.session_tables import arrival_answer


def handle(uow: UnitOfWork, request: pb.RecordArrivalAssessmentRequest) -> Ids:
    """FailedPrecondition SESSION_STATE once the start is authorised; InvalidArgument for no answer at all or a time to come."""
    answers = answers_of(uow, request.assessment)
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    require_state(session.state, BEFORE_START, "an assessment on arrival", session_id=request.session_id)
    keep_answers(uow, session, Arrival(**answers))
    return {"session_id": str(session.session_id)}


def answers_of(uow: UnitOfWork, assessment: types.ArrivalAssessment) -> dict[str, Any]:
    """The fields that were answered. InvalidArgument names the field."""
    answers: dict[str, Any] = {}
    if assessment.weight_kg:
        answers["weight_kg"] = number_of(assessment.weight_kg, "assessment.weight_kg")
        if answers["weight_kg"] == ZERO:
            raise InvalidArgument("assessment.weight_kg", "must be greater than 0")
    if assessment.pregnancy_code:
        answers["pregnancy_code"] = assessment.pregnancy_code
    for field in ("last_food_at", "last_liquids_at"):
        if assessment.HasField(field):
            answers[field] = from_timestamp(getattr(assessment, field))
            if answers[field] > uow.clinic_time:
                raise InvalidArgument(f"assessment.{field}", "must not lie after the clinic time")
    for field in ("driver_confirmed", "medications_reconciled"):
        if assessment.HasField(field):  # type: ignore[arg-type]
            answers[field] = getattr(assessment, field)
    if not answers:
        raise InvalidArgument("assessment", "must answer at least one item")
    return answers


def keep_answers(uow: UnitOfWork, session: Any, answers: Arrival) -> None:
    """A row with what was answered now."""
    uow.execute(
        insert(arrival_answer).values(
            answer_id=uow.new_id(),
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            recorded_by=uow.context.actor_id,
            recorded_at=uow.clinic_time,
            **vars(answers),
        )
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordArrivalAssessmentResponse:
    """What holds now, of all answers."""
    held = arrival_of(uow, UUID(ids["session_id"]))
    return pb.RecordArrivalAssessmentResponse(session_id=ids["session_id"], assessment=arrival_message(held))


COMMAND = Command(
    "RecordArrivalAssessment",
    pb.RecordArrivalAssessmentRequest,
    handle,
    answer,
    roles=frozenset({"nurse", "prescriber"}),
)
