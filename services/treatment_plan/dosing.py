"""From a request's numbers to a version of a plan: computed, held against the library in force, kept."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from chassis.errors import InvalidArgument
from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.dose import Dose, DoseOrder, DoseRate, at_rate, compute
from treatment_plan.domain.limits import LimitFinding, findings, refuse_beyond
from treatment_plan.domain.numbers import number_of
from treatment_plan.domain.weight import DosingWeight
from treatment_plan.policy import library_in_force
from treatment_plan.tables import plan_version


@dataclass(frozen=True)
class PlanNumbers:
    """What a version of a plan says. The reason code is empty when no soft limit was passed or none was given."""

    order: DoseOrder
    sessions_planned: int
    soft_limit_reason_code: str
    weight: DosingWeight
    # Days between maintenance infusions; None during induction.
    interval_days: int | None = None


def dose_within_limits(
    uow: UnitOfWork, library_code: str, site_id: str, numbers: PlanNumbers
) -> tuple[Dose, list[LimitFinding]]:
    """The dose and the soft limits that it passes with a reason. Refuses as domain.limits.refuse_beyond says."""
    dose = compute(numbers.order)
    library = library_in_force(uow, library_code, site_id, uow.clinic_time)
    found = findings(library, numbers.order, dose, numbers.weight.measured_kg)
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
            measured_weight_kg=numbers.weight.measured_kg,
            weight_rule=numbers.weight.rule,
            height_cm=numbers.weight.height_cm,
            dose_rate=None if numbers.order.rate is None else numbers.order.rate.value,
            dose_rate_unit=None if numbers.order.rate is None else numbers.order.rate.unit,
            interval_days=numbers.interval_days,
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
    rate = None if row.dose_rate is None else DoseRate(row.dose_rate, row.dose_rate_unit)
    order = DoseOrder(row.weight_kg, row.dose_mg_per_kg, row.duration_min, row.concentration_mg_per_ml, rate)
    weight = DosingWeight(row.measured_weight_kg, row.weight_kg, row.weight_rule, row.height_cm)
    return PlanNumbers(order, row.sessions_planned, row.soft_limit_reason_code or "", weight, row.interval_days)


@dataclass(frozen=True)
class AskedDose:
    """How much, as a call says it: mg/kg over the infusion, or a rate. Both empty: nothing was asked."""

    mg_per_kg: Decimal | None
    rate: DoseRate | None

    def order(self, weight_kg: Decimal, duration_min: int, concentration_mg_per_ml: Decimal) -> DoseOrder:
        """The dose for a person. InvalidArgument when neither was asked."""
        if self.rate is not None:
            return at_rate(weight_kg, self.rate, duration_min, concentration_mg_per_ml)
        if self.mg_per_kg is None:
            raise InvalidArgument("dose_mg_per_kg", "must be given, or dose_rate with its unit")
        return DoseOrder(weight_kg, self.mg_per_kg, duration_min, concentration_mg_per_ml)

    def otherwise(self, mg_per_kg: Decimal, rate: Decimal | None, unit: str | None) -> "AskedDose":
        """What was asked, or what holds where nothing was."""
        if self.mg_per_kg is not None or self.rate is not None:
            return self
        return AskedDose(None, DoseRate(rate, unit)) if rate is not None and unit else AskedDose(mg_per_kg, None)


def asked_dose(request: Any, path: str = "") -> AskedDose:
    """Reads dose_mg_per_kg, dose_rate and dose_rate_unit. InvalidArgument for both kinds at once, or a rate without its unit."""
    if bool(request.dose_rate) != bool(request.dose_rate_unit):
        raise InvalidArgument(f"{path}dose_rate_unit", "a rate and its unit must be given together")
    if request.dose_rate and request.dose_mg_per_kg:
        raise InvalidArgument(f"{path}dose_rate", "must not be given together with dose_mg_per_kg")
    if request.dose_rate:
        return AskedDose(None, DoseRate(number_of(request.dose_rate, f"{path}dose_rate"), request.dose_rate_unit))
    given = request.dose_mg_per_kg
    return AskedDose(number_of(given, f"{path}dose_mg_per_kg") if given else None, None)
