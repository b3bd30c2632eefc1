"""A suspended plan goes on: a prescriber signs anew, on a consent that is in force."""

from sqlalchemy import update

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message
from treatment_plan.commands.draft_plan import require_fit
from treatment_plan.domain.privileges import SIGN
from treatment_plan.dosing import dose_within_limits, numbers_of
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import CONSENT_TOPIC, lock_person, plan_for_update, plan_row, treatment_consent_in_force
from treatment_plan.revising import require_state
from treatment_plan.tables import plan


def handle(uow: UnitOfWork, request: pb.ResumePlanRequest) -> Ids:
    """What a signature needs must be true again: clearance, no flag, limits; and a treatment consent that is known to hold.

    FailedPrecondition PLAN_STATE unless suspended, CONSENT_NOT_IN_FORCE.
    """
    known = plan_row(uow, request.plan_id)
    require_privilege(uow, known.site_id, SIGN)
    uow.refuse_if_parked(CONSENT_TOPIC, str(known.person_id))
    lock_person(uow, known.person_id)
    row = plan_for_update(uow, request.plan_id)
    require_state(row, "suspended")
    if not treatment_consent_in_force(uow, row.person_id, uow.clinic_time):
        raise FailedPrecondition(
            "CONSENT_NOT_IN_FORCE",
            field="plan_id",
            rule="a treatment consent must be in force",
            plan_id=request.plan_id,
        )
    dose_within_limits(uow, row.library_code, str(row.site_id), numbers_of(row))
    require_fit(uow, row.person_id, row.indication)
    uow.execute(
        update(plan)
        .where(plan.c.plan_id == row.plan_id)
        .values(
            state="signed",
            signed_by=uow.context.actor_id,
            signed_at=uow.clinic_time,
            suspended_at=None,
            suspended_reason_code=None,
        )
    )
    uow.emit(
        events.PlanResumed(
            plan_id=str(row.plan_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            signed_by=str(uow.context.actor_id),
            resumed_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"plan_id": str(row.plan_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.ResumePlanResponse:
    """The plan."""
    return pb.ResumePlanResponse(plan=plan_message(plan_row(uow, ids["plan_id"])))


COMMAND = Command("ResumePlan", pb.ResumePlanRequest, handle, answer, roles=frozenset({"prescriber"}))
