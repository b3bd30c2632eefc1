"""The check of the day after: made, with what was found, or put off because the person was not reached."""

from uuid import UUID

from sqlalchemy import update

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import session_for_update
from treatment_plan.session_answers import follow_up_message
from treatment_plan.session_facts import one_row
from treatment_plan.session_tables import follow_up

GIVEN = "given"


def handle(uow: UnitOfWork, request: pb.RecordFollowUpRequest) -> Ids:
    """FailedPrecondition FOLLOW_UP_NOT_DUE before the discharge and once it was made; InvalidArgument for a missing answer or time."""
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    row = one_row(uow, follow_up, session.session_id)
    if row is None or row.status_code == GIVEN:
        raise FailedPrecondition(
            "FOLLOW_UP_NOT_DUE",
            field="session_id",
            rule="the check of the next day is due from the discharge until it is made",
            session_id=request.session_id,
        )
    changed = follow_up.c.session_id == session.session_id
    if request.status_code == GIVEN:
        if not request.outcome_codes:
            raise InvalidArgument("outcome_codes", "must say what was found")
        uow.execute(
            update(follow_up)
            .where(changed)
            .values(
                status_code=GIVEN,
                given_at=uow.clinic_time,
                recorded_by=uow.context.actor_id,
                outcome_codes=list(request.outcome_codes),
            )
        )
        return {"session_id": str(session.session_id)}
    if not request.HasField("next_due_at") or from_timestamp(request.next_due_at) <= uow.clinic_time:
        raise InvalidArgument("next_due_at", "must say when it is tried again: after the clinic time")
    uow.execute(
        update(follow_up)
        .where(changed)
        .values(
            due_at=from_timestamp(request.next_due_at),
            recorded_by=uow.context.actor_id,
            attempts=row.attempts + 1,
        )
    )
    return {"session_id": str(session.session_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordFollowUpResponse:
    """The check as it stands."""
    return pb.RecordFollowUpResponse(follow_up=follow_up_message(one_row(uow, follow_up, UUID(ids["session_id"]))))


COMMAND = Command(
    "RecordFollowUp",
    pb.RecordFollowUpRequest,
    handle,
    answer,
    roles=frozenset({"nurse", "prescriber", "clinician"}),
)
