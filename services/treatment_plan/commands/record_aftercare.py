"""Instructions for the way home were given, or are still due. Codes only: no driving until the next day's sleep, whom to call."""

from sqlalchemy import insert

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.domain.session_state import AFTER_INFUSION, BEFORE_DRUG, ON_THE_PUMP, require_state
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import session_for_update
from treatment_plan.session_tables import aftercare


def handle(uow: UnitOfWork, request: pb.RecordAftercareRequest) -> Ids:
    """Possible in every state but of a session that was called off: FailedPrecondition SESSION_STATE."""
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    allowed = (*BEFORE_DRUG, *ON_THE_PUMP, *AFTER_INFUSION)
    require_state(session.state, allowed, "aftercare", session_id=request.session_id)
    uow.execute(
        insert(aftercare).values(
            aftercare_id=uow.new_id(),
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            status_code=request.status_code,
            instruction_codes=list(request.instruction_codes),
            recorded_by=uow.context.actor_id,
            recorded_at=uow.clinic_time,
        )
    )
    return {"session_id": str(session.session_id)}


def answer(_uow: UnitOfWork, ids: Ids) -> pb.RecordAftercareResponse:
    """The session's id."""
    return pb.RecordAftercareResponse(session_id=ids["session_id"])


COMMAND = Command(
    "RecordAftercare",
    pb.RecordAftercareRequest,
    handle,
    answer,
    roles=frozenset({"nurse", "prescriber", "clinician"}),
)
