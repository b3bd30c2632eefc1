"""A prescriber changes the numbers of a signed plan. Orders that were not used carry the old numbers and are revoked."""

from dataclasses import replace
from typing import Any

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message
from treatment_plan.domain.privileges import SIGN
from treatment_plan.dosing import PlanNumbers, asked_dose, numbers_of
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import lock_person, plan_for_update, plan_row
from treatment_plan.revising import require_state, revise


def handle(uow: UnitOfWork, request: pb.RevisePlanRequest) -> Ids:
    """A number that the request leaves empty stays. Refuses a revision that changes nothing, and numbers beyond the library."""
    known = plan_row(uow, request.plan_id)
    require_privilege(uow, known.site_id, SIGN)
    lock_person(uow, known.person_id)
    row = plan_for_update(uow, request.plan_id)
    require_state(row, "signed")
    revoked = revise(uow, row, revised(request, row))
    return {"plan_id": str(row.plan_id), "revoked": ",".join(str(order_id) for order_id in revoked)}


def revised(request: pb.RevisePlanRequest, row: Any) -> PlanNumbers:
    """The plan's numbers with the request's put in. InvalidArgument when none differs."""
    before = numbers_of(row)
    asked = asked_dose(request).otherwise(row.dose_mg_per_kg, row.dose_rate, row.dose_rate_unit)
    order = asked.order(
        before.order.weight_kg, request.duration_min or before.order.duration_min, before.order.concentration_mg_per_ml
    )
    if request.interval_days and row.phase == "induction" and row.interval_days is None:
        raise InvalidArgument("interval_days", "only a plan in maintenance has an interval")
    # A reason is given for these numbers, not taken over from others.
    after = replace(
        before,
        order=order,
        sessions_planned=request.sessions_planned or before.sessions_planned,
        interval_days=request.interval_days or before.interval_days,
        soft_limit_reason_code=request.soft_limit_reason_code,
    )
    if replace(after, soft_limit_reason_code=before.soft_limit_reason_code) == before:
        raise InvalidArgument(
            "dose_mg_per_kg", "a revision must change the dose, the duration, the number of sessions or the interval"
        )
    return after


def answer(uow: UnitOfWork, ids: Ids) -> pb.RevisePlanResponse:
    """The plan and the orders that were revoked."""
    revoked = [order_id for order_id in ids["revoked"].split(",") if order_id]
    return pb.RevisePlanResponse(plan=plan_message(plan_row(uow, ids["plan_id"])), revoked_order_ids=revoked)


COMMAND = Command("RevisePlan", pb.RevisePlanRequest, handle, answer, roles=frozenset({"prescriber"}))
