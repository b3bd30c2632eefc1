"""A prescriber ends a plan before its last session."""

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message
from treatment_plan.domain.privileges import SIGN
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import lock_person, plan_for_update, plan_row
from treatment_plan.revising import complete, require_state


def handle(uow: UnitOfWork, request: pb.EndPlanRequest) -> Ids:
    """FailedPrecondition PLAN_STATE unless signed or suspended. A running infusion is not stopped by it."""
    known = plan_row(uow, request.plan_id)
    require_privilege(uow, known.site_id, SIGN)
    lock_person(uow, known.person_id)
    row = plan_for_update(uow, request.plan_id)
    require_state(row, "signed", "suspended")
    revoked = complete(uow, row, request.reason_code)
    return {"plan_id": str(row.plan_id), "revoked": ",".join(str(order_id) for order_id in revoked)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.EndPlanResponse:
    """The plan and the orders that were revoked."""
    revoked = [order_id for order_id in ids["revoked"].split(",") if order_id]
    return pb.EndPlanResponse(plan=plan_message(plan_row(uow, ids["plan_id"])), revoked_order_ids=revoked)


COMMAND = Command("EndPlan", pb.EndPlanRequest, handle, answer, roles=frozenset({"prescriber"}))
