"""Each item of the gate alone, and the limits at their bounds. An item without a case here fails."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from treatment_plan.domain.bag import Bag
from treatment_plan.domain.pre_infusion import HoldLimit
from treatment_plan.domain.ready import ALWAYS_HARD, ITEM_CODES, Arrival, Gate, GatePolicy, is_soft, missing_items

NOW = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
LIMITS = tuple(
    HoldLimit(item, measure, side, Decimal(bound), at_bound)
    for item, measure, side, bound, at_bound in (
        ("blood_pressure_review", "systolic_mmhg", "upper", 140, "allowed"),
        ("blood_pressure_review", "diastolic_mmhg", "upper", 90, "allowed"),
        ("blood_pressure_high", "systolic_mmhg", "upper", 160, "refused"),
        ("blood_pressure_high", "diastolic_mmhg", "upper", 100, "refused"),
        ("blood_pressure_low", "systolic_mmhg", "lower", 90, "allowed"),
        ("blood_pressure_low", "diastolic_mmhg", "lower", 50, "allowed"),
        ("heart_rate", "heart_rate_per_min", "lower", 50, "allowed"),
        ("heart_rate", "heart_rate_per_min", "upper", 110, "allowed"),
        ("spo2", "spo2_percent", "lower", 94, "allowed"),
        ("respiratory_rate", "respiratory_rate_per_min", "lower", 10, "allowed"),
        ("respiratory_rate", "respiratory_rate_per_min", "upper", 24, "allowed"),
        ("sedation", "moaas", "lower", 5, "allowed"),
    )
)
POLICY = GatePolicy(Decimal("0.10"), timedelta(hours=2), timedelta(minutes=30), LIMITS)
ARRIVAL = Arrival(
    weight_kg=Decimal("80.5"),
    pregnancy_code="test_negative",
    last_food_at=NOW - timedelta(hours=2),
    last_liquids_at=NOW - timedelta(minutes=30),
    driver_confirmed=True,
    medications_reconciled=True,
)
VITALS: dict[str, Decimal | None] = {
    "systolic_mmhg": Decimal(120),
    "diastolic_mmhg": Decimal(80),
    "heart_rate_per_min": Decimal(72),
    "spo2_percent": Decimal(98),
    "respiratory_rate_per_min": Decimal(14),
    "moaas": Decimal(5),
}
GOOD_BAG = Bag("67457010810", "A1", date(2027, 1, 1), Decimal(50), Decimal("0.8"), Decimal(40))
GATE = Gate(
    now=NOW,
    day=NOW.date(),
    order_in_force=True,
    order_weight_kg=Decimal(80),
    order_concentration_mg_per_ml=Decimal(1),
    identity_checked=True,
    arrival=ARRIVAL,
    suicide_risk_screened=True,
    flag_open=False,
    consent_in_force=True,
    baseline=VITALS,
    cadss_taken=True,
    bag=GOOD_BAG,
    bag_checked=True,
    bag_agrees=True,
    prescriber_named=True,
    clinician_named=True,
    policy=POLICY,
)


def arrival(**changes: Any) -> dict[str, Any]:
    """A gate's change of what was answered on arrival."""
    return {"arrival": replace(ARRIVAL, **changes)}


def vitals(**changes: str | None) -> dict[str, Any]:
    """A gate's change of the baseline."""
    return {"baseline": VITALS | {name: None if value is None else Decimal(value) for name, value in changes.items()}}


# Item -> what alone breaks it.
BROKEN: dict[str, dict[str, Any]] = {
    "order": {"order_in_force": False},
    "identity": {"identity_checked": False},
    "arrival_weight": arrival(weight_kg=None),
    "arrival_weight_tolerance": arrival(weight_kg=Decimal("88.01")),
    "suicide_risk_screening": {"suicide_risk_screened": False},
    "safety_flag": {"flag_open": True},
    "consent": {"consent_in_force": False},
    "pregnancy": arrival(pregnancy_code=None),
    "pregnancy_excluded": arrival(pregnancy_code="possible"),
    "fasting_food": arrival(last_food_at=NOW - timedelta(minutes=119)),
    "fasting_liquids": arrival(last_liquids_at=NOW - timedelta(minutes=29)),
    "driver": arrival(driver_confirmed=False),
    "medication_reconciliation": arrival(medications_reconciled=None),
    "baseline_blood_pressure": vitals(systolic_mmhg=None, diastolic_mmhg=None),
    "baseline_heart_rate": vitals(heart_rate_per_min=None),
    "baseline_spo2": vitals(spo2_percent=None),
    "baseline_respiratory_rate": vitals(respiratory_rate_per_min=None),
    "baseline_sedation": vitals(moaas=None),
    "baseline_dissociation": {"cadss_taken": False},
    "bag_prepared": {"bag": None},
    "bag_checked": {"bag_checked": False},
    "bag_concentration": {"bag": replace(GOOD_BAG, drawn_ml=Decimal("0.800001"))},
    "bag_in_date": {"bag": replace(GOOD_BAG, expires_on=date(2026, 7, 14))},
    "bag_agrees": {"bag_agrees": False},
    "responsible_prescriber": {"prescriber_named": False},
    "administering_clinician": {"clinician_named": False},
    "blood_pressure_review": vitals(systolic_mmhg="141"),
    "blood_pressure_high": vitals(diastolic_mmhg="100"),
    "blood_pressure_low": vitals(diastolic_mmhg="49"),
    "heart_rate": vitals(heart_rate_per_min="111"),
    "spo2": vitals(spo2_percent="93"),
    "respiratory_rate": vitals(respiratory_rate_per_min="9"),
    "sedation": vitals(moaas="4"),
}


