"""A prescriber decides that treatment goes on after an abort or an adverse event."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import hold_message
from treatment_plan.domain.privileges import SIGN
from treatment_plan.hold_tables import prescriber_hold
from treatment_plan.practitioners import require_privilege


def handle(uow: UnitOfWork, request: pb.ReleaseHoldRequest) -> Ids:
    """NotFound; FailedPrecondition HOLD_RELEASED when somebody decided before. Other holds of the person stay."""
    mine = prescriber_hold.c.hold_id == UUID(request.hold_id)
    row = uow.execute(select(prescriber_hold).where(mine).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("hold_id", "no such hold")
    require_privilege(uow, row.site_id, SIGN)
    if row.released_at is not None:
        raise FailedPrecondition(
            "HOLD_RELEASED", field="hold_id", rule="the hold was released before", hold_id=request.hold_id
        )
    uow.execute(
        update(prescriber_hold)
        .where(mine)
        .values(released_by=uow.context.actor_id, released_reason_code=request.reason_code, released_at=uow.clinic_time)
    )
    return {"hold_id": str(row.hold_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.ReleaseHoldResponse:
    """The hold as it was released."""
    row = uow.execute(select(prescriber_hold).where(prescriber_hold.c.hold_id == UUID(ids["hold_id"]))).one()
    return pb.ReleaseHoldResponse(hold=hold_message(row))


COMMAND = Command("ReleaseHold", pb.ReleaseHoldRequest, handle, answer, roles=frozenset({"prescriber"}))
