"""What was seen, as the columns of an observation; what cannot be is refused by field and rule."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from chassis.errors import InvalidArgument
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.domain.numbers import number_of
from treatment_plan.domain.scores import (
    Band,
    CirculationRule,
    SaturationRule,
    band_of,
    cadss_total,
    circulation,
    saturation,
)

VITALS = ("systolic_mmhg", "diastolic_mmhg", "heart_rate_per_min", "spo2_percent", "respiratory_rate_per_min")
ANSWERS = ("steady_gait", "nausea_controlled", "iv_out", "on_oxygen")
PERCENT = Decimal(100)


def values_of(
    seen: types.Observation,
    *,
    baseline_systolic: Decimal | None,
    circulation: CirculationRule,
    saturation: SaturationRule,
    bands: Sequence[Band],
) -> dict[str, Any]:
    """The columns that were looked at. InvalidArgument names the field; an observation of nothing is refused too."""
    values: dict[str, Any] = vitals_of(seen)
    values |= {field: getattr(seen, field) for field in ANSWERS if seen.HasField(field)}  # type: ignore[arg-type]
    if seen.HasField("moaas"):
        values |= {"moaas": seen.moaas.value, "moaas_variant": seen.moaas.variant}
    if seen.HasField("cadss"):
        values |= cadss_of(seen.cadss, bands)
    if seen.HasField("aldrete"):
        values |= aldrete_of(seen.aldrete, values, baseline_systolic, circulation, saturation)
    effects = [{"code": effect.code, "severity_code": effect.severity_code} for effect in seen.side_effects]
    if not effects and not set(values) - {"on_oxygen"}:
        raise InvalidArgument("observation", "must hold at least one measurement, score, answer or side effect")
    return values | {"side_effects": effects}


def vitals_of(seen: types.Observation) -> dict[str, Any]:
    """Vital signs that were measured. Pressures come in pairs, the systolic the higher; a percentage ends at 100."""
    values = {field: number_of(text, f"observation.{field}") for field in VITALS if (text := getattr(seen, field))}
    systolic, diastolic = values.get("systolic_mmhg"), values.get("diastolic_mmhg")
    if (systolic is None) != (diastolic is None):
        raise InvalidArgument("observation.diastolic_mmhg", "systolic and diastolic pressure come together")
    if systolic is not None and diastolic is not None and systolic <= diastolic:
        raise InvalidArgument("observation.systolic_mmhg", "must be greater than the diastolic pressure")
    if values.get("spo2_percent", PERCENT) > PERCENT:
        raise InvalidArgument("observation.spo2_percent", "must be at most 100")
    return values


def cadss_of(score: types.CadssScore, bands: Sequence[Band]) -> dict[str, Any]:
    """The form, its total, and the band that the total lies in."""
    total = cadss_total(
        score.form, score.total if score.HasField("total") else None, list(score.items), "observation.cadss"
    )
    band = band_of(bands, score.form, total)
    return {
        "cadss_form": score.form,
        "cadss_total": total,
        "cadss_items": list(score.items) or None,
        "cadss_band": None if band is None else band.band_code,
    }


def aldrete_of(
    score: types.AldreteScore,
    vitals: dict[str, Any],
    baseline_systolic: Decimal | None,
    circulation_rule: CirculationRule,
    saturation_rule: SaturationRule,
) -> dict[str, Any]:
    """The five items; what is absent is worked out from this observation's own vital signs."""
    return {
        "aldrete_activity": score.activity,
        "aldrete_respiration": score.respiration,
        "aldrete_circulation": (
            score.circulation
            if score.HasField("circulation")
            else _circulation(score.variant, vitals.get("systolic_mmhg"), baseline_systolic, circulation_rule)
        ),
        "aldrete_consciousness": score.consciousness,
        "aldrete_oxygen_saturation": (
            score.oxygen_saturation
            if score.HasField("oxygen_saturation")
            else _saturation(vitals.get("spo2_percent"), bool(vitals.get("on_oxygen")), saturation_rule)
        ),
        "aldrete_variant": score.variant,
    }


def _circulation(variant: str, now: Decimal | None, baseline: Decimal | None, rule: CirculationRule) -> int:
    if now is None or baseline is None:
        raise InvalidArgument(
            "observation.aldrete.circulation", "needs a blood pressure in this observation and one of the baseline"
        )
    return circulation(baseline, now, variant, rule)


def _saturation(spo2: Decimal | None, on_oxygen: bool, rule: SaturationRule) -> int:
    if spo2 is None:
        raise InvalidArgument("observation.aldrete.oxygen_saturation", "needs an SpO2 in this observation")
    return saturation(spo2, rule, on_oxygen=on_oxygen)
