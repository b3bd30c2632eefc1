"""The gate before a start, on the record: every item alone that is missing is named, and all of them at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, Treatment, Ward, findings_of
from treatment_plan.domain.ready import ITEM_CODES, rule_of


@pytest.fixture
def ward(shared_ward: Ward) -> Ward:
    """Every test has a person of its own."""
    return shared_ward


def refused(treatment: Treatment, **changes: Any) -> FailedPrecondition:
    """The refusal; nothing was told by it."""
    before = treatment.ward.told(events.SessionReady, treatment.session_id)
    with pytest.raises(FailedPrecondition) as caught:
        treatment.mark_ready(**changes)
    assert treatment.ward.told(events.SessionReady, treatment.session_id) == before
    return caught.value


def at_gate(ward: Ward, *left_out: str, arrival: Any = None, baseline: Any = None, **ordered: Any) -> Treatment:
    """Everything on record but what is left out or changed."""
    treatment = ward.ordered(**ordered)
    steps: dict[str, Callable[[], Any]] = {
        "screened": treatment.screened,
        "identified": treatment.identified,
        "arrived": lambda: treatment.arrived(**(arrival or {})),
        "baseline": lambda: treatment.baseline(**(baseline or {})),
        "bagged": treatment.bagged,
    }
    for name, step in steps.items():
        if name not in left_out:
            step()
    return treatment


def without_order(ward: Ward) -> FailedPrecondition:
    treatment = at_gate(ward)
    ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose"))
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_PLANNED
    return refused(treatment)


def with_a_flag(ward: Ward) -> FailedPrecondition:
    treatment = at_gate(ward)
    ward.flag_raised(treatment.plan.person_id)
    return refused(treatment)


def without_consent(ward: Ward) -> FailedPrecondition:
    treatment = at_gate(ward)
    consent_id = ward.consent_granted(treatment.plan.person_id)
    ward.consent_withdrawn(treatment.plan.person_id, consent_id)
    # The withdrawal revokes the order too: both are named.
    error = refused(treatment)
    assert findings_of(error) == {"order", "consent"}
    return error


def unchecked_bag(ward: Ward) -> FailedPrecondition:
    treatment = at_gate(ward, "bagged")
    treatment.nursing("PrepareBag", treatment.bag_request())
    return refused(treatment)


def bag_for_another_concentration(ward: Ward) -> FailedPrecondition:
    treatment = at_gate(ward)
    ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose"))
    stronger = ward.signed_plan(concentration_mg_per_ml="2")
    other = ward.order_for(stronger)
    # The same check on another session: the bag of 1 mg/mL is refused for an order of 2.
    with pytest.raises(FailedPrecondition) as caught:
        other.nursing("PrepareBag", other.bag_request())
    assert caught.value.reason == "BAG_REFUSED"
    return caught.value


def bag_past_its_day(ward: Ward) -> FailedPrecondition:
    treatment = at_gate(ward, "bagged")
    with pytest.raises(FailedPrecondition) as caught:
        treatment.nursing("PrepareBag", treatment.bag_request(expires_on="2026-07-14"))
    return caught.value


# Item -> how to lack it alone, on the record.
LACKING: dict[str, Callable[[Ward], FailedPrecondition]] = {
    "order": without_order,
    "identity": lambda ward: refused(at_gate(ward, "identified")),
    "arrival_weight": lambda ward: refused(at_gate(ward, arrival={"weight_kg": None})),
    "arrival_weight_tolerance": lambda ward: refused(at_gate(ward, arrival={"weight_kg": "88.1"})),
    "suicide_risk_screening": lambda ward: refused(at_gate(ward, "screened")),
    "safety_flag": with_a_flag,
    "consent": without_consent,
    "pregnancy": lambda ward: refused(at_gate(ward, arrival={"pregnancy_code": None})),
    "pregnancy_excluded": lambda ward: refused(at_gate(ward, arrival={"pregnancy_code": "test_positive"})),
    "fasting_food": lambda ward: refused(at_gate(ward, arrival={"last_food_at": None})),
    "fasting_liquids": lambda ward: refused(at_gate(ward, arrival={"last_liquids_at": None})),
    "driver": lambda ward: refused(at_gate(ward, arrival={"driver_confirmed": False})),
    "medication_reconciliation": lambda ward: refused(at_gate(ward, arrival={"medications_reconciled": None})),
    "baseline_blood_pressure": lambda ward: refused(
        at_gate(ward, baseline={"systolic_mmhg": None, "diastolic_mmhg": None})
    ),
    "baseline_heart_rate": lambda ward: refused(at_gate(ward, baseline={"heart_rate_per_min": None})),
    "baseline_spo2": lambda ward: refused(at_gate(ward, baseline={"spo2_percent": None})),
    "baseline_respiratory_rate": lambda ward: refused(at_gate(ward, baseline={"respiratory_rate_per_min": None})),
    "baseline_sedation": lambda ward: refused(at_gate(ward, baseline={"moaas": None})),
    "baseline_dissociation": lambda ward: refused(at_gate(ward, baseline={"cadss": None})),
    "bag_prepared": lambda ward: refused(at_gate(ward, "bagged")),
    "bag_checked": unchecked_bag,
    "bag_concentration": bag_for_another_concentration,
    "bag_in_date": bag_past_its_day,
    "bag_agrees": lambda ward: refused(at_gate(ward), drawn_ml="0.9"),
    "responsible_prescriber": lambda ward: refused(at_gate(ward), responsible_prescriber_id=""),
    "administering_clinician": lambda ward: refused(at_gate(ward), administering_clinician_id=""),
    "blood_pressure_review": lambda ward: refused(at_gate(ward, baseline={"systolic_mmhg": "141"})),
    "blood_pressure_high": lambda ward: refused(at_gate(ward, baseline={"systolic_mmhg": "160"})),
    "blood_pressure_low": lambda ward: refused(at_gate(ward, baseline={"systolic_mmhg": "89"})),
    "heart_rate": lambda ward: refused(at_gate(ward, baseline={"heart_rate_per_min": "111"})),
    "spo2": lambda ward: refused(at_gate(ward, baseline={"spo2_percent": "93"})),
    "respiratory_rate": lambda ward: refused(at_gate(ward, baseline={"respiratory_rate_per_min": "25"})),
    "sedation": lambda ward: refused(at_gate(ward, baseline={"moaas": types.MoaasScore(value=4, variant="squeeze")})),
}


@pytest.mark.parametrize("code", ITEM_CODES)
def test_each_missing_item_alone_is_named(ward: Ward, code: str) -> None:
    """A refusal names each missing item."""
    error = LACKING[code](ward)
    assert code in findings_of(error)
    assert findings_of(error) <= ({"order", "consent"} if code == "consent" else {code})
    assert f"{code}: " in error.rule
    assert error.reason == ("BAG_REFUSED" if code in ("bag_concentration", "bag_in_date") else "NOT_READY")


def test_a_complete_gate_makes_the_session_ready(ward: Ward) -> None:
    """A session names its responsible prescriber and its administering clinician."""
    treatment = at_gate(ward)
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_PREPARED
    answer = treatment.mark_ready()
    assert (answer.session_id, answer.state) == (treatment.session_id, types.SESSION_STATE_READY)
    (ready,) = ward.told(events.SessionReady, treatment.session_id)
    assert (ready.order_id, ready.arrival_weight_kg) == (treatment.order.order_id, "80.5")
    assert (ready.baseline_systolic_mmhg, ready.baseline_diastolic_mmhg) == ("120", "80")
    assert (ready.baseline_heart_rate_per_min, ready.baseline_spo2_percent) == ("72", "98")
    assert ready.baseline_respiratory_rate_per_min == "14"
    assert ready.responsible_prescriber_id == str(ward.prescriber)
    assert ready.administering_clinician_id == str(ward.nurse)
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


def test_all_missing_items_are_named_at_once(ward: Ward) -> None:
    error = refused(ward.ordered(), responsible_prescriber_id="", administering_clinician_id="")
    by_value = {
        "order",
        "arrival_weight_tolerance",
        "safety_flag",
        "consent",
        "pregnancy_excluded",
        "bag_checked",
        "bag_concentration",
        "bag_in_date",
        "bag_agrees",
    }
    present = {code for code in ITEM_CODES if not code.startswith(("blood_pressure_", "heart", "spo2", "resp", "sed"))}
    assert findings_of(error) == (present | {"responsible_prescriber"}) - by_value
    assert set(error.ids["missing"].split(",")) == findings_of(error)
    soft = {"fasting_food", "fasting_liquids", "medication_reconciliation", "baseline_dissociation"}
    assert set(error.ids["soft"].split(",")) == soft


def test_what_is_given_at_once_counts(ward: Ward) -> None:
    treatment = at_gate(ward, "identified", "arrived")
    treatment.arrived(weight_kg=None, driver_confirmed=None, last_food_at=None, last_liquids_at=None)
    treatment.mark_ready(
        arrival_weight_kg="80.5",
        identity_checked_twice=True,
        fasting_confirmed=True,
        driver_confirmed=True,
        ndc="67457-108-10",
        vial_concentration_mg_per_ml="50",
        drawn_ml="0.80",
        bag_volume_ml="40",
        bag_prepared_by=str(ward.nurse),
        bag_checked_by=str(ward.second_nurse).upper(),
    )
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


@pytest.mark.parametrize(("item", "arrival"), [("fasting_food", {"last_food_at": None})])
def test_a_prescriber_lets_a_soft_item_pass_with_a_reason(ward: Ward, item: str, arrival: dict[str, Any]) -> None:
    """Pre-infusion gate (all must be true or overridden with reason)"""
    treatment = at_gate(ward, arrival=arrival)
    assert findings_of(refused(treatment)) == {item}
    override = pb.OverrideReadyItemRequest(
        session_id=treatment.session_id, item_code=item, reason_code="benefit.outweighs"
    )
    with pytest.raises(PermissionDenied):
        treatment.nursing("OverrideReadyItem", override)
    ward.call("OverrideReadyItem", override)
    treatment.mark_ready()
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


def test_nobody_lets_a_hard_item_pass(ward: Ward) -> None:
    soft = {"fasting_food", "fasting_liquids", "medication_reconciliation", "baseline_dissociation"}
    session_id = ward.booked(ward.signed_plan())
    for code in sorted(set(ITEM_CODES) - soft - {"blood_pressure_review"}):
        request = pb.OverrideReadyItemRequest(session_id=session_id, item_code=code, reason_code="because")
        with pytest.raises(FailedPrecondition) as caught:
            ward.call("OverrideReadyItem", request)
        assert caught.value.reason == "ITEM_NOT_SOFT", code


def test_a_pressure_is_reviewed_as_it_was_measured(ward: Ward) -> None:
    """| SBP/DBP mmHg | >140/90 prescriber review; >=160/100 hold |"""
    treatment = at_gate(ward, baseline={"systolic_mmhg": "150"})
    assert findings_of(refused(treatment)) == {"blood_pressure_review"}
    override = pb.OverrideReadyItemRequest(
        session_id=treatment.session_id, item_code="blood_pressure_review", reason_code="anxious.asymptomatic"
    )
    ward.call("OverrideReadyItem", override)
    later = NOW + timedelta(minutes=5)
    treatment.observe("baseline", later, systolic_mmhg="158", diastolic_mmhg="80")
    with pytest.raises(FailedPrecondition) as caught:
        treatment.mark_ready(later)
    assert findings_of(caught.value) == {"blood_pressure_review"}
    ward.call("OverrideReadyItem", override, at=later)
    assert treatment.mark_ready(later).state == types.SESSION_STATE_READY


def test_a_screening_is_needed_since_the_last_visit(ward: Ward) -> None:
    """C-SSRS since the last visit"""
    plan = ward.signed_plan()
    first = ward.order_for(plan, 1).infused()
    second = ward.order_for(plan, 2)
    second.identified().arrived().baseline().bagged()
    assert findings_of(refused(second)) == {"suicide_risk_screening"}
    second.screened(first.infusion_end() - timedelta(minutes=1))
    assert findings_of(refused(second)) == {"suicide_risk_screening"}
    second.screened(second.at, band="incomplete")
    assert findings_of(refused(second)) == {"suicide_risk_screening"}
    second.screened(first.infusion_end())
    assert second.mark_ready().state == types.SESSION_STATE_READY


def test_an_old_baseline_is_none(ward: Ward) -> None:
    treatment = at_gate(ward, "baseline")
    treatment.baseline(NOW - timedelta(minutes=61))
    assert len(findings_of(refused(treatment))) == 6


@pytest.mark.parametrize("field", ["responsible_prescriber_id", "administering_clinician_id"])
def test_who_is_named_must_hold_the_privilege(ward: Ward, field: str) -> None:
    """each privilege missing alone refuses"""
    visitor = ward.practitioner(uuid4(), "diagnose", "clear")
    assert findings_of(refused(at_gate(ward), **{field: str(visitor)})) == {field.removesuffix("_id")}


@pytest.mark.parametrize(
    ("rpc", "request_of"),
    [
        (
            "RecordIdentityCheck",
            lambda at: pb.RecordIdentityCheckRequest(
                session_id=at.session_id, identifier_kinds=["full_name", "photo_id"]
            ),
        ),
        (
            "RecordArrivalAssessment",
            lambda at: pb.RecordArrivalAssessmentRequest(
                session_id=at.session_id, assessment=types.ArrivalAssessment(weight_kg="80")
            ),
        ),
        ("PrepareBag", lambda at: at.bag_request()),
        ("MarkSessionReady", lambda at: at.ready_request()),
    ],
)
def test_the_privilege_to_administer_is_needed(ward: Ward, rpc: str, request_of: Callable[[Treatment], Any]) -> None:
    """Diagnose, clear, sign and administer are separate privileges."""
    visitor = ward.practitioner(uuid4(), "diagnose", "clear", "sign", dea_expires_on="2027-12-31")
    treatment = ward.ordered()
    with pytest.raises(PermissionDenied) as caught:
        treatment.nursing(rpc, request_of(treatment), actor=visitor)
    assert caught.value.reason == "PRIVILEGE_MISSING"


def test_a_bag_takes_two_people(ward: Ward) -> None:
    """bag prepared by two different people (NDC, lot, expiry, vial mg/mL, mL drawn, final mL; the computed concentration equals the
    order's)
    """
    treatment = ward.ordered()
    bag_id = treatment.nursing("PrepareBag", treatment.bag_request()).bag_id
    check = pb.CheckBagRequest(session_id=treatment.session_id, bag_id=bag_id)
    with pytest.raises(FailedPrecondition) as caught:
        treatment.nursing("CheckBag", check)
    assert caught.value.reason == "BAG_SAME_PERSON"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_PLANNED
    assert treatment.nursing("CheckBag", check, actor=ward.second_nurse).state == types.SESSION_STATE_PREPARED
    with pytest.raises(FailedPrecondition) as again:
        treatment.nursing("CheckBag", check, actor=ward.second_nurse)
    assert again.value.reason == "BAG_CHECKED"


def test_a_new_bag_must_be_checked_anew(ward: Ward) -> None:
    treatment = at_gate(ward)
    later = NOW + timedelta(minutes=1)
    first = treatment.nursing("PrepareBag", treatment.bag_request(lot="B2"), later).bag_id
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_PLANNED
    treatment.nursing("PrepareBag", treatment.bag_request(lot="B3"), later + timedelta(minutes=1))
    with pytest.raises(FailedPrecondition) as caught:
        treatment.nursing(
            "CheckBag", pb.CheckBagRequest(session_id=treatment.session_id, bag_id=first), actor=ward.second_nurse
        )
    assert caught.value.reason == "BAG_NOT_PREPARED"


def test_a_tenth_of_the_concentration_is_refused(ward: Ward) -> None:
    """0.4 mL of a 10 mg/mL vial for 40 mg is refused."""
    treatment = ward.ordered()
    request = treatment.bag_request(ndc="67457-001-10", vial_concentration_mg_per_ml="10", drawn_ml="0.4")
    with pytest.raises(FailedPrecondition) as caught:
        treatment.nursing("PrepareBag", request)
    assert (caught.value.reason, findings_of(caught.value)) == ("BAG_REFUSED", {"bag_concentration"})


def test_a_session_is_ready_once(ward: Ward) -> None:
    treatment = at_gate(ward)
    request = treatment.ready_request()
    first = treatment.nursing("MarkSessionReady", request)
    assert first == treatment.nursing("MarkSessionReady", request)
    error = refused(treatment)
    assert (error.reason, "the session is ready" in error.rule) == ("SESSION_STATE", True)
    assert len(ward.told(events.SessionReady, treatment.session_id)) == 1


def test_a_session_is_made_ready_anew_for_a_new_order(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose"))
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_PLANNED
    treatment.order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=treatment.session_id))
    treatment.mark_ready()
    assert treatment.authorise().dose_mg == "40"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ndc": "67457-10810"}, "bag.ndc"),
        ({"expires_on": "2027-02-30"}, "bag.expires_on"),
        ({"final_ml": "0"}, "bag.final_ml"),
    ],
)
def test_a_bag_that_cannot_be_is_refused(ward: Ward, changes: dict[str, str], field: str) -> None:
    treatment = ward.ordered()
    with pytest.raises(InvalidArgument) as caught:
        treatment.nursing("PrepareBag", treatment.bag_request(**changes))
    assert caught.value.field == field


def test_times_to_come_are_refused(ward: Ward) -> None:
    treatment = ward.ordered()
    with pytest.raises(InvalidArgument) as caught:
        treatment.arrived(last_food_at=to_timestamp(NOW + timedelta(seconds=1)))
    assert caught.value.field == "assessment.last_food_at"


def test_an_unknown_session_may_still_be_on_its_way(ward: Ward) -> None:
    treatment = Treatment(ward, types.Plan(), str(uuid4()), pb.IssueOrderResponse())
    assert refused(treatment).reason == "SESSION_NOT_YET_KNOWN"


def test_every_item_has_a_rule_in_words() -> None:
    assert all(rule_of(code) for code in ITEM_CODES)
