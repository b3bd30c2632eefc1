"""After an abort or an adverse event nothing is ordered or started until a prescriber decided; plans suspended, resumed and ended."""

from uuid import UUID, uuid4

import pytest

from chassis.errors import FailedPrecondition, NotFound, PermissionDenied
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import SITE, Treatment, Ward
from treatment_plan.holds import place_hold


def held(ward: Ward, plan: types.Plan, session_id: str, reason_code: str = "infusion.aborted") -> types.Hold:
    """A hold of the person; the one that waits."""
    with ward.harness.database.unit_of_work(ward.harness.context()) as uow:
        for _ in range(2):
            place_hold(uow, plan.person_id, SITE, plan.plan_id, UUID(session_id), reason_code)
    waiting = [hold for hold in holds(ward, plan) if hold.reason_code == reason_code]
    assert len(waiting) == 1
    return waiting[0]


def holds(ward: Ward, plan: types.Plan, *, released_too: bool = False) -> list[types.Hold]:
    """The person's holds."""
    request = pb.ListHoldsRequest(person_id=plan.person_id, released_too=released_too)
    return list(ward.call("ListHolds", request).holds)


def release(ward: Ward, hold: types.Hold, actor: UUID | None = None) -> types.Hold:
    """A prescriber decides."""
    request = pb.ReleaseHoldRequest(hold_id=hold.hold_id, reason_code="evaluated.continue")
    found: types.Hold = ward.call("ReleaseHold", request, actor=actor).hold
    return found


def test_a_hold_refuses_the_next_order_until_a_prescriber_decides(ward: Ward) -> None:
    """\"Abort needs a reason and holds the next order until a prescriber decides, as does an adverse event\""""
    plan = ward.signed_plan()
    first, second = ward.booked(plan), ward.booked(plan, ordinal=2)
    hold = held(ward, plan, first)
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=second))
    assert refused.value.reason == "ORDER_REFUSED"
    assert [finding.rule for finding in refused.value.findings] == ["no hold may wait for a prescriber's decision"]
    released = release(ward, hold)
    assert (released.released_by, released.released_reason_code) == (str(ward.prescriber), "evaluated.continue")
    assert ward.call("IssueOrder", pb.IssueOrderRequest(session_id=second)).order_id
    assert holds(ward, plan) == []
    assert holds(ward, plan, released_too=True) == [released]


def test_every_hold_is_decided_apart(ward: Ward) -> None:
    plan = ward.signed_plan()
    session_id = ward.booked(plan)
    release(ward, held(ward, plan, session_id))
    held(ward, plan, session_id, "adverse_event.severe")
    with pytest.raises(FailedPrecondition):
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id))
    assert len(holds(ward, plan, released_too=True)) == 2


def test_a_hold_is_released_once_by_who_may_sign(ward: Ward) -> None:
    plan = ward.signed_plan()
    hold = held(ward, plan, ward.booked(plan))
    with pytest.raises(PermissionDenied) as refused:
        release(ward, hold, ward.practitioner(uuid4(), "administer"))
    assert refused.value.reason == "PRIVILEGE_MISSING"
    release(ward, hold)
    with pytest.raises(FailedPrecondition) as twice:
        release(ward, hold)
    assert twice.value.reason == "HOLD_RELEASED"
    with pytest.raises(NotFound):
        ward.call("ReleaseHold", pb.ReleaseHoldRequest(hold_id=str(uuid4()), reason_code="evaluated.continue"))


def start_rules(ready: Treatment) -> list[str]:
    """What a start is refused with."""
    with pytest.raises(FailedPrecondition) as refused:
        ready.authorise()
    assert refused.value.reason == "START_REFUSED"
    return [finding.rule for finding in refused.value.findings]


def test_a_hold_refuses_the_start_of_an_order_from_before(ward: Ward) -> None:
    ready = ward.ordered().make_ready()
    hold = held(ward, ready.plan, ready.session_id)
    assert start_rules(ready) == ["no hold may wait for a prescriber's decision"]
    release(ward, hold)
    assert ready.authorise().authorisation_id


def test_an_open_flag_refuses_the_start_and_the_order_stays_for_when_it_is_cleared(ward: Ward) -> None:
    """\"C-SSRS HIGH or incomplete raises a flag at once ...: clearance, order and start refuse\""""
    ready = ward.ordered().make_ready()
    flag_id = ward.flag_raised(ready.plan.person_id)
    assert start_rules(ready) == ["no safety flag that blocks may be open"]
    assert not ward.harness.events(events.OrderRevoked)
    ward.flag_cleared(ready.plan.person_id, flag_id)
    assert ready.authorise().authorisation_id


