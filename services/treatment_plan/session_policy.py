"""The policy of the session record in force at a site and time, as the rules take it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from chassis import policy
from chassis.policy import in_force
from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.bag import DilutionRule, VialProduct
from treatment_plan.domain.discharge import DischargePolicy
from treatment_plan.domain.pre_infusion import HoldLimit
from treatment_plan.domain.ready import GatePolicy
from treatment_plan.domain.schedule import Step
from treatment_plan.domain.scores import Band, CirculationRule, SaturationRule
from treatment_plan.session_policy_tables import (
    observation_step,
    pre_infusion_limit,
    ready_item,
    score_band,
    vial_product,
)
from treatment_plan.tables import policy_number


def number(uow: UnitOfWork, code: str, site_id: str) -> Decimal:
    """One number of policy. FailedPrecondition POLICY_NOT_IN_FORCE names the one that is missing."""
    return policy.number(uow, policy_number, code, site_id)


def minutes(uow: UnitOfWork, code: str, site_id: str) -> timedelta:
    """A length of time whose policy is in minutes."""
    return timedelta(minutes=float(number(uow, code, site_id)))


def hours(uow: UnitOfWork, code: str, site_id: str) -> timedelta:
    """A length of time whose policy is in hours."""
    return timedelta(hours=float(number(uow, code, site_id)))


def item_severities(uow: UnitOfWork, site_id: str) -> Mapping[str, str]:
    """Item of the gate -> "soft" or "hard"."""
    rows = uow.execute(in_force(ready_item, ("item_code",), site_id, uow.clinic_time)).all()
    return {row.item_code: row.severity for row in rows}


def hold_limits(uow: UnitOfWork, site_id: str) -> Sequence[HoldLimit]:
    """The limits that hold a start."""
    keys = ("item_code", "measure_code", "side")
    rows = uow.execute(in_force(pre_infusion_limit, keys, site_id, uow.clinic_time)).all()
    return [HoldLimit(row.item_code, row.measure_code, row.side, row.bound, row.at_bound) for row in rows]


def gate_policy(uow: UnitOfWork, site_id: str) -> GatePolicy:
    """What the gate before a start is held against."""
    return GatePolicy(
        weight_tolerance_fraction=number(uow, "weight_tolerance_fraction", site_id),
        fasting_food=minutes(uow, "fasting_food_min", site_id),
        fasting_liquids=minutes(uow, "fasting_liquids_min", site_id),
        limits=hold_limits(uow, site_id),
    )


def schedule_steps(uow: UnitOfWork, site_id: str) -> Sequence[Step]:
    """When observations are due."""
    keys = ("phase", "measure_code", "at_minute")
    rows = uow.execute(in_force(observation_step, keys, site_id, uow.clinic_time)).all()
    return [Step(row.phase, row.measure_code, row.at_minute, row.repeat_minutes) for row in rows]


def score_bands(uow: UnitOfWork, site_id: str) -> Sequence[Band]:
    """The bands of all scales."""
    rows = uow.execute(in_force(score_band, ("scale_code", "band_code"), site_id, uow.clinic_time)).all()
    return [Band(row.scale_code, row.band_code, row.lower_score) for row in rows]


def vial_products(uow: UnitOfWork, site_id: str) -> Sequence[VialProduct]:
    """The vial products in use."""
    rows = uow.execute(in_force(vial_product, ("product_code",), site_id, uow.clinic_time)).all()
    return [VialProduct(row.product_code, row.concentration_mg_per_ml) for row in rows]


def dilution_rule(uow: UnitOfWork, site_id: str) -> DilutionRule:
    """From which strength a vial must be diluted, and how far."""
    return DilutionRule(
        from_mg_per_ml=number(uow, "dilution_from_mg_per_ml", site_id),
        min_ratio=number(uow, "dilution_min_ratio", site_id),
    )


def circulation_rule(uow: UnitOfWork, site_id: str, variant: str) -> CirculationRule:
    """Aldrete's circulation by a variant: "mmhg" or "percent"."""
    return CirculationRule(
        near=number(uow, f"aldrete_circulation_near_{variant}", site_id),
        far=number(uow, f"aldrete_circulation_far_{variant}", site_id),
    )


def saturation_rule(uow: UnitOfWork, site_id: str) -> SaturationRule:
    """Aldrete's oxygen saturation."""
    return SaturationRule(
        room_air=number(uow, "aldrete_spo2_room_air_percent", site_id),
        on_oxygen=number(uow, "aldrete_spo2_on_oxygen_percent", site_id),
    )


def discharge_policy(uow: UnitOfWork, site_id: str, *, first_session: bool, pain: bool) -> DischargePolicy:
    """The numbers of discharge; the observation is the longest of those that apply."""
    observation = minutes(uow, "recovery_observation_min", site_id)
    if first_session:
        observation = max(observation, minutes(uow, "recovery_observation_first_min", site_id))
    if pain:
        observation = max(observation, minutes(uow, "recovery_observation_pain_min", site_id))
    return DischargePolicy(
        aldrete_min=int(number(uow, "discharge_aldrete_least", site_id)),
        aldrete_respiration_min=int(number(uow, "discharge_aldrete_respiration_least", site_id)),
        aldrete_spo2_min=int(number(uow, "discharge_aldrete_spo2_least", site_id)),
        moaas_min=int(number(uow, "discharge_moaas_least", site_id)),
        moaas_apart=minutes(uow, "discharge_moaas_apart_min", site_id),
        systolic_min_mmhg=number(uow, "discharge_systolic_least_mmhg", site_id),
        diastolic_min_mmhg=number(uow, "discharge_diastolic_least_mmhg", site_id),
        systolic_below_mmhg=number(uow, "discharge_systolic_below_mmhg", site_id),
        diastolic_below_mmhg=number(uow, "discharge_diastolic_below_mmhg", site_id),
        blood_pressure_fraction=number(uow, "discharge_blood_pressure_fraction", site_id),
        heart_rate_fraction=number(uow, "discharge_heart_rate_fraction", site_id),
        observation=observation,
        bands=score_bands(uow, site_id),
    )