def missing(**changes: Any) -> list[str]:
    """The items that a gate with these changes lacks."""
    return [item.item_code for item in missing_items(replace(GATE, **changes), {})]


def test_a_complete_gate_lacks_nothing() -> None:
    """**Ready** (before the start is authorised) needs: two identifiers checked by a named nurse; weight measured on arrival; C-SSRS since
    the last visit; pregnancy answer; fasting and driver confirmed; baseline BP, HR, SpO2, RR, MOAA/S; bag prepared by two different people
    """
    assert missing() == []


@pytest.mark.parametrize("code", ITEM_CODES)
def test_each_item_alone_is_named(code: str) -> None:
    """A refusal names each missing item."""
    assert missing(**BROKEN[code]) == [code]


def test_no_case_is_of_an_item_that_there_is_not() -> None:
    assert set(BROKEN) == set(ITEM_CODES)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [("88", []), ("72", []), ("88.000001", ["arrival_weight_tolerance"]), ("71.999999", ["arrival_weight_tolerance"])],
)
def test_weight_within_ten_percent_of_the_order(weight: str, expected: list[str]) -> None:
    """weight measured on arrival, in kg, within 10 % of the order's"""
    assert missing(**arrival(weight_kg=Decimal(weight))) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"systolic_mmhg": "140", "diastolic_mmhg": "90"}, []),
        ({"systolic_mmhg": "140.5"}, ["blood_pressure_review"]),
        ({"diastolic_mmhg": "91"}, ["blood_pressure_review"]),
        ({"systolic_mmhg": "159.9", "diastolic_mmhg": "99.9"}, ["blood_pressure_review"]),
        ({"systolic_mmhg": "160"}, ["blood_pressure_high"]),
        ({"diastolic_mmhg": "100"}, ["blood_pressure_high"]),
    ],
)
def test_sbp_dbp_hold(changes: dict[str, str], expected: list[str]) -> None:
    """| SBP/DBP mmHg | >140/90 prescriber review; >=160/100 hold |"""
    assert missing(**vitals(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"heart_rate_per_min": "50"}, []),
        ({"heart_rate_per_min": "110"}, []),
        ({"heart_rate_per_min": "49"}, ["heart_rate"]),
        ({"heart_rate_per_min": "111"}, ["heart_rate"]),
    ],
)
def test_hr_hold(changes: dict[str, str], expected: list[str]) -> None:
    """| HR /min | <50 or >110 |"""
    assert missing(**vitals(**changes)) == expected


@pytest.mark.parametrize(("value", "expected"), [("94", []), ("93.9", ["spo2"])])
def test_spo2_hold(value: str, expected: list[str]) -> None:
    """| SpO2 % | <94 |"""
    assert missing(**vitals(spo2_percent=value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("10", []), ("24", []), ("9", ["respiratory_rate"]), ("25", ["respiratory_rate"])]
)
def test_rr_hold(value: str, expected: list[str]) -> None:
    """| RR /min | <10 or >24 |"""
    assert missing(**vitals(respiratory_rate_per_min=value)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"systolic_mmhg": "90", "diastolic_mmhg": "50"}, []),
        ({"systolic_mmhg": "89"}, ["blood_pressure_low"]),
        ({"diastolic_mmhg": "49"}, ["blood_pressure_low"]),
    ],
)
def test_low_sbp_dbp_hold(changes: dict[str, str], expected: list[str]) -> None:
    """| low SBP/DBP mmHg | <90/50 |"""
    assert missing(**vitals(**changes)) == expected


def test_moaas_hold() -> None:
    """| MOAA/S | <5 |"""
    assert missing(**vitals(moaas="5")) == []
    assert missing(**vitals(moaas="4")) == ["sedation"]


def test_fasting_at_its_bounds_and_without_times() -> None:
    """fasting confirmed (food 2 h / liquids 30 min is the Spravato pattern)"""
    assert missing(**arrival(last_food_at=NOW - timedelta(hours=2), last_liquids_at=NOW - timedelta(minutes=30))) == []
    unknown = {"last_food_at": None, "last_liquids_at": None}
    assert missing(**arrival(**unknown)) == ["fasting_food", "fasting_liquids"]
    assert missing(**arrival(**unknown, fasting_confirmed=True)) == []
    late = missing(**arrival(last_food_at=NOW - timedelta(minutes=5), fasting_confirmed=True))
    assert late == ["fasting_food"]


def test_the_policy_says_what_is_soft_but_never_of_what_a_start_rests_on() -> None:
    soft = dict.fromkeys(ITEM_CODES, "soft")
    assert {code for code in ITEM_CODES if not is_soft(code, soft)} == ALWAYS_HARD
    assert not any(is_soft(code, {}) for code in ITEM_CODES)
