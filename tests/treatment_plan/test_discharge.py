"""Going home, on the record: each criterion missing alone refuses and is named; then the check of the next day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import ALDRETE, NOW, SITE, Treatment, Ward, findings_of
from treatment_plan.domain.discharge import CRITERIA

END = NOW + timedelta(minutes=40)
# A first session is observed for two hours.
LEAVING = END + timedelta(minutes=120)


@pytest.fixture
def ward(shared_ward: Ward) -> Ward:
    """Every test has a person of its own."""
    return shared_ward


def ready_to_go(ward: Ward, **changes: Any) -> Treatment:
    """A person who meets every criterion at LEAVING, but for what is changed."""
    return ward.ordered().infused().recovered(LEAVING, **changes).instructed(LEAVING)


def refused(treatment: Treatment, at: Any = LEAVING, **changes: Any) -> FailedPrecondition:
    """The refusal; nobody went home by it."""
    with pytest.raises(FailedPrecondition) as caught:
        treatment.discharge(at, **changes)
    assert not treatment.ward.told(events.SessionDischarged, treatment.session_id)
    return caught.value


def test_a_person_who_meets_all_goes_home(ward: Ward) -> None:
    """* **Discharge**: every criterion of 2.5 and a named clinician; aftercare instructions and a 24 h check recorded as given or due."""
    treatment = ready_to_go(ward)
    answer = treatment.discharge(LEAVING)
    assert answer.state == types.SESSION_STATE_DISCHARGED
    assert answer.follow_up_due_at == to_timestamp(LEAVING + timedelta(hours=24))
    (told,) = ward.told(events.SessionDischarged, treatment.session_id)
    assert (told.session_id, told.discharged_by) == (treatment.session_id, str(ward.nurse))
    assert (told.discharged_at, told.follow_up_due_at) == (answer.discharged_at, answer.follow_up_due_at)
    treatment.close()
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_CLOSED


def test_the_account_may_come_before_the_discharge(ward: Ward) -> None:
    treatment = ready_to_go(ward)
    treatment.close()
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_RECOVERING
    assert treatment.discharge(LEAVING).state == types.SESSION_STATE_CLOSED
    assert len(ward.told(events.SessionClosed, treatment.session_id)) == 1


def _without(ward: Ward, **changes: Any) -> FailedPrecondition:
    return refused(ready_to_go(ward, **changes))


def _a_second_early(ward: Ward) -> FailedPrecondition:
    early = LEAVING - timedelta(seconds=1)
    return refused(ward.ordered().infused().recovered(early).instructed(early), at=early)


def _flagged(ward: Ward) -> FailedPrecondition:
    treatment = ready_to_go(ward)
    flag_id = ward.flag_raised(treatment.plan.person_id)
    error = refused(treatment)
    ward.flag_cleared(treatment.plan.person_id, flag_id)
    assert treatment.discharge(LEAVING).state == types.SESSION_STATE_DISCHARGED
    return error


def aborted(ward: Ward, reason: str = "") -> Treatment:
    """An infusion that the pump reported as aborted."""
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    assert ward.harness.deliver(treatment.started_event()) == "applied"
    ended = treatment.ended_event(
        device_events.InfusionAborted, delivered_ml="12.3", expected_ml="12.3", reason_code=reason
    )
    assert ward.harness.deliver(ended) == "applied"
    return treatment


def _aborted_for_nothing(ward: Ward) -> FailedPrecondition:
    treatment = aborted(ward).recovered(LEAVING).instructed(LEAVING)
    error = refused(treatment)
    request = pb.RecordAbortReasonRequest(session_id=treatment.session_id, reason_code="wish.of.person")
    treatment.nursing("RecordAbortReason", request, LEAVING)
    assert treatment.discharge(LEAVING).state == types.SESSION_STATE_DISCHARGED
    return error


# Criterion -> how to lack it alone, on the record.
LACKING: dict[str, Callable[[Ward], FailedPrecondition]] = {
    "aldrete": lambda ward: _without(
        ward, aldrete=types.AldreteScore(activity=1, respiration=2, consciousness=1, variant="mmhg")
    ),
    "aldrete_respiration": lambda ward: _without(
        ward, aldrete=types.AldreteScore(activity=2, respiration=1, consciousness=2, variant="mmhg")
    ),
    "aldrete_spo2": lambda ward: _without(ward, spo2_percent="92"),
    "awake_twice": lambda ward: _without(ward, moaas=None),
    "blood_pressure_low": lambda ward: _without(ward, systolic_mmhg="110", diastolic_mmhg="49"),
    "blood_pressure": lambda ward: _without(
        ward,
        systolic_mmhg="145",
        diastolic_mmhg="80",
        aldrete=types.AldreteScore(activity=2, respiration=2, circulation=2, consciousness=2, variant="mmhg"),
    ),
    "heart_rate": lambda ward: _without(ward, heart_rate_per_min="90"),
    "dissociation": lambda ward: _without(ward, cadss=types.CadssScore(form="CADSS", total=5)),
    "steady_gait": lambda ward: _without(ward, steady_gait=False),
    "nausea_controlled": lambda ward: _without(ward, nausea_controlled=None),
    "iv_out": lambda ward: _without(ward, iv_out=False),
    "driver_present": lambda ward: refused(ready_to_go(ward), driver_present=False),
    "instructions_given": lambda ward: refused(
        ward.ordered().infused().recovered(LEAVING).instructed(LEAVING, status="due")
    ),
    "observation_time": _a_second_early,
    "safety_flag": _flagged,
    "clinician": lambda ward: refused(ready_to_go(ward), clinician_id=""),
    "abort_reason": _aborted_for_nothing,
}


@pytest.mark.parametrize("code", CRITERIA)
def test_each_criterion_missing_alone_refuses_and_is_named(ward: Ward, code: str) -> None:
    error = LACKING[code](ward)
    assert (error.reason, findings_of(error), error.ids["missing"]) == ("NOT_DISCHARGEABLE", {code}, code)
    assert f"{code}: {CRITERIA[code][0]}" in error.rule


def test_everything_that_is_missing_is_named_at_once(ward: Ward) -> None:
    error = refused(ward.ordered().infused(), at=END, driver_present=False, clinician_id="")
    conditional = {"aldrete_respiration", "aldrete_spo2", "blood_pressure_low", "safety_flag", "abort_reason"}
    assert findings_of(error) == set(CRITERIA) - conditional


def test_an_old_observation_does_not_let_anybody_go(ward: Ward) -> None:
    treatment = ready_to_go(ward)
    error = refused(treatment, at=LEAVING + timedelta(minutes=31))
    assert findings_of(error) == {"aldrete", "blood_pressure", "heart_rate", "dissociation"}


@pytest.mark.parametrize(("ordinal", "minutes"), [(1, 120), (2, 60)])
def test_a_first_session_is_observed_longer(ward: Ward, ordinal: int, minutes: int) -> None:
    """post: every 15 min for >=60 min (>=120 min policy for first session/pain doses)."""
    treatment = ward.order_for(ward.signed_plan(), ordinal).infused()
    due = treatment.infusion_end() + timedelta(minutes=minutes)
    early = due - timedelta(minutes=1)
    treatment.recovered(early).instructed(early)
    assert findings_of(refused(treatment, at=early)) == {"observation_time"}
    assert treatment.discharge(due).state == types.SESSION_STATE_DISCHARGED


def test_somebody_else_cannot_be_named(ward: Ward) -> None:
    """named clinician signs"""
    error = refused(ready_to_go(ward), clinician_id=str(ward.second_nurse))
    assert findings_of(error) == {"clinician"}


def test_the_privilege_to_administer_is_needed(ward: Ward) -> None:
    treatment, visitor = ready_to_go(ward), ward.practitioner(uuid4(), "diagnose")
    with pytest.raises(PermissionDenied) as caught:
        treatment.nursing("DischargeSession", treatment.discharge_request(clinician_id=str(visitor)), LEAVING, visitor)
    assert caught.value.reason == "PRIVILEGE_MISSING"


def test_nobody_goes_home_twice_or_before_the_end(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    error = refused(treatment)
    assert (error.reason, "ready" in error.rule) == ("SESSION_STATE", True)
    treatment.authorise()
    ward.harness.deliver(treatment.started_event())
    assert "infusing" in refused(treatment).rule
    ward.harness.deliver(treatment.ended_event())
    treatment.recovered(LEAVING).instructed(LEAVING).discharge(LEAVING)
    with pytest.raises(FailedPrecondition) as caught:
        treatment.discharge(LEAVING)
    assert (caught.value.reason, "discharged" in caught.value.rule) == ("SESSION_STATE", True)
    assert len(ward.told(events.SessionDischarged, treatment.session_id)) == 1


def test_a_lower_score_in_between_begins_the_quarter_of_an_hour_anew(ward: Ward) -> None:
    """MOAA/S 5 twice 15 min apart"""
    treatment = ward.ordered().infused().instructed(LEAVING)
    for minutes, value in ((30, 5), (10, 4), (0, 5)):
        score = types.MoaasScore(value=value, variant="squeeze")
        treatment.observe("recovery", LEAVING - timedelta(minutes=minutes), moaas=score)
    treatment.observe(
        "recovery",
        LEAVING,
        systolic_mmhg="120",
        diastolic_mmhg="80",
        heart_rate_per_min="72",
        spo2_percent="98",
        cadss=types.CadssScore(form="CADSS", total=0),
        aldrete=ALDRETE,
        steady_gait=True,
        nausea_controlled=True,
        iv_out=True,
    )
    assert findings_of(refused(treatment)) == {"awake_twice"}


def test_the_check_of_the_next_day_is_due_until_it_is_made(ward: Ward) -> None:
    treatment = ready_to_go(ward)
    treatment.discharge(LEAVING)
    due = LEAVING + timedelta(hours=24)

    def listed(at: Any) -> list[str]:
        request, found = pb.ListFollowUpsDueRequest(site_id=SITE, page_size=1), []
        while True:
            page = treatment.nursing("ListFollowUpsDue", request, at)
            found += page.follow_ups
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        # Others of the same site may be due as well.
        return [item.session_id for item in found if item.session_id == treatment.session_id]

    assert listed(due - timedelta(seconds=1)) == []
    assert listed(due) == [treatment.session_id]
    again = due + timedelta(hours=4)
    put_off = pb.RecordFollowUpRequest(
        session_id=treatment.session_id, status_code="due", next_due_at=to_timestamp(again)
    )
    answer = treatment.nursing("RecordFollowUp", put_off, due).follow_up
    assert (answer.status_code, answer.attempts, answer.due_at) == ("due", 1, to_timestamp(again))
    assert listed(due) == []
    given = pb.RecordFollowUpRequest(session_id=treatment.session_id, status_code="given", outcome_codes=["well"])
    answer = treatment.nursing("RecordFollowUp", given, again).follow_up
    assert (answer.status_code, list(answer.outcome_codes), answer.given_at) == ("given", ["well"], to_timestamp(again))
    assert listed(again) == []
    with pytest.raises(FailedPrecondition) as caught:
        treatment.nursing("RecordFollowUp", given, again)
    assert caught.value.reason == "FOLLOW_UP_NOT_DUE"


@pytest.mark.parametrize(("status", "field"), [("given", "outcome_codes"), ("due", "next_due_at")])
def test_a_check_says_what_was_found_or_when_it_is_tried_again(ward: Ward, status: str, field: str) -> None:
    treatment = ready_to_go(ward)
    treatment.discharge(LEAVING)
    request = pb.RecordFollowUpRequest(session_id=treatment.session_id, status_code=status)
    with pytest.raises(InvalidArgument) as caught:
        treatment.nursing("RecordFollowUp", request, LEAVING)
    assert caught.value.field == field


def test_an_abort_holds_what_comes_next(ward: Ward) -> None:
    """Abort needs a reason and holds the next order until a prescriber decides"""
    treatment = aborted(ward, "wish.of.person")
    next_session = ward.booked(treatment.plan, 2)
    with pytest.raises(FailedPrecondition) as caught:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=next_session))
    assert "no hold may wait" in caught.value.rule
    request = pb.RecordAbortReasonRequest(session_id=treatment.session_id, reason_code="pump.failure")
    with pytest.raises(FailedPrecondition) as known:
        treatment.nursing("RecordAbortReason", request)
    assert known.value.reason == "ABORT_REASON_KNOWN"


def test_a_reason_belongs_to_an_abort(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    request = pb.RecordAbortReasonRequest(session_id=treatment.session_id, reason_code="pump.failure")
    with pytest.raises(FailedPrecondition) as caught:
        treatment.nursing("RecordAbortReason", request)
    assert caught.value.reason == "NOT_ABORTED"
