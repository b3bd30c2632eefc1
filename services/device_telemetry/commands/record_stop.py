"""The infusion is to end before its volume is in: the person's wish, which is always honoured, or a clinician's decision, with its reason.

No pump is commanded: while one runs, a HIGH alarm asks for the stop until the pump itself reports that it stands. The reason becomes
that of InfusionAborted. House policy: nobody needs a privilege to stop.
"""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from device_telemetry.care_tables import infusion_stop
from device_telemetry.domain.pump_report import Stop
from device_telemetry.infusion_acts import stop_recorded
from device_telemetry.records import session_of
from saguaro.device_telemetry.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RecordStopRequest) -> Ids:
    """Keeps who asked first, and why; a second one changes nothing. FailedPrecondition when all of it went in already."""
    session = session_of(uow, request.session_id)
    made = uow.execute(
        insert(infusion_stop)
        .values(
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            reason_code=request.reason_code,
            recorded_at=uow.clinic_time,
            recorded_by=uow.context.actor_id,
        )
        .on_conflict_do_nothing(index_elements=["session_id"])
        .returning(infusion_stop.c.session_id)
    ).one_or_none()
    state = stop_recorded(
        uow, UUID(request.session_id), Stop(int(uow.clinic_time.timestamp() * 1000), request.reason_code)
    )
    if made is not None and state == "completed":
        raise FailedPrecondition("INFUSION_COMPLETED", field="session_id", rule="its volume must not have gone in")
    return {"session_id": request.session_id, "state": state}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordStopResponse:
    """The session and its state after it."""
    return pb.RecordStopResponse(session_id=ids["session_id"], state=ids["state"])


COMMAND = Command(
    "RecordStop", pb.RecordStopRequest, handle, answer, roles=frozenset({"nurse", "prescriber", "clinician"})
)
