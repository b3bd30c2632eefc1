"""The drug library in force: soft limits ask for a reason, hard ones refuse, policy rows decide."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from chassis.errors import FailedPrecondition, InvalidArgument
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Ward
from treatment_plan.tables import library_concentration, library_limit

# Numbers that differ from 80 kg, 0.5 mg/kg, 40 min, 1 mg/mL, and every limit that they pass.
PSYCHIATRY: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    ({"dose_mg_per_kg": "0.75"}, set()),
    ({"dose_mg_per_kg": "0.76", "weight_kg": "60"}, {("dose_mg_per_kg", "soft")}),
    ({"dose_mg_per_kg": "0.29"}, {("dose_mg_per_kg", "soft")}),
    ({"dose_mg_per_kg": "1.0", "weight_kg": "50"}, {("dose_mg_per_kg", "soft")}),
    (
        {"dose_mg_per_kg": "1.000001", "weight_kg": "50"},
        {("dose_mg_per_kg", "soft"), ("dose_mg_per_kg", "hard"), ("rate_mg_per_kg_per_min", "hard")},
    ),
    ({"duration_min": 39}, {("duration_min", "soft")}),
    ({"duration_min": 29}, {("duration_min", "soft"), ("duration_min", "hard")}),
    ({"duration_min": 121}, {("duration_min", "soft"), ("duration_min", "hard")}),
    ({"weight_kg": "120"}, set()),
    ({"weight_kg": "120.1"}, {("absolute_dose_mg", "soft")}),
    ({"weight_kg": "176"}, {("absolute_dose_mg", "soft")}),
    ({"weight_kg": "34.9"}, {("weight_kg", "hard")}),
    ({"weight_kg": "200.1"}, {("weight_kg", "hard"), ("absolute_dose_mg", "soft")}),
    ({"concentration_mg_per_ml": "100"}, {("concentration_mg_per_ml", "hard"), ("rate_ml_per_h", "hard")}),
    ({"concentration_mg_per_ml": "0.1"}, {("concentration_mg_per_ml", "hard")}),
    (
        {"dose_mg_per_kg": "0.76", "weight_kg": "160"},
        {("dose_mg_per_kg", "soft"), ("absolute_dose_mg", "soft"), ("absolute_dose_mg", "hard")},
    ),
]
PAIN: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    ({"dose_mg_per_kg": "1.4", "duration_min": 240, "weight_kg": "70"}, set()),
    ({"dose_mg_per_kg": "1.5", "duration_min": 240, "weight_kg": "70"}, {("rate_mg_per_kg_per_h", "soft")}),
    (
        {"dose_mg_per_kg": "2.04", "duration_min": 240, "weight_kg": "70"},
        {("rate_mg_per_kg_per_h", "soft"), ("rate_mg_per_kg_per_h", "hard"), ("dose_mg_per_kg", "hard")},
    ),
    ({"dose_mg_per_kg": "1.4", "duration_min": 301, "weight_kg": "70"}, {("duration_min", "hard")}),
    ({"dose_mg_per_kg": "1.4", "duration_min": 240, "weight_kg": "143"}, {("absolute_dose_mg", "hard")}),
]
OUT_OF_LIBRARY: list[tuple[str, dict[str, str]]] = [
    ("weight_kg", {"weight_kg": "34.99", "weight_kg_again": "34.99"}),
    ("weight_kg", {"weight_kg": "200.01", "weight_kg_again": "200.01"}),
    ("weight_kg_again", {"weight_kg_again": "81"}),
    ("concentration_mg_per_ml", {"concentration_mg_per_ml": "1.5"}),
    ("concentration_mg_per_ml", {"concentration_mg_per_ml": "100"}),
    ("dose_mg_per_kg", {"dose_mg_per_kg": "half"}),
    ("dose_mg_per_kg", {"dose_mg_per_kg": "-0.5"}),
    ("dose_mg_per_kg", {"dose_mg_per_kg": "5e-1"}),
    ("indication", {"indication": "pain"}),
]


def preview(ward: Ward, library: str = "psychiatry", site: str = SITE, **numbers: Any) -> types.ComputedDose:
    asked: dict[str, Any] = {
        "weight_kg": "80",
        "dose_mg_per_kg": "0.5",
        "duration_min": 40,
        "concentration_mg_per_ml": "1",
    } | numbers
    request = pb.PreviewDoseRequest(dose_request=types.DoseRequest(library_code=library, **asked), site_id=site)
    dose: types.ComputedDose = ward.call("PreviewDose", request).dose
    return dose


def passed(dose: types.ComputedDose) -> set[tuple[str, str]]:
    names = {types.LIMIT_SEVERITY_SOFT: "soft", types.LIMIT_SEVERITY_HARD: "hard"}
    return {(item.limit_code, names[item.severity]) for item in dose.limits}


def test_a_usual_dose_passes_no_limit(ward: Ward) -> None:
    dose = preview(ward, weight_kg="73.3", concentration_mg_per_ml="2")
    assert (dose.ordered_mg, dose.dose_mg, dose.duration_min) == ("36.65", "36.6", "40.07")
    assert (dose.programme.rate_ml_per_h, dose.programme.vtbi_ml) == ("27.4", "18.3")
    assert not dose.limits


def test_each_psychiatric_limit_at_its_bound(ward: Ward, subtests: pytest.Subtests) -> None:
    for numbers, expected in PSYCHIATRY:
        with subtests.test(**numbers):
            assert passed(preview(ward, **numbers)) == expected


def test_pain_is_a_library_of_its_own(ward: Ward, subtests: pytest.Subtests) -> None:
    for numbers, expected in PAIN:
        with subtests.test(**numbers):
            assert passed(preview(ward, "pain", **numbers)) == expected


def test_a_site_may_be_stricter_than_the_network_from_a_day_on(ward: Ward) -> None:
    row = {
        "library_code": "psychiatry",
        "limit_code": "absolute_dose_mg",
        "severity": "hard",
        "scope": SITE,
        "effective_from": NOW,
        "upper_bound": 35,
        "unit": "mg",
    }
    with ward.harness.database.unit_of_work(ward.harness.context()) as uow:
        uow.execute(insert(library_limit).values(**row))
    assert ("absolute_dose_mg", "hard") in passed(preview(ward))
    assert not passed(preview(ward, site="00000000-0000-4000-8000-000000000001"))
    request = pb.PreviewDoseRequest(
        dose_request=types.DoseRequest(
            library_code="psychiatry",
            weight_kg="80",
            dose_mg_per_kg="0.5",
            duration_min=40,
            concentration_mg_per_ml="1",
        ),
        site_id=SITE,
    )
    assert not ward.call("PreviewDose", request, at=NOW - timedelta(seconds=1)).dose.limits


def test_an_entry_that_a_site_took_out_is_gone_there(ward: Ward) -> None:
    with ward.harness.database.unit_of_work(ward.harness.context()) as uow:
        uow.execute(
            insert(library_concentration).values(
                library_code="psychiatry",
                concentration_mg_per_ml=2,
                scope=SITE,
                effective_from=NOW,
                in_use=False,
            )
        )
    dose = preview(ward, concentration_mg_per_ml="2")
    assert [(item.limit_code, item.bound) for item in dose.limits] == [("concentration_mg_per_ml", "0.5, 1")]


def test_a_hard_limit_refuses_a_draft_whatever_the_reason(ward: Ward) -> None:
    request = ward.draft_request(ward.cleared(), dose_mg_per_kg="1.1", soft_limit_reason_code="prior.response")
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", request)
    assert refused.value.reason == "HARD_LIMIT"
    assert refused.value.ids["limits"] == "dose_mg_per_kg,rate_mg_per_kg_per_min"
    assert not ward.call("ListPlans", pb.ListPlansRequest(person_id=request.person_id)).plans


def test_a_soft_limit_needs_a_reason(ward: Ward) -> None:
    request = ward.draft_request(ward.cleared(), dose_mg_per_kg="0.28")
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", request)
    assert refused.value.reason == "SOFT_LIMIT_REASON_REQUIRED"
    assert (refused.value.field, refused.value.ids["limits"]) == ("soft_limit_reason_code", "dose_mg_per_kg")
    request.soft_limit_reason_code = "sensitive.to.dose"
    plan = ward.call("DraftPlan", request).plan
    assert [(item.limit_code, item.value, item.bound) for item in plan.dose.limits] == [
        ("dose_mg_per_kg", "0.28", "0.3")
    ]


def test_a_number_out_of_the_library_names_its_field(ward: Ward, subtests: pytest.Subtests) -> None:
    person_id = ward.cleared()
    for field, changes in OUT_OF_LIBRARY:
        with subtests.test(**changes):
            with pytest.raises(InvalidArgument) as refused:
                ward.call("DraftPlan", ward.draft_request(person_id, **changes))
            assert refused.value.field == field
    assert not ward.call("ListPlans", pb.ListPlansRequest(person_id=person_id)).plans


def test_two_spellings_of_one_weight_are_one_weight(ward: Ward) -> None:
    plan = ward.call("DraftPlan", ward.draft_request(ward.cleared(), weight_kg="80.0", weight_kg_again="80")).plan
    assert plan.dose_request.weight_kg == "80"


def test_a_refusal_names_the_limit_and_tells_no_number(ward: Ward) -> None:
    request = ward.draft_request(ward.cleared(), dose_mg_per_kg="1.987", weight_kg="93.7", weight_kg_again="93.7")
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", request)
    told = f"{refused.value} {refused.value.findings} {refused.value.ids}"
    assert "absolute_dose_mg" in told
    assert not [number for number in ("1.987", "93.7", "186.1819") if number in told]
