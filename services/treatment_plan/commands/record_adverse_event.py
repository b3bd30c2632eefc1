"""Something went wrong with a person: kind, severity, time, what was done, how it ended. The next order waits for a prescriber."""

from sqlalchemy import insert

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.holds import place_hold
from treatment_plan.records import session_of
from treatment_plan.session_answers import UNKNOWN
from treatment_plan.tables import adverse_event


def handle(uow: UnitOfWork, request: pb.RecordAdverseEventRequest) -> Ids:
    """Possible in every state of a session, also after it was closed. InvalidArgument for a time to come."""
    session = session_of(uow, request.session_id)
    occurred_at = from_timestamp(request.occurred_at) if request.HasField("occurred_at") else uow.clinic_time
    if occurred_at > uow.clinic_time:
        raise InvalidArgument("occurred_at", "must not lie after the clinic time")
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
            occurred_at=occurred_at,
            action_codes=list(request.action_codes),
            outcome_code=request.outcome_code or UNKNOWN,
        )
    )
    place_hold(
        uow,
        session.person_id,
        session.site_id,
        session.plan_id,
        session.session_id,
        f"adverse_event.{request.severity_code}",
    )
    uow.emit(
        events.AdverseEventRecorded(
            adverse_event_id=str(adverse_event_id),
            session_id=str(session.session_id),
            person_id=str(session.person_id),
            site_id=str(session.site_id),
            kind_code=request.kind_code,
            severity_code=request.severity_code,
            occurred_at=to_timestamp(occurred_at),
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
