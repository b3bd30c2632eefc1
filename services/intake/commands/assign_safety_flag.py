"""Hands a safety flag to another qualified practitioner. Its due time stays."""

from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from intake import roles
from intake.flags import assign, may_clear
from intake.tables import safety_flag
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.AssignSafetyFlagRequest) -> Ids:
    """NotFound; FLAG_CLEARED; OWNER_NOT_QUALIFIED for somebody who may not clear it at its site."""
    flag_id, owner_id = UUID(request.flag_id), UUID(request.owner_id)
    mine = safety_flag.c.flag_id == flag_id
    row = uow.execute(select(safety_flag).where(mine).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("flag_id", "must be a safety flag on record")
    if row.cleared_at is not None:
        raise FailedPrecondition("FLAG_CLEARED", field="flag_id", rule="the flag must be open", flag_id=str(flag_id))
    if not may_clear(uow, owner_id, row.site_id):
        rule = "must be a practitioner who may clear or diagnose at the flag's site"
        raise FailedPrecondition("OWNER_NOT_QUALIFIED", field="owner_id", rule=rule, owner_id=str(owner_id))
    uow.execute(update(safety_flag).where(mine).values(owner_id=owner_id))
    assign(uow, flag_id, {"person_id": row.person_id, "site_id": row.site_id}, owner_id)
    return {"flag_id": str(flag_id), "owner_id": str(owner_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.AssignSafetyFlagResponse:
    """The flag and who now has to see to it."""
    return pb.AssignSafetyFlagResponse(flag_id=ids["flag_id"], owner_id=ids["owner_id"])


COMMAND = Command("AssignSafetyFlag", pb.AssignSafetyFlagRequest, handle, answer, roles=roles.SEES_TO_FLAGS)
