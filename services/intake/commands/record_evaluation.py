"""A qualified practitioner saw the person: an evaluation and management visit (CPT, office or other outpatient).

A new patient is one whom nobody of the network has evaluated within the years that the policy says; only a new patient has a new
patient's code, and only an established one an established one's.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import policy, roles
from intake.domain.due import years_before
from intake.domain.practitioner import DIAGNOSE
from intake.practitioners import require_privilege
from intake.record import lock_person_at, zone_of
from intake.rule_tables import evaluation, evaluation_code
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RecordEvaluationRequest) -> Ids:
    """InvalidArgument for a code that the policy does not know; PATIENT_ESTABLISHED, PATIENT_NEW; see `require_privilege`."""
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    zone_of(uow, site_id)
    lock_person_at(uow, person_id, site_id)
    require_privilege(uow, site_id, DIAGNOSE)
    known = {row.cpt_code: row.new_patient for row in policy.rows(uow, evaluation_code, ("cpt_code",), site_id)}
    if request.cpt_code not in known:
        raise InvalidArgument("cpt_code", f"must be one of: {', '.join(sorted(known))}")
    years = int(policy.number(uow, "evaluation.new_patient_after_years", site_id))
    established = _seen_since(uow, person_id, years_before(uow.clinic_time, years))
    if known[request.cpt_code] and established:
        raise FailedPrecondition("PATIENT_ESTABLISHED", field="cpt_code", rule="must be an established patient's code")
    if not known[request.cpt_code] and not established:
        raise FailedPrecondition("PATIENT_NEW", field="cpt_code", rule="must be a new patient's code")
    evaluation_id = uow.new_id()
    place = {"evaluation_id": evaluation_id, "person_id": person_id, "site_id": site_id}
    what = {"practitioner_id": uow.context.actor_id, "cpt_code": request.cpt_code, "evaluated_at": uow.clinic_time}
    uow.execute(insert(evaluation).values(**place, **what))
    uow.emit(
        events.EvaluationRecorded(
            evaluation_id=str(evaluation_id),
            person_id=request.person_id,
            site_id=request.site_id,
            practitioner_id=str(uow.context.actor_id),
            cpt_code=request.cpt_code,
            evaluated_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"evaluation_id": str(evaluation_id)}


def _seen_since(uow: UnitOfWork, person_id: UUID, since: datetime) -> bool:
    when = evaluation.c.evaluated_at.between(since, uow.clinic_time)
    return bool(uow.execute(select(func.count()).where(evaluation.c.person_id == person_id, when)).scalar_one())


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordEvaluationResponse:
    """The visit's id."""
    return pb.RecordEvaluationResponse(evaluation_id=ids["evaluation_id"])


COMMAND = Command("RecordEvaluation", pb.RecordEvaluationRequest, handle, answer, roles=roles.DECIDES)
