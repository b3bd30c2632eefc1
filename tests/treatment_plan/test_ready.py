"""The gate before a start: every item alone that is missing is named, and all of them at once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, Treatment, Ward, findings_of

SOMEBODY = str(uuid4())


def refused(treatment: Treatment, **changes: object) -> FailedPrecondition:
    with pytest.raises(FailedPrecondition) as caught:
        treatment.make_ready(**changes)
    return caught.value


def test_a_complete_gate_makes_the_session_ready(ward: Ward) -> None:
    treatment = ward.ordered()
    answer = ward.call("MarkSessionReady", treatment.ready_request(), role="nurse")
    assert (answer.session_id, answer.state) == (treatment.session_id, types.SESSION_STATE_READY)
    (ready,) = ward.harness.events(events.SessionReady)
    assert (ready.order_id, ready.arrival_weight_kg) == (treatment.order.order_id, "80.5")
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("identity_checked_twice", {"identity_checked_twice": False}),
        ("fasting_confirmed", {"fasting_confirmed": False}),
        ("driver_confirmed", {"driver_confirmed": False}),
        ("arrival_weight_kg", {"arrival_weight_kg": "88.1"}),
        ("arrival_weight_kg", {"arrival_weight_kg": "71.9"}),
        ("bag_checked_by", {"bag_prepared_by": SOMEBODY, "bag_checked_by": SOMEBODY}),
        ("bag_checked_by", {"bag_prepared_by": SOMEBODY, "bag_checked_by": SOMEBODY.upper()}),
        ("drawn_ml", {"drawn_ml": "0.800001"}),
        ("drawn_ml", {"vial_concentration_mg_per_ml": "10", "drawn_ml": "0.4"}),
        ("drawn_ml", {"bag_volume_ml": "0"}),
    ],
)
def test_each_missing_item_alone_is_named(ward: Ward, field: str, changes: dict[str, object]) -> None:
    treatment = ward.ordered()
    error = refused(treatment, **changes)
    assert (error.reason, findings_of(error)) == ("NOT_READY", {field})
    assert not ward.harness.events(events.SessionReady)
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_PLANNED


def test_all_missing_items_are_named_at_once(ward: Ward) -> None:
    error = refused(
        ward.ordered(),
        identity_checked_twice=False,
        fasting_confirmed=False,
        driver_confirmed=False,
        arrival_weight_kg="60",
        bag_prepared_by=SOMEBODY,
        bag_checked_by=SOMEBODY,
        drawn_ml="8",
    )
    assert findings_of(error) == {
        "identity_checked_twice",
        "fasting_confirmed",
        "driver_confirmed",
        "arrival_weight_kg",
        "bag_checked_by",
        "drawn_ml",
    }


@pytest.mark.parametrize("weight", ["72", "88"])
def test_ten_percent_of_the_weight_is_still_allowed(ward: Ward, weight: str) -> None:
    treatment = ward.ordered().make_ready(arrival_weight_kg=weight)
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


@pytest.mark.parametrize(("vial", "drawn"), [("50", "0.8"), ("100", "0.4"), ("10", "4.0")])
def test_every_vial_gives_the_bag(ward: Ward, vial: str, drawn: str) -> None:
    treatment = ward.ordered().make_ready(vial_concentration_mg_per_ml=vial, drawn_ml=drawn)
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


def test_without_an_order_there_is_nothing_to_be_ready_for(ward: Ward) -> None:
    plan = ward.signed_plan()
    treatment = Treatment(ward, plan, ward.booked(plan), pb.IssueOrderResponse())
    assert "order in force" in refused(treatment).rule


def test_a_revoked_order_is_none(ward: Ward) -> None:
    treatment = ward.ordered()
    ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose"))
    assert "order in force" in refused(treatment).rule


def test_an_expired_order_is_none(ward: Ward) -> None:
    treatment = ward.ordered()
    with pytest.raises(FailedPrecondition) as caught:
        ward.call("MarkSessionReady", treatment.ready_request(), role="nurse", at=NOW + timedelta(hours=25))
    assert "order in force" in caught.value.rule


def test_a_session_is_ready_once(ward: Ward) -> None:
    treatment = ward.ordered()
    request = treatment.ready_request()
    first = ward.call("MarkSessionReady", request, role="nurse")
    assert first == ward.call("MarkSessionReady", request, role="nurse")
    assert refused(treatment).reason == "SESSION_STATE"
    assert len(ward.harness.events(events.SessionReady)) == 1


def test_a_session_is_made_ready_anew_for_a_new_order(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose"))
    treatment.order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=treatment.session_id))
    treatment.make_ready()
    assert treatment.authorise().dose_mg == "40"


def test_a_drug_code_that_is_none_is_refused(ward: Ward) -> None:
    with pytest.raises(InvalidArgument) as caught:
        ward.ordered().make_ready(ndc="67457-10810")
    assert caught.value.field == "ndc"


def test_an_unknown_session_may_still_be_on_its_way(ward: Ward) -> None:
    treatment = Treatment(ward, types.Plan(), str(uuid4()), pb.IssueOrderResponse())
    assert refused(treatment).reason == "SESSION_NOT_YET_KNOWN"
