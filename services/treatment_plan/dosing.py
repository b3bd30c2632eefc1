"""From a request's numbers to a version of a plan: computed, held against the library in force, kept."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.dose import Dose, DoseOrder, compute
from treatment_plan.domain.limits import LimitFinding, findings, refuse_beyond
from treatment_plan.policy import library_in_force
from treatment_plan.tables import plan_version


@dataclass(frozen=True)
class PlanNumbers:
    """What a version of a plan says. The reason code is empty when no soft limit was passed or none was given."""

    order: DoseOrder
    sessions_planned: int
    soft_limit_reason_code: str


def dose_within_limits(
    uow: UnitOfWork, library_code: str, site_id: str, numbers: PlanNumbers
) -> tuple[Dose, list[LimitFinding]]:
    """The dose and the soft limits that it passes with a reason. Refuses as domain.limits.refuse_beyond says."""
    dose = compute(numbers.order)
    found = findings(library_in_force(uow, library_code, site_id, uow.clinic_time), numbers.order, dose)
    refuse_beyond(found, numbers.soft_limit_reason_code)
    return dose, found


def keep_version(
    uow: UnitOfWork, plan: Any, version: int, numbers: PlanNumbers, dose: Dose, found: list[LimitFinding]
) -> None:
    """Adds a version to a plan; `plan` has plan_id, person_id and site_id."""
    uow.execute(
        insert(plan_version).values(
            plan_id=plan.plan_id,
            version=version,
            person_id=plan.person_id,
            site_id=plan.site_id,
            weight_kg=numbers.order.weight_kg,
            dose_mg_per_kg=numbers.order.dose_mg_per_kg,
            duration_min=numbers.order.duration_min,
            concentration_mg_per_ml=numbers.order.concentration_mg_per_ml,
            sessions_planned=numbers.sessions_planned,
            ordered_mg=dose.ordered_mg,
            dose_mg=dose.dose_mg,
            rate_ml_per_h=dose.programme.rate_ml_per_h,
            vtbi_ml=dose.programme.vtbi_ml,
            programme_duration_min=dose.duration_min,
            limits=[asdict(finding) for finding in found],
            soft_limit_reason_code=numbers.soft_limit_reason_code or None,
            recorded_by=uow.context.actor_id,
            recorded_at=uow.clinic_time,
        )
    )


@dataclass(frozen=True)
class NewPlan:
    """The ids that the first version of a plan is kept under."""

    plan_id: UUID
    person_id: UUID
    site_id: UUID


def numbers_of(row: Any) -> PlanNumbers:
    """The numbers of a plan's newest version (records.plans)."""
    order = DoseOrder(row.weight_kg, row.dose_mg_per_kg, row.duration_min, row.concentration_mg_per_ml)
    return PlanNumbers(order, row.sessions_planned, row.soft_limit_reason_code or "")
