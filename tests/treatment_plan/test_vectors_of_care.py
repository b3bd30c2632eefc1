"""Lines of the clinic's rules about dose, observation, series and safety, each by its own test; the numbers are those that ship."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.policy.v1 import service_pb2 as policy_pb
from saguaro.policy.v1 import types_pb2 as policy_types
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.course import Course, kinds
from tests.treatment_plan.test_limits import passed, preview
from tests.treatment_plan.ward import NOW, Ward, findings_of
from treatment_plan.domain.accounting import require_balance
from treatment_plan.domain.dose import DoseOrder, bag_concentration_mg_per_ml, compute, vial_volume_ml

D = Decimal


@pytest.fixture
def ward(shared_ward: Ward) -> Ward:
    """Every test has a person of its own."""
    return shared_ward


def fields(items: Iterable[policy_types.PolicyField]) -> dict[str, str]:
    """Name and value of each field of a row."""
    return {item.name: item.value for item in items}


def shown(ward: Ward, policy_set: str) -> list[dict[str, str]]:
    """The rows of a policy in force now."""
    request = policy_pb.ListPolicyRequest(policy_set=policy_set, at=to_timestamp(NOW))
    rows = ward.call("ListPolicy", request, role="medical_director").rows
    return [fields(row.key) | fields(row.values) for row in rows]


def numbers(ward: Ward) -> dict[str, str]:
    """Each number of the policy."""
    return {row["policy_code"]: row["value"] for row in shown(ward, "policy_number")}


def protocol(ward: Ward, code: str) -> dict[str, str]:
    """A protocol that ships."""
    (found,) = [row for row in shown(ward, "protocol") if row["protocol_code"] == code]
    return found


def test_dose_is_mg_per_kg_times_weight() -> None:
    """dose_mg = mg/kg x dosing weight. 80 kg x 0.5 = 40 mg."""
    assert compute(DoseOrder(D(80), D("0.5"), 40, D(1))).ordered_mg == D(40)


def test_what_is_drawn_and_what_it_makes() -> None:
    """conc = drug mg / total bag mL (incl. drug volume). Withdraw mL = dose / vial conc: 40 mg / 50 mg/mL = 0.8 mL."""
    assert vial_volume_ml(D(40), D(50)) == D("0.8")
    assert bag_concentration_mg_per_ml(D(50), D("0.8"), D(40)) == D(1)
    # 0.8 mL into 40 mL of diluent are 40.8 mL: the drug's own volume counts.
    assert bag_concentration_mg_per_ml(D(50), D("0.8"), D("40.8")) < D(1)


def test_rate_of_40_mg_in_40_min() -> None:
    """rate mL/h = dose_mg / conc / (min/60): 40 mg, 1 mg/mL, 40 min -> **60 mL/h** [T];"""
    order = DoseOrder(D(80), D("0.5"), 40, D(1))
    assert compute(order).programme.rate_ml_per_h == D(60)
    assert order.rate_mg_per_kg_per_h == D("0.75")
    assert order.rate_mg_per_kg_per_min * 1000 == D("12.5")


def test_volume_is_dose_by_concentration_and_the_line_is_wasted() -> None:
    """VTBI mL = dose_mg / conc. Line: primed with drug, not flushed to the patient, residue wasted [D] (a 15 mL line at 1 mg/mL primed with
    diluent and unflushed loses 15 of 40 mg; primed with drug and flushed gives 55 mg).
    """
    line_ml = D(15)
    dose = compute(DoseOrder(D(80), D("0.5"), 40, D(1)))
    vtbi_ml = dose.programme.vtbi_ml
    assert (vtbi_ml, vtbi_ml - line_ml, vtbi_ml + line_ml) == (D(40), D(25), D(55))
    # The bag fills the line too, at the same concentration; what stays in the line is waste, and the account says so.
    drawn_ml = vial_volume_ml(D(55), D(50))
    assert bag_concentration_mg_per_ml(D(50), drawn_ml, vtbi_ml + line_ml) == D(1)
    vial_mg = D(500)
    require_balance(vial_mg, dose.dose_mg, D(0), vial_mg - D(55) + line_ml)
    with pytest.raises(InvalidArgument, match="DRUG_ACCOUNT_UNBALANCED"):
        require_balance(vial_mg, dose.dose_mg, D(0), vial_mg - D(55))


@pytest.mark.parametrize(("changes", "limits"), [
    ({"dose_mg_per_kg": "0.4"}, set()),
    ({"dose_mg_per_kg": "1.4"}, set()),
    ({"dose_mg_per_kg": "0.396"}, {("rate_mg_per_kg_per_h", "soft")}),
    ({"dose_mg_per_kg": "1.404"}, {("rate_mg_per_kg_per_h", "soft")}),
    ({"dose_mg_per_kg": "0.2"}, {("rate_mg_per_kg_per_h", "soft")}),
    ({"dose_mg_per_kg": "0.196"}, {("rate_mg_per_kg_per_h", "soft"), ("rate_mg_per_kg_per_h", "hard")}),
    ({"dose_mg_per_kg": "2"}, {("rate_mg_per_kg_per_h", "soft")}),
    ({"duration_min": 29, "dose_mg_per_kg": "0.1"}, {("duration_min", "hard")}),
    ({"duration_min": 30, "dose_mg_per_kg": "0.1"}, set()),
    ({"duration_min": 300, "dose_mg_per_kg": "1.4"}, set()),
    ({"duration_min": 301, "dose_mg_per_kg": "1.4"}, {("duration_min", "hard")}),
    ({"weight_kg": "142", "dose_mg_per_kg": "1.4"}, set()),
    ({"weight_kg": "143", "dose_mg_per_kg": "1.4"}, {("absolute_dose_mg", "hard")}),
])  # fmt: skip
def test_the_library_of_pain(ward: Ward, changes: dict[str, Any], limits: set[tuple[str, str]]) -> None:
    """Pain is a library of its own: soft 0.1-0.35, hard 0.05-0.5 mg/kg/h; 30-300 min; hard 2 mg/kg and 200 mg a session."""
    asked: dict[str, Any] = {"weight_kg": "70", "duration_min": 240} | changes
    assert passed(preview(ward, "pain", **asked)) == limits


@pytest.mark.parametrize(("weight_kg", "taken"), [("34.9", False), ("35", True), ("200", True), ("200.1", False)])
def test_a_weight_is_from_35_to_200_kg(ward: Ward, weight_kg: str, taken: bool) -> None:
    """Weight is entered in kg with its unit, twice, 35-200 kg or refused"""
    numbers_of_weight = {"weight_kg": weight_kg, "weight_kg_again": weight_kg, "dose_mg_per_kg": "0.3"}
    request = ward.draft_request(ward.cleared(), soft_limit_reason_code="clinical.judgement", **numbers_of_weight)
    if taken:
        assert ward.call("DraftPlan", request).plan.dose_request.weight_kg == weight_kg
        return
    with pytest.raises(InvalidArgument) as refused:
        ward.call("DraftPlan", request)
    assert refused.value.field == "weight_kg"


@pytest.mark.parametrize("code", ["depression", "anxiety", "ptsd", "ocd"])
def test_the_standard_protocols(ward: Ward, code: str) -> None:
    """| Standard dose/time | 0.5 mg/kg IV over 40 min |"""
    found = protocol(ward, code)
    assert (found["dose_mg_per_kg"], found["duration_min"]) == ("0.5", "40")


@pytest.mark.parametrize("code", ["depression", "anxiety", "ptsd", "ocd"])
def test_an_acute_series_is_six(ward: Ward, code: str) -> None:
    """| Acute series | 6 infusions, 3x/week for 2 weeks (or 2x/week for 3 weeks [K]);"""
    assert protocol(ward, code)["sessions_planned"] == "6"


def test_protocols_of_complex_regional_pain(ward: Ward) -> None:
    """| CRPS (moderate evidence, to 12 weeks) | 22 mg/h for 4 days, or 0.35 mg/kg/h over 4 h daily x10 days |"""
    by_weight, fixed = protocol(ward, "pain_crps"), protocol(ward, "pain_crps_fixed")
    names = ("dose_rate", "dose_rate_unit", "duration_min", "sessions_planned")
    assert [by_weight[name] for name in names] == ["0.35", "mg/kg/h", "240", "10"]
    assert [fixed[name] for name in ("dose_rate", "dose_rate_unit", "sessions_planned")] == ["22", "mg/h", "4"]


def test_the_protocol_of_spinal_cord_injury(ward: Ward) -> None:
    """| Spinal cord injury pain (weak, short term) | 0.42 mg/kg/h .. 0.4 mg/kg, 17 min to 5 h, 7 consecutive days |"""
    found = protocol(ward, "pain_spinal_cord_injury")
    assert (found["duration_min"], found["sessions_planned"]) == ("300", "7")


def test_cadss_at_baseline_forty_minutes_and_the_end(ward: Ward) -> None:
    """take at baseline, ~40 min, end [D]"""
    steps = [row for row in shown(ward, "observation_step") if row["measure_code"] == "cadss"]
    assert {(row["phase"], row["at_minute"]) for row in steps} == {("infusion", "40"), ("recovery", "60")}
    assert "baseline_dissociation" in {row["item_code"] for row in shown(ward, "ready_item")}


def test_the_timers(ward: Ward) -> None:
    """MOAA/S at 0, 15, 30, 40 then 15-min; post: every 15 min for >=60 min (>=120 min policy for first session/pain doses)."""
    steps = [row for row in shown(ward, "observation_step") if row["measure_code"] == "moaas"]
    names = ("phase", "at_minute", "repeat_minutes")
    assert {tuple(row[name] for name in names) for row in steps} == {
        ("infusion", "0", "0"),
        ("infusion", "15", "0"),
        ("infusion", "30", "0"),
        ("infusion", "40", "15"),
        ("recovery", "15", "15"),
    }
    found = numbers(ward)
    observation = [found[f"recovery_observation_{kind}min"] for kind in ("", "first_", "pain_")]
    assert observation == ["60", "120", "120"]


def test_the_numbers_of_discharge(ward: Ward) -> None:
    """Discharge = ALL: Aldrete >=9 (resp=2, SpO2=2), MOAA/S 5 twice 15 min apart, SBP >=90, DBP >=50 and BP within 20 % of baseline or
    below 140/90, HR within 20 %
    """
    found = numbers(ward)
    assert {
        name.removeprefix("discharge_"): value for name, value in found.items() if name.startswith("discharge_")
    } == {
        "aldrete_least": "9",
        "aldrete_respiration_least": "2",
        "aldrete_spo2_least": "2",
        "moaas_least": "5",
        "moaas_apart_min": "15",
        "systolic_least_mmhg": "90",
        "diastolic_least_mmhg": "50",
        "systolic_below_mmhg": "140",
        "diastolic_below_mmhg": "90",
        "blood_pressure_fraction": "0.2",
        "heart_rate_fraction": "0.2",
        "observation_max_age_min": "30",
    }


def test_a_flag_does_not_stop_what_runs_and_refuses_the_discharge(ward: Ward) -> None:
    """a running infusion is not stopped, its discharge is refused until evaluated."""
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    assert ward.harness.deliver(treatment.started_event()) == "applied"
    flag_id = ward.flag_raised(treatment.plan.person_id)
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_INFUSING
    assert ward.harness.deliver(treatment.ended_event()) == "applied"
    leaving = NOW + timedelta(minutes=160)
    treatment.recovered(leaving).instructed(leaving)
    with pytest.raises(FailedPrecondition) as refused:
        treatment.discharge(leaving)
    assert findings_of(refused.value) == {"safety_flag"}
    ward.flag_cleared(treatment.plan.person_id, flag_id)
    assert treatment.discharge(leaving).state == types.SESSION_STATE_DISCHARGED


def test_suggestions_change_nothing_by_themselves(ward: Ward) -> None:
    """All are prescriber suggestions, never auto-applied."""
    course = Course(ward, ward.signed_plan())
    for day in (0, 2, 4):
        course.step(day, 17)
    assert kinds(course.suggestions()) == [("raise_dose", 3)]
    assert (course.now().version, course.now().dose_request.dose_mg_per_kg) == (1, "0.5")
    for day in (7, 9, 11):
        course.step(day, 17)
    assert [kind for kind, after in kinds(course.suggestions()) if after == 6] == ["stop_no_response"]
    assert course.now().version == 1


def test_the_rule_of_depression(ward: Ward) -> None:
    """evaluate after #2-3 and #6; if no >=20-25 % gain after #3 at 0.5 mg/kg -> prescriber decision (raise by 0.1-0.25 mg/kg within limit
    or stop)
    """
    (rule,) = [row for row in shown(ward, "series_rule") if row["indication"] == "depression"]
    assert (rule["first_review_after"], rule["final_review_after"], rule["min_gain_percent"]) == ("3", "6", "20")
    assert (rule["raise_least_mg_per_kg"], rule["raise_most_mg_per_kg"]) == ("0.1", "0.25")
    assert (rule["interval_start_days"], rule["interval_step_days"]) == ("7", "7")
    assert (rule["relapse_rise"], rule["relapse_least_score"], rule["relapse_interval_fraction"]) == ("5", "10", "0.5")
    assert rule["remissions_in_a_row"] == "2"


def test_state_changes_only_on_the_devices_word(ward: Ward) -> None:
    """Commands are objectives; state changes only on device confirmation (OpenICE pattern)."""
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_AUTHORISED
    assert ward.harness.deliver(treatment.started_event()) == "applied"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_INFUSING


def test_an_order_is_used_by_one_infusion(ward: Ward) -> None:
    """at most one infusion an order"""
    treatment = ward.ordered().infused()
    second = treatment.start_request()
    second.request_id = str(uuid4())
    with pytest.raises(FailedPrecondition) as refused:
        treatment.authorise(second)
    assert "it was used" in refused.value.rule
    again: Any = treatment.ended_event(device_events.InfusionAborted, delivered_ml="1")
    ward.harness.deliver(again)
    record = ward.call("GetSessionRecord", pb.GetSessionRecordRequest(session_id=treatment.session_id)).record
    assert (record.infusion.outcome, record.infusion.delivered_ml) == (types.SESSION_OUTCOME_COMPLETED, "40")
