"""A signed plan gets new numbers, or comes to its end: what a prescriber's own call and an accepted suggestion have in common."""

from typing import Any
from uuid import UUID

from sqlalchemy import update

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from treatment_plan.domain.numbers import plain
from treatment_plan.dosing import PlanNumbers, dose_within_limits, keep_version
from treatment_plan.records import revoke_unused_orders, sessions_accounted
from treatment_plan.tables import plan, treatment_order

REVISED = "plan.revised"
COMPLETED = "plan.completed"


def require_state(row: Any, *states: str) -> None:
    """FailedPrecondition PLAN_STATE unless the plan is in one of the states."""
    if row.state not in states:
        raise FailedPrecondition(
            "PLAN_STATE",
            field="plan_id",
            rule=f"the plan must be {' or '.join(states)}",
            plan_id=str(row.plan_id),
        )


def revise(uow: UnitOfWork, row: Any, numbers: PlanNumbers) -> list[UUID]:
    """Adds a version under the signature of who calls, within the limits. Unused orders carry old numbers and are revoked.

    `row` is the plan, locked, in state signed. Returns the orders' ids.
    """
    require_sessions_left(uow, row.plan_id, numbers.sessions_planned)
    dose, found = dose_within_limits(uow, row.library_code, str(row.site_id), numbers)
    version = row.version + 1
    keep_version(uow, row, version, numbers, dose, found)
    uow.execute(update(plan).where(plan.c.plan_id == row.plan_id).values(version=version))
    revoked = revoke_unused_orders(uow, treatment_order.c.plan_id == row.plan_id, REVISED)
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
    return revoked


def complete(uow: UnitOfWork, row: Any, reason_code: str | None = None) -> list[UUID]:
    """The plan is over: after its last session, or before it with a reason. Unused orders are revoked; returns their ids."""
    uow.execute(
        update(plan)
        .where(plan.c.plan_id == row.plan_id)
        .values(state="completed", completed_at=uow.clinic_time, ended_reason_code=reason_code)
    )
    revoked = revoke_unused_orders(uow, treatment_order.c.plan_id == row.plan_id, COMPLETED)
    uow.emit(
        events.PlanCompleted(
            plan_id=str(row.plan_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            sessions_closed=sessions_accounted(uow, row.plan_id),
            completed_at=to_timestamp(uow.clinic_time),
        )
    )
    return revoked


def require_sessions_left(uow: UnitOfWork, plan_id: UUID, sessions_planned: int) -> None:
    """InvalidArgument when so many sessions were closed already: the plan would be over without a last session."""
    if sessions_planned <= sessions_accounted(uow, plan_id):
        raise InvalidArgument("sessions_planned", "must be more than the sessions already closed")
