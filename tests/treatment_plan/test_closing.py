"""The end of a session: the pump's totals, the account of the drug, the charge's one source, the end of a plan."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Ward


def test_a_closed_session_tells_what_the_charge_is_made_from(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    answer = treatment.close()
    assert (answer.outcome, answer.ordered_mg, answer.delivered_mg) == (types.SESSION_OUTCOME_COMPLETED, "40", "40")
    assert (answer.wasted_mg, answer.delivering_seconds) == ("460", 2400)
    (closed,) = ward.harness.events(events.SessionClosed)
    assert (closed.session_id, closed.order_id) == (treatment.session_id, treatment.order.order_id)
    assert (closed.plan_id, closed.person_id, closed.ordinal) == (treatment.plan.plan_id, treatment.plan.person_id, 1)
    assert (closed.ordered_mg, closed.delivered_mg, closed.delivered_ml, closed.wasted_mg) == ("40", "40", "40", "460")
    assert (closed.ndc, closed.vial_concentration_mg_per_ml) == ("67457010810", "50")
    assert (closed.started_at, closed.stopped_at) == (to_timestamp(NOW), to_timestamp(NOW + timedelta(minutes=40)))
    assert (closed.delivering_seconds, closed.paused_seconds, closed.discrepancy) == (2400, 0, False)
    # The person still recovers: the account of the drug may come any time after the infusion's end.
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_RECOVERING


def test_waste_is_told_with_who_saw_it(ward: Ward) -> None:
    treatment, witness = ward.ordered().infused(), str(uuid4())
    treatment.close(witnessed_by=witness)
    (wasted,) = ward.harness.events(events.DrugWasted)
    assert (wasted.wasted_mg, wasted.ndc) == ("460", "67457010810")
    assert (wasted.wasted_by, wasted.witnessed_by) == (str(ward.nurse), witness)


def test_who_closes_is_no_witness_of_waste(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    with pytest.raises(InvalidArgument) as refused:
        treatment.close(witnessed_by=str(ward.nurse).upper())
    assert refused.value.field == "witnessed_by"
    assert not ward.harness.events(events.SessionClosed)


def test_nothing_wasted_is_not_told(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    treatment.close(opened_mg="500", returned_mg="460", wasted_mg="0", witnessed_by=str(ward.nurse))
    assert not ward.harness.events(events.DrugWasted)
    assert len(ward.harness.events(events.SessionClosed)) == 1


@pytest.mark.parametrize("wasted", ["459.999999", "460.000001", "0"])
def test_an_account_that_does_not_balance_to_the_last_decimal_is_refused(ward: Ward, wasted: str) -> None:
    treatment = ward.ordered().infused()
    with pytest.raises(InvalidArgument) as refused:
        treatment.close(wasted_mg=wasted)
    assert refused.value.reason == "DRUG_ACCOUNT_UNBALANCED"
    assert "last decimal" in refused.value.rule
    assert not ward.harness.events(events.SessionClosed)
    treatment.close()


def test_a_session_without_pump_totals_waits_and_is_closed_by_the_same_request(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    request = treatment.close_request()
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("CloseSession", request, role="nurse")
    assert refused.value.reason == "PUMP_TOTALS_MISSING"
    ward.harness.deliver(treatment.started_event())
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_INFUSING
    ward.harness.deliver(treatment.ended_event())
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_RECOVERING
    first = ward.call("CloseSession", request, role="nurse")
    assert first == ward.call("CloseSession", request, role="nurse")
    assert len(ward.harness.events(events.SessionClosed)) == 1


def test_a_session_is_closed_once(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    treatment.close()
    with pytest.raises(FailedPrecondition) as refused:
        treatment.close()
    assert refused.value.reason == "SESSION_STATE"
    assert len(ward.harness.events(events.SessionClosed)) == 1


def test_an_account_of_an_infusion_that_runs_is_refused(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    ward.harness.deliver(treatment.started_event())
    with pytest.raises(FailedPrecondition) as refused:
        treatment.close()
    assert refused.value.reason == "PUMP_TOTALS_MISSING"


def test_keep_vein_open_volume_by_the_published_vector(ward: Ward) -> None:
    """Vector: 40.0 -> 80.0, then KVO to 80.5, 1 mg/mL = 40.5 mg, end at 80.0."""
    treatment = ward.ordered().infused(delivered_ml="40.5", keep_vein_open_ml="0.5", expected_ml="40.0")
    answer = treatment.close(wasted_mg="459.5")
    assert answer.delivered_mg == "40.5"
    (closed,) = ward.harness.events(events.SessionClosed)
    assert (closed.delivered_ml, closed.delivered_mg, closed.discrepancy) == ("40.5", "40.5", False)
    assert closed.stopped_at == to_timestamp(NOW + timedelta(minutes=40))


@pytest.mark.parametrize(
    ("opened", "returned", "wasted", "balances"),
    [
        ("500", "0", "460", True),
        ("500", "460", "0", True),
        ("500", "100.5", "359.5", True),
        ("500", "0", "460.5", False),
    ],
)
def test_the_drug_balances_to_nothing(ward: Ward, opened: str, returned: str, wasted: str, balances: bool) -> None:
    """wasted_mg = vial mg opened - delivered - returned/retained; must balance to 0."""
    treatment = ward.ordered().infused()
    if balances:
        assert treatment.close(opened_mg=opened, returned_mg=returned, wasted_mg=wasted).wasted_mg == wasted
        return
    with pytest.raises(InvalidArgument) as refused:
        treatment.close(opened_mg=opened, returned_mg=returned, wasted_mg=wasted)
    assert refused.value.reason == "DRUG_ACCOUNT_UNBALANCED"


@pytest.mark.parametrize(("expected", "discrepancy"), [("42.1", False), ("42.11", True), ("38.09", False)])
def test_rate_times_time_is_only_a_cross_check(ward: Ward, expected: str, discrepancy: bool) -> None:
    """Rate x time is only a cross-check: more than max(5 %, 0.5 mL) apart = discrepancy, and the larger is shown."""
    treatment = ward.ordered().infused(expected_ml=expected)
    answer = treatment.close()
    assert answer.delivered_mg == (expected if discrepancy else "40")


def test_only_a_nurse_closes(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    with pytest.raises(PermissionDenied):
        ward.call("CloseSession", treatment.close_request(), role="prescriber")


def test_keep_vein_open_volume_is_delivered_drug_and_no_discrepancy(ward: Ward) -> None:
    treatment = ward.ordered().infused(delivered_ml="43.0", keep_vein_open_ml="3.0", expected_ml="40.0")
    treatment.close(wasted_mg="457")
    (closed,) = ward.harness.events(events.SessionClosed)
    assert (closed.delivered_mg, closed.delivered_ml, closed.discrepancy) == ("43", "43", False)
    assert closed.ordered_mg == "40"


@pytest.mark.parametrize(
    ("expected_ml", "discrepancy", "delivered_mg"),
    [("42.105263", False, "40"), ("42.2", True, "42.2"), ("38", True, "40"), ("38.2", False, "40")],
)
def test_the_larger_is_reported_when_pump_and_clock_disagree(
    ward: Ward, expected_ml: str, discrepancy: bool, delivered_mg: str
) -> None:
    treatment = ward.ordered().infused(expected_ml=expected_ml)
    assert treatment.close().delivered_mg == delivered_mg
    (closed,) = ward.harness.events(events.SessionClosed)
    assert (closed.discrepancy, closed.delivered_mg) == (discrepancy, delivered_mg)


@pytest.mark.parametrize(("expected_ml", "discrepancy"), [("1.5", False), ("1.500001", True)])
def test_half_a_millilitre_is_always_allowed(ward: Ward, expected_ml: str, discrepancy: bool) -> None:
    treatment = ward.ordered().infused(delivered_ml="1", expected_ml=expected_ml)
    treatment.close(wasted_mg="499")
    (closed,) = ward.harness.events(events.SessionClosed)
    assert closed.discrepancy is discrepancy


def test_an_aborted_infusion_is_closed_the_same_way(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    ward.harness.deliver(treatment.started_event())
    aborted = treatment.ended_event(
        device_events.InfusionAborted,
        delivered_ml="12.3",
        expected_ml="12.333333333333333333",
        delivering_seconds=740,
        paused_seconds=60,
        reason_code="wish.of.person",
    )
    aborted.ClearField("stopped_at")
    assert ward.harness.deliver(aborted) == "applied"
    answer = treatment.close(wasted_mg="487.7")
    assert (answer.outcome, answer.delivered_mg) == (types.SESSION_OUTCOME_ABORTED, "12.3")
    (closed,) = ward.harness.events(events.SessionClosed)
    assert not closed.HasField("stopped_at")
    assert (closed.delivering_seconds, closed.paused_seconds) == (740, 60)


def test_pump_reports_wait_for_a_session_that_is_not_known(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    unknown = treatment.started_event()
    unknown.session_id = str(uuid4())
    assert ward.harness.deliver(unknown) == "early"


def test_totals_under_an_order_that_was_not_used_are_poison(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    assert ward.harness.deliver(treatment.ended_event()) == "poison"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


@pytest.mark.parametrize("changes", [{"delivered_ml": ""}, {"delivered_ml": "-1"}, {"expected_ml": "much"}])
def test_totals_that_are_no_volumes_are_poison(ward: Ward, changes: dict[str, str]) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    assert ward.harness.deliver(treatment.ended_event(**changes)) == "poison"


def test_a_running_infusion_is_not_called_off(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    ward.harness.deliver(treatment.started_event())
    cancelled = scheduling_events.SessionCancelled(
        session_id=treatment.session_id,
        person_id=treatment.plan.person_id,
        site_id=SITE,
        cancelled_at=to_timestamp(NOW),
    )
    assert ward.harness.deliver(cancelled) == "applied"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_INFUSING


def test_the_last_planned_session_completes_the_plan(ward: Ward) -> None:
    plan = ward.signed_plan(sessions_planned=2)
    ward.order_for(plan, 1).infused().close()
    assert not ward.harness.events(events.PlanCompleted)
    ward.order_for(plan, 2).infused().close()
    (completed,) = ward.harness.events(events.PlanCompleted)
    assert (completed.plan_id, completed.sessions_closed) == (plan.plan_id, 2)
    state = ward.call("GetPlan", pb.GetPlanRequest(plan_id=plan.plan_id)).plan.state
    assert state == types.PLAN_STATE_COMPLETED


def test_a_revision_leaves_at_least_one_session(ward: Ward) -> None:
    plan = ward.signed_plan(sessions_planned=3)
    ward.order_for(plan, 1).infused().close()
    with pytest.raises(InvalidArgument) as refused:
        ward.call("RevisePlan", pb.RevisePlanRequest(plan_id=plan.plan_id, sessions_planned=1))
    assert refused.value.field == "sessions_planned"


def test_an_adverse_event_is_recorded_and_told(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    request = pb.RecordAdverseEventRequest(
        session_id=treatment.session_id, kind_code="nausea.vomiting", severity_code="moderate"
    )
    answer = ward.call("RecordAdverseEvent", request, role="nurse")
    (told,) = ward.harness.events(events.AdverseEventRecorded)
    assert (told.adverse_event_id, told.kind_code, told.severity_code) == (
        answer.adverse_event_id,
        "nausea.vomiting",
        "moderate",
    )
    assert told.occurred_at == to_timestamp(NOW)


def test_an_adverse_event_has_a_known_severity(ward: Ward) -> None:
    treatment = ward.ordered()
    with pytest.raises(InvalidArgument) as refused:
        ward.call(
            "RecordAdverseEvent",
            pb.RecordAdverseEventRequest(session_id=treatment.session_id, kind_code="nausea", severity_code="fatal"),
            role="nurse",
        )
    assert refused.value.field == "severity_code"
