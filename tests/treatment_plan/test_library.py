"""The drug library and the protocols as they ship: each number, its unit and source; weights, rates and entries at a plan's draft."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.values import to_timestamp
from saguaro.policy.v1 import service_pb2 as policy_pb
from saguaro.policy.v1 import types_pb2 as policy_types
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Ward
from treatment_plan.domain.weight import WeightPolicy, dosing_weight
from treatment_plan.tables import dosing_weight_rule

D = Decimal
ADJUSTED = WeightPolicy("adjusted", above_bmi=D(30), ideal_bmi=D(22), excess_fraction=D("0.4"))


def shown(ward: Ward, policy_set: str) -> list[policy_types.PolicyRow]:
    """The rows of a policy in force now."""
    request = policy_pb.ListPolicyRequest(policy_set=policy_set, at=to_timestamp(NOW))
    return list(ward.call("ListPolicy", request, role="medical_director").rows)


def fields(items: Iterable[policy_types.PolicyField]) -> dict[str, str]:
    """Name and value of each field of a row."""
    return {item.name: item.value for item in items}


def test_the_suggested_library_is_data_with_unit_and_source(ward: Ward) -> None:
    """suggested library (psychiatry, [D], sign-off needed): mg/kg soft 0.3-0.75, hard 0.1-1.0 (range of the RCT); duration soft 40-60,
    hard 30-120 min; rate hard max 0.025 mg/kg/min; absolute dose soft 60 mg, hard 120 mg"""
    rows = shown(ward, "library_limit")
    limits = {}
    for row in rows:
        assert row.source
        assert row.review_state == "default, to be reviewed"
        key, bounds = fields(row.key), fields(row.values)
        unit = {item.unit for item in row.values}
        assert len(unit) == 1
        assert unit != {""}
        name = (key["library_code"], key["limit_code"], key["severity"])
        limits[name] = (bounds["lower_bound"], bounds["upper_bound"], unit.pop())
    assert limits == {
        ("psychiatry", "weight_kg", "hard"): ("35", "200", "kg"),
        ("psychiatry", "dose_mg_per_kg", "soft"): ("0.3", "0.75", "mg/kg"),
        ("psychiatry", "dose_mg_per_kg", "hard"): ("0.1", "1", "mg/kg"),
        ("psychiatry", "duration_min", "soft"): ("40", "60", "min"),
        ("psychiatry", "duration_min", "hard"): ("30", "120", "min"),
        ("psychiatry", "rate_mg_per_kg_per_min", "hard"): ("", "0.025", "mg/kg/min"),
        ("psychiatry", "absolute_dose_mg", "soft"): ("", "60", "mg"),
        ("psychiatry", "absolute_dose_mg", "hard"): ("", "120", "mg"),
        ("psychiatry", "rate_ml_per_h", "hard"): ("1", "999", "mL/h"),
        ("pain", "weight_kg", "hard"): ("35", "200", "kg"),
        ("pain", "rate_mg_per_kg_per_h", "soft"): ("0.1", "0.35", "mg/kg/h"),
        ("pain", "rate_mg_per_kg_per_h", "hard"): ("0.05", "0.5", "mg/kg/h"),
        ("pain", "duration_min", "hard"): ("30", "300", "min"),
        ("pain", "dose_mg_per_kg", "hard"): ("", "2", "mg/kg"),
        ("pain", "absolute_dose_mg", "hard"): ("", "200", "mg"),
        ("pain", "rate_ml_per_h", "hard"): ("1", "999", "mL/h"),
    }


def test_each_concentration_is_an_entry_of_its_own(ward: Ward) -> None:
    """conc entries 0.5, 1, 2 mg/mL only."""
    entries = [fields(row.key) for row in shown(ward, "library_concentration")]
    psychiatry = {row["concentration_mg_per_ml"] for row in entries if row["library_code"] == "psychiatry"}
    assert psychiatry == {"0.5", "1", "2"}


@pytest.mark.parametrize("policy_set", ["protocol", "series_rule", "dosing_weight_rule", "policy_number"])
def test_every_row_says_its_units_and_source(ward: Ward, policy_set: str) -> None:
    rows = shown(ward, policy_set)
    assert rows
    for row in rows:
        assert row.source
        assert all(item.unit for item in row.values), fields(row.key)


def test_100_mg_per_ml_is_no_entry(ward: Ward) -> None:
    """100 mg/mL must never be given IV undiluted (dilute with equal volume SW/NS/D5W)"""
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", ward.draft_request(ward.cleared(), concentration_mg_per_ml="100"))
    assert (refused.value.reason, refused.value.field) == ("HARD_LIMIT", "concentration_mg_per_ml")


def test_0_4_ml_of_a_10_mg_per_ml_vial_for_40_mg_is_refused(ward: Ward) -> None:
    """0.4 mL of a 10 mg/mL vial for 40 mg is refused."""
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", ward.draft_request(ward.cleared(), concentration_mg_per_ml="0.1"))
    assert (refused.value.reason, refused.value.field) == ("HARD_LIMIT", "concentration_mg_per_ml")


def test_176_entered_for_80_kg_is_stopped_by_the_absolute_soft_limit(ward: Ward) -> None:
    """176 entered for 80 kg is stopped by the absolute soft limit; 250 kg is refused"""
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", ward.draft_request(ward.cleared(), weight_kg="176", weight_kg_again="176"))
    assert refused.value.reason == "SOFT_LIMIT_REASON_REQUIRED"
    assert refused.value.ids["limits"] == "absolute_dose_mg"


def test_250_kg_is_refused_whatever_the_reason(ward: Ward) -> None:
    """176 entered for 80 kg is stopped by the absolute soft limit; 250 kg is refused"""
    asked = ward.draft_request(
        ward.cleared(), weight_kg="250", weight_kg_again="250", soft_limit_reason_code="prior.response"
    )
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", asked)
    assert (refused.value.reason, refused.value.field) == ("HARD_LIMIT", "weight_kg")


@pytest.mark.parametrize("unit", ["", "lb", "[lb_av]", "KG"])
def test_a_weight_is_entered_in_kg_with_its_unit(ward: Ward, unit: str) -> None:
    """Weight is entered in kg with its unit, twice, 35-200 kg or refused"""
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", ward.draft_request(ward.cleared(), weight_unit=unit))
    assert refused.value.field == "weight_unit"


def test_no_library_entry_for_the_indication_no_order(ward: Ward) -> None:
    """No library entry for the indication: no order."""
    request = pb.PreviewDoseRequest(
        dose_request=types.DoseRequest(
            library_code="pain", weight_kg="80", dose_mg_per_kg="1.4", duration_min=240, concentration_mg_per_ml="1"
        ),
        site_id=SITE,
    )
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("PreviewDose", request, at=NOW.replace(year=2019))
    assert refused.value.reason == "LIBRARY_NOT_IN_FORCE"


def test_complex_regional_pain_is_ordered_in_mg_per_h(ward: Ward) -> None:
    """CRPS 22 mg/h at 1 mg/mL 22 mL/h."""
    plan = ward.signed_plan(protocol_code="pain_crps_fixed", indication="pain")
    assert (plan.dose_request.dose_rate, plan.dose_request.dose_rate_unit) == ("22", "mg/h")
    order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=ward.booked(plan)))
    assert (order.programme.rate_ml_per_h, order.programme.vtbi_ml, order.dose_mg) == ("22.0", "88.0", "88")


def test_a_rate_may_be_asked_for_and_revised(ward: Ward) -> None:
    """infusions of 17 min ... 4 h/day; multi-day series; mg/h and mg/kg/h units besides mg/kg total"""
    plan = ward.signed_plan(
        protocol_code="pain",
        indication="pain",
        weight_kg="70",
        weight_kg_again="70",
        dose_rate="0.35",
        dose_rate_unit="mg/kg/h",
    )
    assert (plan.dose.dose_mg, plan.dose.programme.rate_ml_per_h) == ("98", "24.5")
    revised = ward.call(
        "RevisePlan", pb.RevisePlanRequest(plan_id=plan.plan_id, dose_rate="20", dose_rate_unit="mg/h")
    ).plan
    assert (revised.dose.dose_mg, revised.dose_request.dose_rate_unit) == ("80", "mg/h")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dose_rate": "22"}, "dose_rate_unit"),
        ({"dose_rate_unit": "mg/h"}, "dose_rate_unit"),
        ({"dose_rate": "22", "dose_rate_unit": "mg/h", "dose_mg_per_kg": "1.1"}, "dose_rate"),
    ],
    ids=["no_unit", "no_rate", "both"],
)
def test_a_dose_is_asked_for_in_one_way(ward: Ward, changes: dict[str, str], field: str) -> None:
    asked = ward.draft_request(ward.cleared("pain"), protocol_code="pain", indication="pain", **changes)
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", asked)
    assert refused.value.field == field


def test_the_dosing_weight_is_the_measured_one_by_default(ward: Ward) -> None:
    """dosing weight: actual; cap/adjusted rule by policy (e.g. BMI >30 use adjusted) [K]; store which."""
    plan = ward.signed_plan()
    assert (plan.measured_weight_kg, plan.dose_request.weight_kg, plan.weight_rule) == ("80", "80", "actual")


def test_a_site_may_adjust_the_dosing_weight_and_which_rule_is_stored(ward: Ward) -> None:
    """dosing weight: actual; cap/adjusted rule by policy (e.g. BMI >30 use adjusted) [K]; store which."""
    row = {
        "library_code": "psychiatry",
        "weight_rule": "adjusted",
        "above_bmi": 30,
        "ideal_bmi": 22,
        "excess_fraction": D("0.4"),
        "scope": SITE,
        "effective_from": NOW - timedelta(days=1),
    }
    with ward.harness.database.unit_of_work(ward.harness.context()) as uow:
        uow.execute(insert(dosing_weight_rule).values(**row))
    heavy = {"weight_kg": "110", "weight_kg_again": "110"}
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", ward.draft_request(ward.cleared(), **heavy))
    assert refused.value.field == "height_cm"
    plan = ward.signed_plan(height_cm="170", **heavy)
    # 22 x 1.70 x 1.70 = 63.58; and 0.4 of the 46.42 above it.
    assert (plan.measured_weight_kg, plan.dose_request.weight_kg, plan.weight_rule) == ("110", "82.1", "adjusted")
    assert plan.dose.ordered_mg == "41.05"


@pytest.mark.parametrize(
    ("policy", "measured", "dosing", "rule"),
    [
        (WeightPolicy("actual"), "150", "150", "actual"),
        (WeightPolicy("cap", above_kg=D(120)), "150", "120", "cap"),
        (WeightPolicy("cap", above_kg=D(120)), "120", "120", "actual"),
        (ADJUSTED, "86.7", "86.7", "actual"),
        (ADJUSTED, "86.8", "72.8", "adjusted"),
    ],
    ids=["actual", "cap", "at_the_cap", "bmi_30", "above_bmi_30"],
)
def test_each_rule_of_weight(policy: WeightPolicy, measured: str, dosing: str, rule: str) -> None:
    """dosing weight: actual; cap/adjusted rule by policy (e.g. BMI >30 use adjusted) [K]; store which."""
    found = dosing_weight(policy, D(measured), D(170))
    assert (found.measured_kg, found.dosing_kg, found.rule) == (D(measured), D(dosing), rule)


def test_a_capped_weight_does_not_bring_a_person_into_the_range(ward: Ward) -> None:
    """Weight is entered in kg with its unit, twice, 35-200 kg or refused"""
    row = {"library_code": "psychiatry", "weight_rule": "cap", "above_kg": 120, "scope": SITE, "effective_from": NOW}
    with ward.harness.database.unit_of_work(ward.harness.context()) as uow:
        uow.execute(insert(dosing_weight_rule).values(**row))
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", ward.draft_request(ward.cleared(), weight_kg="250", weight_kg_again="250"))
    assert refused.value.field == "weight_kg"


def test_a_library_that_became_stricter_refuses_the_order(ward: Ward) -> None:
    """Hard limit | reject, cannot be overridden"""
    session_id = ward.booked(ward.signed_plan())
    request = policy_pb.PublishPolicyRequest()
    row = request.row
    row.policy_set, row.site_id, row.source = "library_limit", SITE, "house policy"
    row.effective_from.CopyFrom(to_timestamp(NOW))
    for name, value in (("library_code", "psychiatry"), ("limit_code", "absolute_dose_mg"), ("severity", "hard")):
        row.key.add(name=name, value=value)
    for name, value in (("lower_bound", ""), ("upper_bound", "35"), ("unit", "mg")):
        row.values.add(name=name, value=value)
    ward.call("PublishPolicy", request, role="medical_director")
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id))
    assert (refused.value.reason, refused.value.ids["limits"]) == ("HARD_LIMIT", "absolute_dose_mg")
