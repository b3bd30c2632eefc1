"""The gate before a start: everything that must be there. A refusal names each missing item by a stable code.

House policy, from published pre-infusion checklists: two identifiers, weight on arrival within a fraction of the order's, C-SSRS since the
last visit, pregnancy, fasting (food 2 h and liquids 30 min, Spravato pattern), a driver, medications gone through, baseline vital signs, a
bag of two people. Which items are soft, so that a prescriber may let them pass with a reason, is policy data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from treatment_plan.domain.bag import Bag, bag_holds, in_date
from treatment_plan.domain.numbers import difference, multiply
from treatment_plan.domain.pre_infusion import LIMIT_RULES, HoldLimit, limits_passed

SOFT = "soft"
HARD = "hard"
# Answers to the question of pregnancy under which the drug may be given.
NOT_PREGNANT = ("not_applicable", "test_negative", "denied")
BASELINE_MEASURES = (
    "systolic_mmhg",
    "diastolic_mmhg",
    "heart_rate_per_min",
    "spo2_percent",
    "respiratory_rate_per_min",
    "moaas",
)


@dataclass(frozen=True)
class Arrival:
    """What was answered on arrival; None where it was not."""

    weight_kg: Decimal | None = None
    pregnancy_code: str | None = None
    last_food_at: datetime | None = None
    last_liquids_at: datetime | None = None
    fasting_confirmed: bool | None = None
    driver_confirmed: bool | None = None
    medications_reconciled: bool | None = None


@dataclass(frozen=True)
class GatePolicy:
    """The numbers that the gate is held against, at a site and time."""

    weight_tolerance_fraction: Decimal
    fasting_food: timedelta
    fasting_liquids: timedelta
    limits: Sequence[HoldLimit]


@dataclass(frozen=True)
class Gate:
    """Everything that is known about a session before its start."""

    now: datetime
    # The day on which the bag is used.
    day: date
    order_in_force: bool
    order_weight_kg: Decimal
    order_concentration_mg_per_ml: Decimal
    identity_checked: bool
    arrival: Arrival
    suicide_risk_screened: bool
    flag_open: bool
    consent_in_force: bool
    # The latest fresh value of each measure of the baseline.
    baseline: Mapping[str, Decimal | None]
    cadss_taken: bool
    bag: Bag | None
    bag_checked: bool
    bag_agrees: bool
    prescriber_named: bool
    clinician_named: bool
    policy: GatePolicy = field(repr=False)


@dataclass(frozen=True)
class Missing:
    """An item that the gate lacks: its code, the rule in words, whether a prescriber may let it pass."""

    item_code: str
    rule: str
    soft: bool


def _weight_within(gate: Gate) -> bool:
    weight_kg = gate.arrival.weight_kg
    if weight_kg is None or not gate.order_in_force:
        return True
    allowed_kg = multiply(gate.order_weight_kg, gate.policy.weight_tolerance_fraction)
    return difference(weight_kg, gate.order_weight_kg).copy_abs() <= allowed_kg


def _fasted(gate: Gate, last_at: datetime | None, needed: timedelta) -> bool:
    if last_at is None:
        return bool(gate.arrival.fasting_confirmed)
    return gate.now - last_at >= needed


def _measured(gate: Gate, *measures: str) -> bool:
    return all(gate.baseline.get(measure) is not None for measure in measures)


# Item code -> the rule in words, and whether the gate meets it.
ITEMS: Mapping[str, tuple[str, Callable[[Gate], bool]]] = {
    "order": ("the session must have an order in force", lambda gate: gate.order_in_force),
    "identity": ("two identifiers must be checked by a named nurse", lambda gate: gate.identity_checked),
    "arrival_weight": ("weight must be measured on arrival", lambda gate: gate.arrival.weight_kg is not None),
    "arrival_weight_tolerance": ("must be within the policy's tolerance of the order's weight", _weight_within),
    "suicide_risk_screening": (
        "a C-SSRS must have been completed since the last visit",
        lambda gate: gate.suicide_risk_screened,
    ),
    "safety_flag": ("no safety flag that blocks may be open", lambda gate: not gate.flag_open),
    "consent": ("the treatment consent must be in force", lambda gate: gate.consent_in_force),
    "pregnancy": ("the question of pregnancy must be answered", lambda gate: bool(gate.arrival.pregnancy_code)),
    "pregnancy_excluded": (
        "pregnancy must be excluded",
        lambda gate: not gate.arrival.pregnancy_code or gate.arrival.pregnancy_code in NOT_PREGNANT,
    ),
    "fasting_food": (
        "fasting from food must be confirmed for the policy's time",
        lambda gate: _fasted(gate, gate.arrival.last_food_at, gate.policy.fasting_food),
    ),
    "fasting_liquids": (
        "fasting from liquids must be confirmed for the policy's time",
        lambda gate: _fasted(gate, gate.arrival.last_liquids_at, gate.policy.fasting_liquids),
    ),
    "driver": ("a driver must be confirmed", lambda gate: bool(gate.arrival.driver_confirmed)),
    "medication_reconciliation": (
        "medications must be reconciled",
        lambda gate: bool(gate.arrival.medications_reconciled),
    ),
    "baseline_blood_pressure": (
        "a fresh baseline blood pressure must be recorded",
        lambda gate: _measured(gate, "systolic_mmhg", "diastolic_mmhg"),
    ),
    "baseline_heart_rate": (
        "a fresh baseline heart rate must be recorded",
        lambda gate: _measured(gate, "heart_rate_per_min"),
    ),
    "baseline_spo2": ("a fresh baseline SpO2 must be recorded", lambda gate: _measured(gate, "spo2_percent")),
    "baseline_respiratory_rate": (
        "a fresh baseline respiratory rate must be recorded",
        lambda gate: _measured(gate, "respiratory_rate_per_min"),
    ),
    "baseline_sedation": ("a fresh baseline MOAA/S must be recorded", lambda gate: _measured(gate, "moaas")),
    "baseline_dissociation": ("a baseline CADSS must be recorded", lambda gate: gate.cadss_taken),
    "bag_prepared": ("a bag must be prepared", lambda gate: gate.bag is not None),
    "bag_checked": (
        "the bag must be checked by somebody else than who prepared it",
        lambda gate: gate.bag is None or gate.bag_checked,
    ),
    "bag_concentration": (
        "vial mg/mL times drawn mL over final mL must equal the order's concentration exactly",
        lambda gate: (
            gate.bag is None or not gate.order_in_force or bag_holds(gate.bag, gate.order_concentration_mg_per_ml)
        ),
    ),
    "bag_in_date": (
        "the bag's lot must not be past its last day of use",
        lambda gate: gate.bag is None or in_date(gate.bag, gate.day),
    ),
    "bag_agrees": ("what is given of the bag must agree with its record", lambda gate: gate.bag_agrees),
    "responsible_prescriber": (
        "a responsible prescriber who may sign at this site must be named",
        lambda gate: gate.prescriber_named,
    ),
    "administering_clinician": (
        "an administering clinician who may administer at this site must be named",
        lambda gate: gate.clinician_named,
    ),
}
ITEM_CODES = (*ITEMS, *LIMIT_RULES)
# What no policy may make soft: without these the start would rest on nothing.
ALWAYS_HARD = frozenset(
    {"order", "identity", "safety_flag", "consent", *(code for code in ITEMS if code.startswith("bag_"))}
)


def missing_items(gate: Gate, severities: Mapping[str, str]) -> list[Missing]:
    """Every item that the gate lacks, in the order of the list. An item without a policy is hard."""
    found = [code for code, (_rule, holds) in ITEMS.items() if not holds(gate)]
    passed = limits_passed(gate.policy.limits, gate.baseline)
    found += [code for code in LIMIT_RULES if code in passed]
    return [Missing(code, rule_of(code), is_soft(code, severities)) for code in found]


def rule_of(item_code: str) -> str:
    """The rule of an item in words."""
    return LIMIT_RULES[item_code] if item_code in LIMIT_RULES else ITEMS[item_code][0]


def is_soft(item_code: str, severities: Mapping[str, str]) -> bool:
    """Whether a prescriber may let the item pass with a reason."""
    return item_code not in ALWAYS_HARD and severities.get(item_code, HARD) == SOFT
