"""Why an infusion was aborted, where the device's report did not say. An abort needs a reason (house policy)."""

from sqlalchemy import insert

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import session_for_update
from treatment_plan.session_facts import one_row
from treatment_plan.session_tables import abort_reason
from treatment_plan.tables import pump_totals


def handle(uow: UnitOfWork, request: pb.RecordAbortReasonRequest) -> Ids:
    """FailedPrecondition NOT_ABORTED unless the pump reported an abort; ABORT_REASON_KNOWN when a reason is on record."""
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    totals = one_row(uow, pump_totals, session.session_id)
    if totals is None or totals.outcome != "aborted":
        raise FailedPrecondition(
            "NOT_ABORTED",
            field="session_id",
            rule=f"the session is {session.state}: a reason belongs to an infusion that the device reported as aborted",
            session_id=request.session_id,
        )
    if totals.reason_code or one_row(uow, abort_reason, session.session_id) is not None:
        raise FailedPrecondition(
            "ABORT_REASON_KNOWN",
            field="session_id",
            rule="the reason of an abort is recorded once",
            session_id=request.session_id,
        )
    uow.execute(
        insert(abort_reason).values(
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            reason_code=request.reason_code,
            recorded_by=uow.context.actor_id,
            recorded_at=uow.clinic_time,
        )
    )
    return {"session_id": str(session.session_id)}


def answer(_uow: UnitOfWork, ids: Ids) -> pb.RecordAbortReasonResponse:
    """The session's id."""
    return pb.RecordAbortReasonResponse(session_id=ids["session_id"])


COMMAND = Command(
    "RecordAbortReason",
    pb.RecordAbortReasonRequest,
    handle,
    answer,
    roles=frozenset({"nurse", "prescriber", "clinician"}),
)
