"""The policy of doses, limits and series that this service lists, publishes and signs."""

from chassis.policy import Policy
from treatment_plan.series_tables import RULE_UNITS, series_rule
from treatment_plan.tables import dosing_weight_rule, library_concentration, library_limit, policy_number, protocol

POLICIES = (
    Policy(
        protocol,
        ("protocol_code", "version"),
        (
            "library_code",
            "indications",
            "phase",
            "dose_mg_per_kg",
            "dose_rate",
            "dose_rate_unit",
            "duration_min",
            "sessions_planned",
            "interval_days",
        ),
        "Protocols (where the dose is a rate, mg/kg is what it comes to at 80 kg)",
        units={
            "library_code": "code",
            "indications": "code",
            "phase": "code",
            "dose_mg_per_kg": "mg/kg",
            "dose_rate": "see dose_rate_unit",
            "dose_rate_unit": "UCUM",
            "duration_min": "min",
            "sessions_planned": "{infusions}",
            "interval_days": "d",
        },
        publish=False,
    ),
    Policy(
        library_limit,
        ("library_code", "limit_code", "severity"),
        ("lower_bound", "upper_bound"),
        "Drug library: soft and hard limits",
        unit_column="unit",
    ),
    Policy(
        library_concentration,
        ("library_code", "concentration_mg_per_ml"),
        ("in_use",),
        "Drug library: concentrations in use",
        units={"concentration_mg_per_ml": "mg/mL", "in_use": "yes/no"},
    ),
    Policy(
        dosing_weight_rule,
        ("library_code",),
        ("weight_rule", "above_kg", "above_bmi", "ideal_bmi", "excess_fraction"),
        "Dosing weight",
        units={
            "weight_rule": "code",
            "above_kg": "kg",
            "above_bmi": "kg/m2",
            "ideal_bmi": "kg/m2",
            "excess_fraction": "1",
        },
    ),
    Policy(series_rule, ("indication",), tuple(RULE_UNITS), "Response over a series", units=RULE_UNITS),
    Policy(policy_number, ("policy_code",), ("value",), "Numbers of plan, gates and record", unit_column="unit"),
)
