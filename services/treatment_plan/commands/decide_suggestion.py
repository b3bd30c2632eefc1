"""A prescriber decides what the person's response suggested. Accepting changes the plan under the prescriber's signature."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message, suggestion_message
from treatment_plan.domain.privileges import SIGN
from treatment_plan.domain.series import END_EARLY, RAISE, STOP
from treatment_plan.dosing import PlanNumbers, numbers_of
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import lock_person, plan_for_update, plan_row
from treatment_plan.revising import complete, require_state, revise
from treatment_plan.series_tables import suggestion

ENDING = {STOP: "no.response", END_EARLY: "remission.sustained"}


def handle(uow: UnitOfWork, request: pb.DecideSuggestionRequest) -> Ids:
    """NotFound; FailedPrecondition SUGGESTION_STATE when decided or withdrawn, SUGGESTION_OUTDATED, PLAN_STATE; limits as a revision."""
    known = suggestion_row(uow, UUID(request.suggestion_id))
    require_privilege(uow, known.site_id, SIGN)
    lock_person(uow, known.person_id)
    of_plan = plan_for_update(uow, known.plan_id)
    mine = suggestion.c.suggestion_id == known.suggestion_id
    row = uow.execute(select(suggestion).where(mine).with_for_update()).one()
    if row.state != "open":
        raise FailedPrecondition(
            "SUGGESTION_STATE",
            field="suggestion_id",
            rule=f"only an open suggestion can be decided: it is {row.state}",
            suggestion_id=request.suggestion_id,
        )
    accepted = request.decision == "accept"
    revoked = accept(uow, row, of_plan, request.soft_limit_reason_code) if accepted else []
    uow.execute(
        update(suggestion)
        .where(mine)
        .values(
            state="accepted" if accepted else "declined",
            decided_by=uow.context.actor_id,
            reason_code=request.reason_code,
            decided_at=uow.clinic_time,
        )
    )
    uow.emit(
        events.DoseChangeDecided(
            suggestion_id=str(row.suggestion_id),
            plan_id=str(row.plan_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            accepted=accepted,
            reason_code=request.reason_code,
            decided_by=str(uow.context.actor_id),
            decided_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"suggestion_id": str(row.suggestion_id), "revoked": ",".join(str(order_id) for order_id in revoked)}


def suggestion_row(uow: UnitOfWork, suggestion_id: UUID) -> Any:
    """The suggestion. NotFound (suggestion_id)."""
    row = uow.execute(select(suggestion).where(suggestion.c.suggestion_id == suggestion_id)).one_or_none()
    if row is None:
        raise NotFound("suggestion_id", "no such suggestion")
    return row


def accept(uow: UnitOfWork, row: Any, of_plan: Any, soft_limit_reason_code: str) -> list[UUID]:
    """The plan ends, or is revised. A plan that is over already only keeps the decision. Returns the revoked orders."""
    if row.kind_code in ENDING:
        if of_plan.state == "completed":
            return []
        require_state(of_plan, "signed", "suspended")
        return complete(uow, of_plan, ENDING[row.kind_code])
    require_state(of_plan, "signed")
    return revise(uow, of_plan, numbers_accepted(row, of_plan, soft_limit_reason_code))


def numbers_accepted(row: Any, of_plan: Any, soft_limit_reason_code: str) -> PlanNumbers:
    """The plan's numbers with the suggested one. FailedPrecondition SUGGESTION_OUTDATED when a revision went as far meanwhile."""
    before = numbers_of(of_plan)
    if row.kind_code == RAISE:
        if before.order.dose_mg_per_kg >= row.suggested_dose_mg_per_kg:
            raise outdated(row)
        order = replace(before.order, dose_mg_per_kg=row.suggested_dose_mg_per_kg, rate=None)
        return replace(before, order=order, soft_limit_reason_code=soft_limit_reason_code)
    if before.interval_days == row.suggested_interval_days:
        raise outdated(row)
    reason = soft_limit_reason_code or before.soft_limit_reason_code
    return replace(before, interval_days=row.suggested_interval_days, soft_limit_reason_code=reason)


def outdated(row: Any) -> FailedPrecondition:
    """The plan says so already."""
    return FailedPrecondition(
        "SUGGESTION_OUTDATED",
        field="suggestion_id",
        rule="the plan was revised as far meanwhile: the suggestion can only be declined",
        suggestion_id=str(row.suggestion_id),
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.DecideSuggestionResponse:
    """The suggestion, the plan and the orders that were revoked."""
    row = suggestion_row(uow, UUID(ids["suggestion_id"]))
    revoked = [order_id for order_id in ids["revoked"].split(",") if order_id]
    return pb.DecideSuggestionResponse(
        suggestion=suggestion_message(row), plan=plan_message(plan_row(uow, row.plan_id)), revoked_order_ids=revoked
    )


COMMAND = Command("DecideSuggestion", pb.DecideSuggestionRequest, handle, answer, roles=frozenset({"prescriber"}))
