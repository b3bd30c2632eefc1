"""A prescriber changes the numbers of a signed plan. Orders that were not used carry the old numbers and are revoked."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message
from treatment_plan.domain.numbers import number_of, plain
from treatment_plan.dosing import PlanNumbers, dose_within_limits, keep_version, numbers_of
from treatment_plan.records import plan_for_update, plan_row, revoke_unused_orders
from treatment_plan.tables import plan, session_record, treatment_order

REASON = "plan.revised"


def handle(uow: UnitOfWork, request: pb.RevisePlanRequest) -> Ids:
    """A number that the request leaves empty stays. Refuses a revision that changes nothing, and numbers beyond the library."""
    row = plan_for_update(uow, request.plan_id)
    if row.state != "signed":
        raise FailedPrecondition(
            "PLAN_STATE", field="plan_id", rule="only a signed plan can be revised", plan_id=request.plan_id
        )
    numbers = revised(request, row)
    require_sessions_left(uow, row.plan_id, numbers.sessions_planned)
    dose, found = dose_within_limits(uow, row.library_code, str(row.site_id), numbers)
    version = row.version + 1
    keep_version(uow, row, version, numbers, dose, found)
    uow.execute(update(plan).where(plan.c.plan_id == row.plan_id).values(version=version))
    revoked = revoke_unused_orders(uow, treatment_order.c.plan_id == row.plan_id, REASON)
    uow.emit(
        events.PlanRevised(
            plan_id=str(row.plan_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            sessions_planned=numbers.sessions_planned,
            ordered_mg=plain(dose.ordered_mg),
            duration_min=numbers.order.duration_min,
            signed_by=str(uow.context.actor_id),
            revised_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"plan_id": str(row.plan_id), "revoked": ",".join(str(order_id) for order_id in revoked)}


def revised(request: pb.RevisePlanRequest, row: Any) -> PlanNumbers:
    """The plan's numbers with the request's put in. InvalidArgument when none differs."""
    before = numbers_of(row)
    dose_mg_per_kg = (
        number_of(request.dose_mg_per_kg, "dose_mg_per_kg") if request.dose_mg_per_kg else before.order.dose_mg_per_kg
    )
    order = replace(
        before.order, dose_mg_per_kg=dose_mg_per_kg, duration_min=request.duration_min or before.order.duration_min
    )
    sessions_planned = request.sessions_planned or before.sessions_planned
    if order == before.order and sessions_planned == before.sessions_planned:
        raise InvalidArgument(
            "dose_mg_per_kg", "a revision must change the dose, the duration or the number of sessions"
        )
    # A reason is given for these numbers, not taken over from others.
    return PlanNumbers(order, sessions_planned, request.soft_limit_reason_code)


def require_sessions_left(uow: UnitOfWork, plan_id: UUID, sessions_planned: int) -> None:
    """InvalidArgument when so many sessions were closed already: the plan would be over without a last session."""
    closed = uow.execute(
        select(func.count()).where(session_record.c.plan_id == plan_id, session_record.c.state == "closed")
    ).scalar_one()
    if sessions_planned <= closed:
        raise InvalidArgument("sessions_planned", "must be more than the sessions already closed")


def answer(uow: UnitOfWork, ids: Ids) -> pb.RevisePlanResponse:
    """The plan and the orders that were revoked."""
    revoked = [order_id for order_id in ids["revoked"].split(",") if order_id]
    return pb.RevisePlanResponse(plan=plan_message(plan_row(uow, ids["plan_id"])), revoked_order_ids=revoked)


COMMAND = Command("RevisePlan", pb.RevisePlanRequest, handle, answer, roles=frozenset({"prescriber"}))
