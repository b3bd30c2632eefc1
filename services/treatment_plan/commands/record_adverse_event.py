"""Something went wrong with a person during or after a session: kind, severity, time."""

from sqlalchemy import insert

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.records import session_of
from treatment_plan.tables import adverse_event


def handle(uow: UnitOfWork, request: pb.RecordAdverseEventRequest) -> Ids:
    """Possible in every state of a session, also after it was closed."""
    session = session_of(uow, request.session_id)
    adverse_event_id = uow.new_id()
    uow.execute(
        insert(adverse_event).values(
            adverse_event_id=adverse_event_id,
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            kind_code=request.kind_code,
            severity_code=request.severity_code,
            recorded_by=uow.context.actor_id,
            occurred_at=uow.clinic_time,
        )
    )
    uow.emit(
        events.AdverseEventRecorded(
            adverse_event_id=str(adverse_event_id),
            session_id=str(session.session_id),
            person_id=str(session.person_id),
            site_id=str(session.site_id),
            kind_code=request.kind_code,
            severity_code=request.severity_code,
            occurred_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"adverse_event_id": str(adverse_event_id)}


def answer(_uow: UnitOfWork, ids: Ids) -> pb.RecordAdverseEventResponse:
    """The record's id."""
    return pb.RecordAdverseEventResponse(adverse_event_id=ids["adverse_event_id"])


COMMAND = Command(
    "RecordAdverseEvent",
    pb.RecordAdverseEventRequest,
    handle,
    answer,
    roles=frozenset({"nurse", "prescriber", "clinician"}),
)
