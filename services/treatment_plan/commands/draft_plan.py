"""A plan from protocol, weight and indication, for a person who was cleared. A prescriber signs it afterwards."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import plan_message
from treatment_plan.domain.numbers import number_of
from treatment_plan.domain.weight import dosing_weight
from treatment_plan.dosing import NewPlan, PlanNumbers, asked_dose, dose_within_limits, keep_version
from treatment_plan.policy import protocol_in_force, weight_policy
from treatment_plan.records import clearance_findings, flag_findings, lock_person, plan_row
from treatment_plan.tables import plan

MAINTENANCE = "maintenance"


def handle(uow: UnitOfWork, request: pb.DraftPlanRequest) -> Ids:
    """Refuses a weight whose two entries differ, numbers beyond the library, and a person not cleared or with a flag that blocks."""
    protocol = protocol_in_force(uow, request.protocol_code, uow.clinic_time)
    if request.indication not in protocol.indications:
        raise InvalidArgument("indication", "must be one that the protocol serves")
    numbers = numbers_asked(uow, request, protocol)
    dose, found = dose_within_limits(uow, protocol.library_code, request.site_id, numbers)
    lock_person(uow, request.person_id)
    require_fit(uow, UUID(request.person_id), request.indication)
    new = NewPlan(uow.new_id(), UUID(request.person_id), UUID(request.site_id))
    uow.execute(
        insert(plan).values(
            plan_id=new.plan_id,
            person_id=new.person_id,
            site_id=new.site_id,
            protocol_code=protocol.protocol_code,
            protocol_version=protocol.version,
            library_code=protocol.library_code,
            indication=request.indication,
            state="draft",
            version=1,
            drafted_by=uow.context.actor_id,
            drafted_at=uow.clinic_time,
            phase=protocol.phase,
        )
    )
    keep_version(uow, new, 1, numbers, dose, found)
    return {"plan_id": str(new.plan_id)}


def numbers_asked(uow: UnitOfWork, request: pb.DraftPlanRequest, protocol: Any) -> PlanNumbers:
    """The request's numbers, and the protocol's where the request has none. InvalidArgument names the field."""
    asked = asked_dose(request).otherwise(protocol.dose_mg_per_kg, protocol.dose_rate, protocol.dose_rate_unit)
    height_cm = number_of(request.height_cm, "height_cm") if request.height_cm else None
    policy = weight_policy(uow, protocol.library_code, request.site_id, uow.clinic_time)
    weight = dosing_weight(policy, measured_weight(request), height_cm)
    order = asked.order(
        weight.dosing_kg,
        request.duration_min or protocol.duration_min,
        number_of(request.concentration_mg_per_ml, "concentration_mg_per_ml"),
    )
    if request.interval_days and protocol.phase != MAINTENANCE:
        raise InvalidArgument("interval_days", "only a plan of a maintenance protocol has an interval")
    return PlanNumbers(
        order,
        request.sessions_planned or protocol.sessions_planned,
        request.soft_limit_reason_code,
        weight,
        request.interval_days or protocol.interval_days,
    )


def measured_weight(request: pb.DraftPlanRequest) -> Decimal:
    """The weight, entered twice with its unit.

    A weight in pounds taken for kilograms passes every limit by weight: two entries, the unit and the absolute limit stand against it.
    """
    if request.weight_unit != "kg":
        raise InvalidArgument("weight_unit", "must be kg: a weight is measured and entered in kilograms")
    weight_kg = number_of(request.weight_kg, "weight_kg")
    if weight_kg != number_of(request.weight_kg_again, "weight_kg_again"):
        raise InvalidArgument("weight_kg_again", "must be the same number as weight_kg")
    return weight_kg


def require_fit(uow: UnitOfWork, person_id: UUID, indication: str) -> None:
    """FailedPrecondition NOT_CLEARED or SAFETY_FLAG_OPEN, each finding named."""
    clearance = clearance_findings(uow, person_id, indication, uow.clinic_time)
    found = clearance + flag_findings(uow, person_id)
    if found:
        raise FailedPrecondition(
            "NOT_CLEARED" if clearance else "SAFETY_FLAG_OPEN",
            field=found[0].field,
            rule="; ".join(finding.rule for finding in found),
            findings=found,
        )


def answer(uow: UnitOfWork, ids: Ids) -> pb.DraftPlanResponse:
    """The plan."""
    return pb.DraftPlanResponse(plan=plan_message(plan_row(uow, ids["plan_id"])))


COMMAND = Command("DraftPlan", pb.DraftPlanRequest, handle, answer, roles=frozenset({"prescriber", "clinician"}))
