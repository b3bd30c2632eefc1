"""A prescriber signs a draft: from now on sessions may be booked for it."""

from sqlalchemy import update

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message
from treatment_plan.commands.draft_plan import require_fit
from treatment_plan.domain.numbers import plain
from treatment_plan.domain.privileges import SIGN
from treatment_plan.dosing import dose_within_limits, numbers_of
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import lock_person, plan_for_update, plan_row
from treatment_plan.tables import plan


def handle(uow: UnitOfWork, request: pb.SignPlanRequest) -> Ids:
    """What was true of the draft must still be true: clearance, no flag, limits as they are in force now."""
    known = plan_row(uow, request.plan_id)
    require_privilege(uow, known.site_id, SIGN)
    lock_person(uow, known.person_id)
    row = plan_for_update(uow, request.plan_id)
    if row.state != "draft":
        raise FailedPrecondition(
            "PLAN_STATE", field="plan_id", rule="only a draft can be signed", plan_id=request.plan_id
        )
    dose_within_limits(uow, row.library_code, str(row.site_id), numbers_of(row))
    require_fit(uow, row.person_id, row.indication)
    uow.execute(
        update(plan)
        .where(plan.c.plan_id == row.plan_id)
        .values(state="signed", signed_by=uow.context.actor_id, signed_at=uow.clinic_time)
    )
    uow.emit(
        events.PlanSigned(
            plan_id=str(row.plan_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            protocol_code=row.protocol_code,
            indication=row.indication,
            sessions_planned=row.sessions_planned,
            ordered_mg=plain(row.ordered_mg),
            duration_min=row.duration_min,
            signed_by=str(uow.context.actor_id),
            signed_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"plan_id": str(row.plan_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.SignPlanResponse:
    """The plan."""
    return pb.SignPlanResponse(plan=plan_message(plan_row(uow, ids["plan_id"])))


COMMAND = Command("SignPlan", pb.SignPlanRequest, handle, answer, roles=frozenset({"prescriber"}))
