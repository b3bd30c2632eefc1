"""Somebody did what a follow-up asks for. What a flag asks for is closed by the C-SSRS or by the clinician's note itself."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from intake import policy, roles
from intake.follow_ups import AFTER_SESSION
from intake.tables import follow_up
from saguaro.intake.v1 import service_pb2 as pb

OUTCOMES = "follow_up.outcome"


def handle(uow: UnitOfWork, request: pb.CompleteFollowUpRequest) -> Ids:
    """NotFound; FOLLOW_UP_DONE; FOLLOW_UP_OF_FLAG; InvalidArgument for an outcome outside the closed list."""
    follow_up_id = UUID(request.follow_up_id)
    mine = follow_up.c.follow_up_id == follow_up_id
    row = uow.execute(select(follow_up).where(mine).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("follow_up_id", "must be a follow-up on record")
    if row.done_at is not None:
        raise FailedPrecondition("FOLLOW_UP_DONE", field="follow_up_id", rule="a follow-up is done once")
    if row.kind != AFTER_SESSION:
        rule = "a flag's review is done by the note that clears it, its C-SSRS by completing the instrument"
        raise FailedPrecondition("FOLLOW_UP_OF_FLAG", field="follow_up_id", rule=rule, flag_id=str(row.flag_id))
    known = policy.reasons(uow, OUTCOMES, row.site_id)
    if request.outcome_code not in known:
        raise InvalidArgument("outcome_code", f"must be one of: {', '.join(known)}")
    done = {"done_at": uow.clinic_time, "done_by": uow.context.actor_id, "outcome_code": request.outcome_code}
    uow.execute(update(follow_up).where(mine).values(**done))
    return {"follow_up_id": str(follow_up_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.CompleteFollowUpResponse:
    """The follow-up's id."""
    return pb.CompleteFollowUpResponse(follow_up_id=ids["follow_up_id"])


COMMAND = Command("CompleteFollowUp", pb.CompleteFollowUpRequest, handle, answer, roles=roles.SEES_TO_FLAGS)
