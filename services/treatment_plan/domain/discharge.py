"""Whether a person may go: every criterion of discharge, each named by a stable code where it is not met.

House policy after published recovery rules: modified Aldrete of 9, full points for respiration and SpO2 (Aldrete 1995), awake (MOAA/S 5)
twice a quarter of an hour apart, pressure and heart rate near the baseline, dissociation back in the baseline's band. A person leaves only
when recovered and with a responsible adult (ketamine label, FDA). The numbers are policy data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from treatment_plan.domain.numbers import difference, multiply
from treatment_plan.domain.scores import Aldrete, Band, band_of


@dataclass(frozen=True)
class Vitals:
    """Blood pressure in mmHg and heart rate by minute; None where not measured."""

    systolic_mmhg: Decimal | None
    diastolic_mmhg: Decimal | None
    heart_rate_per_min: Decimal | None


@dataclass(frozen=True)
class Dissociation:
    """A CADSS total and the form that it was taken with."""

    form: str
    total: int


@dataclass(frozen=True)
class DischargePolicy:
    """The numbers of discharge at a site and time."""

    aldrete_min: int
    aldrete_respiration_min: int
    aldrete_spo2_min: int
    moaas_min: int
    moaas_apart: timedelta
    systolic_min_mmhg: Decimal
    diastolic_min_mmhg: Decimal
    systolic_below_mmhg: Decimal
    diastolic_below_mmhg: Decimal
    blood_pressure_fraction: Decimal
    heart_rate_fraction: Decimal
    observation: timedelta
    bands: Sequence[Band]


@dataclass(frozen=True)
class Recovery:
    """Everything that is known about a recovering person. Of each measure the latest fresh value of the recovery."""

    now: datetime
    ended_at: datetime
    baseline: Vitals
    latest: Vitals
    aldrete: Aldrete | None
    # MOAA/S of the recovery, oldest first.
    moaas: Sequence[tuple[datetime, int]]
    baseline_cadss: Dissociation | None
    latest_cadss: Dissociation | None
    steady_gait: bool
    nausea_controlled: bool
    iv_out: bool
    driver_present: bool
    instructions_given: bool
    flag_open: bool
    clinician_named: bool
    abort_reason_known: bool
    policy: DischargePolicy = field(repr=False)


def _awake_twice(recovery: Recovery) -> bool:
    """The last run of full scores is long enough; a lower one begins it anew."""
    run: list[datetime] = []
    for taken_at, value in recovery.moaas:
        run = [*run, taken_at] if value >= recovery.policy.moaas_min else []
    return bool(run) and run[-1] - run[0] >= recovery.policy.moaas_apart


def _pressure_high_enough(recovery: Recovery) -> bool:
    latest, policy = recovery.latest, recovery.policy
    if latest.systolic_mmhg is None or latest.diastolic_mmhg is None:
        # That there is none is named by the criterion of the baseline.
        return True
    return latest.systolic_mmhg >= policy.systolic_min_mmhg and latest.diastolic_mmhg >= policy.diastolic_min_mmhg


def _pressure_settled(recovery: Recovery) -> bool:
    """Both pressures near the baseline, or both below the fixed bounds."""
    latest, baseline, policy = recovery.latest, recovery.baseline, recovery.policy
    if latest.systolic_mmhg is None or latest.diastolic_mmhg is None:
        return False
    if latest.systolic_mmhg < policy.systolic_below_mmhg and latest.diastolic_mmhg < policy.diastolic_below_mmhg:
        return True
    return _near(latest.systolic_mmhg, baseline.systolic_mmhg, policy.blood_pressure_fraction) and _near(
        latest.diastolic_mmhg, baseline.diastolic_mmhg, policy.blood_pressure_fraction
    )


def _near(value: Decimal | None, baseline: Decimal | None, fraction: Decimal) -> bool:
    """Within a fraction of the baseline, the bound included."""
    if value is None or baseline is None:
        return False
    return difference(value, baseline).copy_abs() <= multiply(baseline, fraction)


def _dissociation_back(recovery: Recovery) -> bool:
    """In the baseline's band or a lower one, by the same form: totals of two forms do not compare."""
    before, now = recovery.baseline_cadss, recovery.latest_cadss
    if now is None:
        return False
    band = band_of(recovery.policy.bands, now.form, now.total)
    if before is None:
        # Let pass by a prescriber before the start: the lowest band counts as the baseline's.
        reference = band_of(recovery.policy.bands, now.form, 0)
    elif before.form != now.form:
        return False
    else:
        reference = band_of(recovery.policy.bands, before.form, before.total)
    return band is not None and reference is not None and band.lower_score <= reference.lower_score


def _aldrete_item(recovery: Recovery, item: str, least: int) -> bool:
    # A score that is not there is named by the total.
    return recovery.aldrete is None or getattr(recovery.aldrete, item) >= least


# Criterion code -> the rule in words, and whether it is met.
CRITERIA: Mapping[str, tuple[str, Callable[[Recovery], bool]]] = {
    "aldrete": (
        "a fresh Aldrete score must reach the policy's total",
        lambda recovery: recovery.aldrete is not None and recovery.aldrete.total >= recovery.policy.aldrete_min,
    ),
    "aldrete_respiration": (
        "Aldrete's respiration must have full points",
        lambda recovery: _aldrete_item(recovery, "respiration", recovery.policy.aldrete_respiration_min),
    ),
    "aldrete_spo2": (
        "Aldrete's oxygen saturation must have full points",
        lambda recovery: _aldrete_item(recovery, "oxygen_saturation", recovery.policy.aldrete_spo2_min),
    ),
    "awake_twice": ("MOAA/S must be 5 twice, as far apart as the policy says, and not lower in between", _awake_twice),
    "blood_pressure_low": ("blood pressure must not be below the policy's bounds", _pressure_high_enough),
    "blood_pressure": (
        "a fresh blood pressure must be near the baseline or below the policy's bounds",
        _pressure_settled,
    ),
    "heart_rate": (
        "a fresh heart rate must be near the baseline",
        lambda recovery: _near(
            recovery.latest.heart_rate_per_min,
            recovery.baseline.heart_rate_per_min,
            recovery.policy.heart_rate_fraction,
        ),
    ),
    "dissociation": ("CADSS must be back in the baseline's band, by the same form", _dissociation_back),
    "steady_gait": ("gait must be steady", lambda recovery: recovery.steady_gait),
    "nausea_controlled": ("nausea must be controlled", lambda recovery: recovery.nausea_controlled),
    "iv_out": ("the intravenous line must be out", lambda recovery: recovery.iv_out),
    "driver_present": ("a responsible adult must be there", lambda recovery: recovery.driver_present),
    "instructions_given": ("aftercare instructions must be given", lambda recovery: recovery.instructions_given),
    "observation_time": (
        "the minimum observation must have elapsed since the infusion's end",
        lambda recovery: recovery.now - recovery.ended_at >= recovery.policy.observation,
    ),
    "safety_flag": ("no safety flag that blocks may be open", lambda recovery: not recovery.flag_open),
    "clinician": (
        "the clinician who lets the person go must be named and be the caller",
        lambda recovery: recovery.clinician_named,
    ),
    "abort_reason": ("an aborted infusion needs a reason", lambda recovery: recovery.abort_reason_known),
}


def unmet_criteria(recovery: Recovery) -> list[tuple[str, str]]:
    """Code and rule of every criterion that is not met, in the order of the list."""
    return [(code, rule) for code, (rule, met) in CRITERIA.items() if not met(recovery)]
