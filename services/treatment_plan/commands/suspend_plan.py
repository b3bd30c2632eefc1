"""A signed plan is stopped. Its unused orders are revoked; treatment goes on only under a new plan."""

from sqlalchemy import update

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message
from treatment_plan.records import plan_for_update, plan_row, revoke_unused_orders
from treatment_plan.tables import plan, treatment_order

REASON = "plan.suspended"


def handle(uow: UnitOfWork, request: pb.SuspendPlanRequest) -> Ids:
    """FailedPrecondition PLAN_STATE unless the plan is signed. A running infusion is not stopped by it."""
    row = plan_for_update(uow, request.plan_id)
    if row.state != "signed":
        raise FailedPrecondition(
            "PLAN_STATE", field="plan_id", rule="only a signed plan can be suspended", plan_id=request.plan_id
        )
    uow.execute(
        update(plan)
        .where(plan.c.plan_id == row.plan_id)
        .values(state="suspended", suspended_at=uow.clinic_time, suspended_reason_code=request.reason_code)
    )
    revoked = revoke_unused_orders(uow, treatment_order.c.plan_id == row.plan_id, REASON)
    uow.emit(
        events.PlanSuspended(
            plan_id=str(row.plan_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            reason_code=request.reason_code,
            suspended_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"plan_id": str(row.plan_id), "revoked": ",".join(str(order_id) for order_id in revoked)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.SuspendPlanResponse:
    """The plan and the orders that were revoked."""
    revoked = [order_id for order_id in ids["revoked"].split(",") if order_id]
    return pb.SuspendPlanResponse(plan=plan_message(plan_row(uow, ids["plan_id"])), revoked_order_ids=revoked)


COMMAND = Command(
    "SuspendPlan",
    pb.SuspendPlanRequest,
    handle,
    answer,
    roles=frozenset({"prescriber", "clinician", "medical_director"}),
)