def suspended(ward: Ward) -> types.Plan:
    """A plan that was suspended."""
    plan = ward.signed_plan()
    ward.call("SuspendPlan", pb.SuspendPlanRequest(plan_id=plan.plan_id, reason_code="person.asked"))
    return plan


def test_a_suspended_plan_goes_on_with_a_new_consent_and_a_signature(ward: Ward) -> None:
    plan = suspended(ward)
    old = ward.consent_granted(plan.person_id)
    ward.consent_withdrawn(plan.person_id, old)
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("ResumePlan", pb.ResumePlanRequest(plan_id=plan.plan_id))
    assert refused.value.reason == "CONSENT_NOT_IN_FORCE"
    ward.consent_granted(plan.person_id)
    resumed = ward.call("ResumePlan", pb.ResumePlanRequest(plan_id=plan.plan_id)).plan
    assert resumed.state == types.PLAN_STATE_SIGNED
    (told,) = ward.harness.events(events.PlanResumed)
    assert (told.plan_id, told.signed_by) == (plan.plan_id, str(ward.prescriber))
    assert ward.call("IssueOrder", pb.IssueOrderRequest(session_id=ward.booked(plan))).order_id


def test_a_plan_is_not_resumed_without_a_consent_or_with_an_open_flag(ward: Ward) -> None:
    plan = suspended(ward)
    request = pb.ResumePlanRequest(plan_id=plan.plan_id)
    with pytest.raises(FailedPrecondition) as unknown:
        ward.call("ResumePlan", request)
    assert unknown.value.reason == "CONSENT_NOT_IN_FORCE"
    ward.consent_granted(plan.person_id)
    ward.flag_raised(plan.person_id)
    with pytest.raises(FailedPrecondition) as flagged:
        ward.call("ResumePlan", request)
    assert flagged.value.reason == "SAFETY_FLAG_OPEN"


def test_only_a_suspended_plan_is_resumed(ward: Ward) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("ResumePlan", pb.ResumePlanRequest(plan_id=ward.signed_plan().plan_id))
    assert refused.value.reason == "PLAN_STATE"


def test_a_prescriber_ends_a_plan_early_and_its_unused_orders_are_revoked(ward: Ward) -> None:
    treatment = ward.ordered()
    request = pb.EndPlanRequest(plan_id=treatment.plan.plan_id, reason_code="person.moved")
    ended = ward.call("EndPlan", request)
    assert ended.plan.state == types.PLAN_STATE_COMPLETED
    assert list(ended.revoked_order_ids) == [treatment.order.order_id]
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert (revoked.order_id, revoked.reason_code) == (treatment.order.order_id, "plan.completed")
    (completed,) = ward.harness.events(events.PlanCompleted)
    assert completed.sessions_closed == 0
    with pytest.raises(FailedPrecondition) as twice:
        ward.call("EndPlan", request)
    assert twice.value.reason == "PLAN_STATE"


def test_ending_and_resuming_need_the_privilege_to_sign(ward: Ward) -> None:
    plan = suspended(ward)
    who = ward.practitioner(uuid4(), "clear")
    for rpc, request in (
        ("EndPlan", pb.EndPlanRequest(plan_id=plan.plan_id, reason_code="person.moved")),
        ("ResumePlan", pb.ResumePlanRequest(plan_id=plan.plan_id)),
    ):
        with pytest.raises(PermissionDenied) as refused:
            ward.call(rpc, request, actor=who)
        assert refused.value.reason == "PRIVILEGE_MISSING"


def test_the_last_planned_session_completes_the_plan_and_revokes_what_was_ordered_beyond(ward: Ward) -> None:
    """orders with expiry, one use, revocation"""
    plan = ward.signed_plan(sessions_planned=1)
    first, beyond = ward.order_for(plan), ward.order_for(plan, ordinal=2)
    first.infused().close()
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert (revoked.order_id, revoked.reason_code) == (beyond.order.order_id, "plan.completed")
    (completed,) = ward.harness.events(events.PlanCompleted)
    assert completed.sessions_closed == 1


def test_an_aborted_infusion_and_an_adverse_event_each_hold_the_next_order(ward: Ward) -> None:
    """\"Abort needs a reason and holds the next order until a prescriber decides, as does an adverse event\""""
    aborted = ward.ordered()
    aborted.infused(kind=device_events.InfusionAborted)
    assert [hold.reason_code for hold in holds(ward, aborted.plan)] == ["infusion.aborted"]
    eventful = ward.ordered()
    request = pb.RecordAdverseEventRequest(
        session_id=eventful.session_id, kind_code="nausea.vomiting", severity_code="moderate"
    )
    ward.call("RecordAdverseEvent", request, role="nurse")
    assert len(holds(ward, eventful.plan)) == 1
