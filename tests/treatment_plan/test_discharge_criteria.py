"""Each criterion of discharge alone, and the numbers at their bounds. A criterion without a case here fails the first test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from treatment_plan.domain.discharge import (
    CRITERIA,
    DischargePolicy,
    Dissociation,
    Recovery,
    Vitals,
    unmet_criteria,
)
from treatment_plan.domain.scores import Aldrete, Band

END = datetime(2026, 7, 15, 16, 40, tzinfo=UTC)
NOW = END + timedelta(minutes=60)
POLICY = DischargePolicy(
    aldrete_min=9,
    aldrete_respiration_min=2,
    aldrete_spo2_min=2,
    moaas_min=5,
    moaas_apart=timedelta(minutes=15),
    systolic_min_mmhg=Decimal(90),
    diastolic_min_mmhg=Decimal(50),
    systolic_below_mmhg=Decimal(140),
    diastolic_below_mmhg=Decimal(90),
    blood_pressure_fraction=Decimal("0.20"),
    heart_rate_fraction=Decimal("0.20"),
    observation=timedelta(minutes=60),
    bands=(
        Band("CADSS", "none", Decimal(0)),
        Band("CADSS", "dissociation", Decimal(5)),
        Band("CADSS-6", "none", Decimal(0)),
        Band("CADSS-6", "dissociation", Decimal(2)),
    ),
)
FIT = Recovery(
    now=NOW,
    ended_at=END,
    baseline=Vitals(Decimal(120), Decimal(80), Decimal(70)),
    latest=Vitals(Decimal(125), Decimal(82), Decimal(75)),
    aldrete=Aldrete(2, 2, 2, 2, 2, "mmhg"),
    moaas=[(END + timedelta(minutes=45), 5), (END + timedelta(minutes=60), 5)],
    baseline_cadss=Dissociation("CADSS", 0),
    latest_cadss=Dissociation("CADSS", 3),
    steady_gait=True,
    nausea_controlled=True,
    iv_out=True,
    driver_present=True,
    instructions_given=True,
    flag_open=False,
    clinician_named=True,
    abort_reason_known=True,
    policy=POLICY,
)
# Criterion -> what alone breaks it.
BROKEN: dict[str, dict[str, Any]] = {
    "aldrete": {"aldrete": Aldrete(1, 2, 2, 1, 2, "mmhg")},
    "aldrete_respiration": {"aldrete": Aldrete(2, 1, 2, 2, 2, "mmhg")},
    "aldrete_spo2": {"aldrete": Aldrete(2, 2, 2, 2, 1, "mmhg")},
    "awake_twice": {"moaas": [(END + timedelta(minutes=60), 5)]},
    "blood_pressure_low": {"latest": Vitals(Decimal(89), Decimal(60), Decimal(70))},
    "blood_pressure": {"latest": Vitals(Decimal(145), Decimal(80), Decimal(70))},
    "heart_rate": {"latest": Vitals(Decimal(120), Decimal(80), Decimal(85))},
    "dissociation": {"latest_cadss": Dissociation("CADSS", 5)},
    "steady_gait": {"steady_gait": False},
    "nausea_controlled": {"nausea_controlled": False},
    "iv_out": {"iv_out": False},
    "driver_present": {"driver_present": False},
    "instructions_given": {"instructions_given": False},
    "observation_time": {"now": NOW - timedelta(seconds=1)},
    "safety_flag": {"flag_open": True},
    "clinician": {"clinician_named": False},
    "abort_reason": {"abort_reason_known": False},
}


def unmet(**changes: Any) -> list[str]:
    """The criteria that a person with these changes does not meet."""
    return [code for code, _rule in unmet_criteria(replace(FIT, **changes))]


def test_a_person_who_meets_all_may_go() -> None:
    """Discharge = ALL: Aldrete >=9 (resp=2, SpO2=2), MOAA/S 5 twice 15 min apart, SBP >=90, DBP >=50 and BP within 20 % of baseline or
    below 140/90, HR within 20 %, CADSS back to baseline band, steady gait, nausea controlled, IV out, driver present, instructions given,
    min observation elapsed, named clinician signs.
    """
    assert unmet() == []


@pytest.mark.parametrize("code", CRITERIA)
def test_each_criterion_alone_refuses_and_is_named(code: str) -> None:
    broken = dict(BROKEN[code])
    if code == "blood_pressure":
        # Beyond 20 % of a low baseline, and not below 140.
        broken["baseline"] = Vitals(Decimal(100), Decimal(80), Decimal(70))
    assert unmet(**broken) == [code]


def test_no_case_is_of_a_criterion_that_there_is_not() -> None:
    assert set(BROKEN) == set(CRITERIA)


def test_nothing_that_was_not_looked_at_is_taken_for_met() -> None:
    assert unmet(
        latest=Vitals(None, None, None),
        aldrete=None,
        moaas=[],
        latest_cadss=None,
        steady_gait=False,
        nausea_controlled=False,
        iv_out=False,
    ) == [
        "aldrete",
        "awake_twice",
        "blood_pressure",
        "heart_rate",
        "dissociation",
        "steady_gait",
        "nausea_controlled",
        "iv_out",
    ]


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [
        ("90", "50", []),
        ("89.99", "50", ["blood_pressure_low"]),
        ("90", "49.99", ["blood_pressure_low"]),
        ("139.99", "89.99", []),
        ("144", "96", []),
        ("144.01", "80", ["blood_pressure"]),
        ("120", "96.01", ["blood_pressure"]),
    ],
)
def test_blood_pressure_at_its_bounds(systolic: str, diastolic: str, expected: list[str]) -> None:
    """SBP >=90, DBP >=50 and BP within 20 % of baseline or below 140/90"""
    assert unmet(latest=Vitals(Decimal(systolic), Decimal(diastolic), Decimal(70))) == expected


@pytest.mark.parametrize(
    ("rate", "expected"), [("84", []), ("56", []), ("84.01", ["heart_rate"]), ("55.99", ["heart_rate"])]
)
def test_heart_rate_within_a_fifth(rate: str, expected: list[str]) -> None:
    """HR within 20 %"""
    assert unmet(latest=Vitals(Decimal(120), Decimal(80), Decimal(rate))) == expected


@pytest.mark.parametrize(
    ("taken", "awake"),
    [
        ([(45, 5), (60, 5)], True),
        ([(45, 5), (59, 5)], False),
        ([(30, 5), (45, 4), (60, 5)], False),
        ([(30, 4), (44, 5), (50, 5), (59, 5)], True),
        ([(60, 5)], False),
        ([(40, 5), (60, 4)], False),
    ],
)
def test_awake_twice_a_quarter_of_an_hour_apart(taken: list[tuple[int, int]], awake: bool) -> None:
    """MOAA/S 5 twice 15 min apart"""
    moaas = [(END + timedelta(minutes=minute), value) for minute, value in taken]
    assert unmet(moaas=moaas) == ([] if awake else ["awake_twice"])


@pytest.mark.parametrize(
    ("before", "now", "back"),
    [
        (Dissociation("CADSS", 0), Dissociation("CADSS", 4), True),
        (Dissociation("CADSS", 6), Dissociation("CADSS", 40), True),
        (Dissociation("CADSS-6", 1), Dissociation("CADSS-6", 2), False),
        (Dissociation("CADSS", 0), Dissociation("CADSS-6", 0), False),
        (None, Dissociation("CADSS", 4), True),
        (None, Dissociation("CADSS", 5), False),
        (Dissociation("CADSS", 10), Dissociation("CADSS", 0), True),
    ],
)
def test_dissociation_back_in_the_band_of_the_baseline(
    before: Dissociation | None, now: Dissociation, back: bool
) -> None:
    """CADSS back to baseline band"""
    assert unmet(baseline_cadss=before, latest_cadss=now) == ([] if back else ["dissociation"])


def test_eight_points_with_full_breathing_are_not_enough() -> None:
    """discharge >=9 [K]; a published variant: >=8 with respiration=2 and SpO2=2"""
    assert unmet(aldrete=Aldrete(1, 2, 1, 2, 2, "mmhg")) == ["aldrete"]
    eight = replace(POLICY, aldrete_min=8)
    assert unmet(aldrete=Aldrete(1, 2, 1, 2, 2, "mmhg"), policy=eight) == []
