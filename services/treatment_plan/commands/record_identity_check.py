"""Two identifiers of the person were compared with the record, by the nurse who calls. Only which kinds they were is kept."""

from sqlalchemy import insert

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.domain.session_state import BEFORE_START, require_state
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import session_for_update
from treatment_plan.session_tables import identity_check


def handle(uow: UnitOfWork, request: pb.RecordIdentityCheckRequest) -> Ids:
    """FailedPrecondition SESSION_STATE once the start is authorised."""
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    require_state(session.state, BEFORE_START, "an identity check", session_id=request.session_id)
    uow.execute(
        insert(identity_check).values(
            check_id=uow.new_id(),
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            identifier_kinds=list(request.identifier_kinds),
            checked_by=uow.context.actor_id,
            checked_at=uow.clinic_time,
        )
    )
    return {"session_id": str(session.session_id)}


def answer(_uow: UnitOfWork, ids: Ids) -> pb.RecordIdentityCheckResponse:
    """The session's id."""
    return pb.RecordIdentityCheckResponse(session_id=ids["session_id"])


COMMAND = Command(
    "RecordIdentityCheck", pb.RecordIdentityCheckRequest, handle, answer, roles=frozenset({"nurse", "prescriber"})
)
