"""From protocol to a signed plan, its revision, suspension and end."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from chassis.values import to_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Ward


def test_each_psychiatric_protocol_is_there_by_default(ward: Ward) -> None:
    for code in ("depression", "anxiety", "ptsd", "ocd"):
        protocol = ward.call("GetProtocol", pb.GetProtocolRequest(protocol_code=code)).protocol
        assert (protocol.dose_mg_per_kg, protocol.duration_min, protocol.sessions_planned) == ("0.5", 40, 6)
        assert (protocol.version, protocol.library_code, list(protocol.indications)) == (1, "psychiatry", [code])
        assert (protocol.review_state, protocol.signed_by) == ("default, to be reviewed", "")


def test_pain_has_a_protocol_of_its_own_library(ward: Ward) -> None:
    protocol = ward.call("GetProtocol", pb.GetProtocolRequest(protocol_code="pain")).protocol
    assert (protocol.library_code, protocol.dose_mg_per_kg, protocol.duration_min) == ("pain", "1.4", 240)


def published(ward: Ward, **changes: object) -> pb.PublishProtocolResponse:
    protocol = pb.Protocol(
        protocol_code="depression",
        library_code="psychiatry",
        indications=["depression"],
        dose_mg_per_kg="0.6",
        duration_min=45,
        sessions_planned=8,
        effective_from=to_timestamp(NOW + timedelta(days=1)),
    )
    for name, value in changes.items():
        if name == "effective_from":
            protocol.effective_from.CopyFrom(value)  # type: ignore[arg-type]
        else:
            setattr(protocol, name, value)
    answer: pb.PublishProtocolResponse = ward.call(
        "PublishProtocol", pb.PublishProtocolRequest(protocol=protocol), role="medical_director"
    )
    return answer


def test_a_new_version_is_in_force_from_its_date_on(ward: Ward) -> None:
    assert published(ward).version == 2

    def dose_at(request: pb.GetProtocolRequest) -> tuple[str, int]:
        protocol = ward.call("GetProtocol", request).protocol
        return protocol.dose_mg_per_kg, protocol.version

    assert dose_at(pb.GetProtocolRequest(protocol_code="depression", at=to_timestamp(NOW))) == ("0.5", 1)
    assert dose_at(pb.GetProtocolRequest(protocol_code="depression", at=to_timestamp(NOW + timedelta(days=1)))) == (
        "0.6",
        2,
    )
    latest = ward.call("GetProtocol", pb.GetProtocolRequest(protocol_code="depression")).protocol
    assert (latest.version, latest.review_state, latest.signed_by) == (2, "signed", str(ward.prescriber))
    plan = ward.call("DraftPlan", ward.draft_request(ward.cleared())).plan
    assert (plan.protocol_version, plan.sessions_planned) == (1, 6)


IMPOSSIBLE_PROTOCOLS: list[tuple[str, dict[str, Any]]] = [
    ("protocol.effective_from", {"effective_from": to_timestamp(NOW - timedelta(seconds=1))}),
    ("protocol.dose_mg_per_kg", {"dose_mg_per_kg": "0"}),
    ("protocol.dose_mg_per_kg", {"dose_mg_per_kg": "many"}),
    ("protocol.dose_mg_per_kg", {"dose_mg_per_kg": "1.2"}),
    ("protocol.duration_min", {"duration_min": 0}),
    ("protocol.duration_min", {"duration_min": 20}),
    ("protocol.sessions_planned", {"sessions_planned": 0}),
    ("protocol.protocol_code", {"protocol_code": ""}),
    ("protocol.library_code", {"library_code": ""}),
]


def test_a_protocol_that_cannot_be_is_refused(ward: Ward, subtests: pytest.Subtests) -> None:
    for field, changes in IMPOSSIBLE_PROTOCOLS:
        with subtests.test(field=field):
            with pytest.raises((InvalidArgument, FailedPrecondition)) as refused:
                published(ward, **changes)
            assert refused.value.field == field
    assert ward.call("GetProtocol", pb.GetProtocolRequest(protocol_code="depression")).protocol.version == 1


def test_only_a_medical_director_publishes(ward: Ward) -> None:
    with pytest.raises(PermissionDenied):
        ward.call("PublishProtocol", pb.PublishProtocolRequest(protocol=pb.Protocol(protocol_code="x")))


def test_a_protocol_that_is_not_there_is_not_found(ward: Ward) -> None:
    with pytest.raises(NotFound):
        ward.call("GetProtocol", pb.GetProtocolRequest(protocol_code="sleep"))


def test_a_draft_takes_its_numbers_from_the_protocol(ward: Ward) -> None:
    plan = ward.call("DraftPlan", ward.draft_request(ward.cleared())).plan
    assert plan.state == types.PLAN_STATE_DRAFT
    assert (plan.dose_request.dose_mg_per_kg, plan.dose_request.duration_min, plan.sessions_planned) == ("0.5", 40, 6)
    assert (plan.dose.dose_mg, plan.dose.programme.vtbi_ml, plan.dose.programme.rate_ml_per_h) == ("40", "40.0", "60.0")
    assert not ward.harness.events()


def test_nobody_is_treated_without_a_clearance(ward: Ward) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", ward.draft_request(str(uuid4())))
    assert refused.value.reason == "NOT_CLEARED"


def test_a_clearance_is_for_one_indication(ward: Ward) -> None:
    request = ward.draft_request(ward.cleared("ptsd"))
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", request)
    assert refused.value.reason == "NOT_CLEARED"


def test_an_expired_clearance_is_none(ward: Ward) -> None:
    person_id = ward.cleared()
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", ward.draft_request(person_id), at=NOW + timedelta(days=90))
    assert "expired" in refused.value.rule


def test_the_latest_decision_counts(ward: Ward) -> None:
    person_id = ward.cleared()
    declined = intake_events.PatientDeclined(
        clearance_id=str(uuid4()),
        person_id=person_id,
        site_id=SITE,
        indication="depression",
        declined_at=to_timestamp(NOW + timedelta(minutes=1)),
    )
    assert ward.harness.deliver(declined) == "applied"
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", ward.draft_request(person_id), at=NOW + timedelta(minutes=2))
    assert "declined" in refused.value.rule
    ward.cleared(person_id=person_id, at=NOW + timedelta(minutes=3))
    assert ward.call("DraftPlan", ward.draft_request(person_id), at=NOW + timedelta(minutes=4)).plan.plan_id


def test_an_open_flag_that_blocks_refuses_draft_and_signature_until_cleared(ward: Ward) -> None:
    person_id = ward.cleared()
    plan = ward.call("DraftPlan", ward.draft_request(person_id)).plan
    flag_id = ward.flag_raised(person_id)
    for rpc, request in (
        ("DraftPlan", ward.draft_request(person_id)),
        ("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id)),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            ward.call(rpc, request)
        assert refused.value.reason == "SAFETY_FLAG_OPEN"
    ward.flag_cleared(person_id, flag_id)
    assert ward.call("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id)).plan.state == types.PLAN_STATE_SIGNED


def test_a_flag_that_does_not_block_refuses_nothing(ward: Ward) -> None:
    person_id = ward.cleared()
    ward.flag_raised(person_id, blocks=False)
    assert ward.call("DraftPlan", ward.draft_request(person_id)).plan.plan_id


def test_a_signature_is_told_once(ward: Ward) -> None:
    plan = ward.signed_plan()
    (signed,) = ward.harness.events(events.PlanSigned)
    assert (signed.plan_id, signed.ordered_mg, signed.duration_min, signed.sessions_planned) == (
        plan.plan_id,
        "40",
        40,
        6,
    )
    assert (signed.signed_by, signed.indication) == (str(ward.prescriber), "depression")
    assert signed.signed_at == plan.signed_at == to_timestamp(NOW)
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id))
    assert refused.value.reason == "PLAN_STATE"
    assert len(ward.harness.events(events.PlanSigned)) == 1


def test_only_a_prescriber_signs(ward: Ward) -> None:
    plan = ward.call("DraftPlan", ward.draft_request(ward.cleared())).plan
    for role in ("nurse", "clinician", "service"):
        with pytest.raises(PermissionDenied):
            ward.call("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id), role=role)


def test_a_repeated_draft_is_one_plan(ward: Ward) -> None:
    request = ward.draft_request(ward.cleared())
    assert ward.call("DraftPlan", request) == ward.call("DraftPlan", request)
    assert len(ward.call("ListPlans", pb.ListPlansRequest(person_id=request.person_id)).plans) == 1
    request.sessions_planned = 3
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("DraftPlan", request)
    assert refused.value.reason == "REQUEST_ID_REUSED"


def test_a_revision_has_new_numbers_and_revokes_unused_orders(ward: Ward) -> None:
    treatment = ward.ordered()
    plan_id = treatment.plan.plan_id
    answer = ward.call("RevisePlan", pb.RevisePlanRequest(plan_id=plan_id, dose_mg_per_kg="0.6", duration_min=50))
    assert list(answer.revoked_order_ids) == [treatment.order.order_id]
    assert (answer.plan.dose.dose_mg, answer.plan.dose_request.duration_min) == ("48", 50)
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert (revoked.order_id, revoked.reason_code) == (treatment.order.order_id, "plan.revised")
    (revised,) = ward.harness.events(events.PlanRevised)
    assert (revised.ordered_mg, revised.duration_min, revised.sessions_planned) == ("48", 50, 6)
    order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=treatment.session_id))
    assert (order.dose_mg, order.programme.rate_ml_per_h) == ("48", "57.6")


def test_a_revision_keeps_within_the_library(ward: Ward) -> None:
    plan = ward.signed_plan()
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("RevisePlan", pb.RevisePlanRequest(plan_id=plan.plan_id, dose_mg_per_kg="1.2"))
    assert refused.value.reason == "HARD_LIMIT"
    assert ward.call("GetPlan", pb.GetPlanRequest(plan_id=plan.plan_id)).plan == plan


@pytest.mark.parametrize("changes", [{}, {"dose_mg_per_kg": "0.50"}, {"duration_min": 40, "sessions_planned": 6}])
def test_a_revision_that_changes_nothing_is_refused(ward: Ward, changes: dict[str, Any]) -> None:
    plan = ward.signed_plan()
    with pytest.raises(InvalidArgument):
        ward.call("RevisePlan", pb.RevisePlanRequest(plan_id=plan.plan_id, **changes))


def test_a_draft_is_not_revised(ward: Ward) -> None:
    plan = ward.call("DraftPlan", ward.draft_request(ward.cleared())).plan
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("RevisePlan", pb.RevisePlanRequest(plan_id=plan.plan_id, sessions_planned=4))
    assert refused.value.reason == "PLAN_STATE"


def test_a_suspension_revokes_and_refuses_orders(ward: Ward) -> None:
    treatment = ward.ordered()
    request = pb.SuspendPlanRequest(plan_id=treatment.plan.plan_id, reason_code="blood.pressure")
    answer = ward.call("SuspendPlan", request)
    assert list(answer.revoked_order_ids) == [treatment.order.order_id]
    assert answer.plan.state == types.PLAN_STATE_SUSPENDED
    (suspended,) = ward.harness.events(events.PlanSuspended)
    assert suspended.reason_code == "blood.pressure"
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=treatment.session_id))
    assert "signed" in refused.value.rule
    with pytest.raises(FailedPrecondition):
        ward.call("SuspendPlan", pb.SuspendPlanRequest(plan_id=treatment.plan.plan_id, reason_code="again"))


def test_plans_are_listed_in_pages(ward: Ward) -> None:
    person_id = ward.cleared()
    drafted = [ward.call("DraftPlan", ward.draft_request(person_id)).plan.plan_id for _ in range(5)]
    ward.call("DraftPlan", ward.draft_request(ward.cleared()))
    seen: list[str] = []
    request = pb.ListPlansRequest(person_id=person_id, page_size=2)
    sizes = []
    while True:
        page = ward.call("ListPlans", request)
        seen += [plan.plan_id for plan in page.plans]
        sizes.append(len(page.plans))
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert (seen, sizes) == (drafted, [2, 2, 1])
    with pytest.raises(InvalidArgument):
        ward.call("ListPlans", pb.ListPlansRequest(person_id=str(uuid4()), page_token=request.page_token))


def test_a_plan_that_is_not_there_is_not_found(ward: Ward) -> None:
    for rpc, request in (
        ("GetPlan", pb.GetPlanRequest(plan_id=str(uuid4()))),
        ("SignPlan", pb.SignPlanRequest(plan_id=str(uuid4()))),
        ("RevisePlan", pb.RevisePlanRequest(plan_id=str(uuid4()))),
        ("SuspendPlan", pb.SuspendPlanRequest(plan_id=str(uuid4()), reason_code="abc")),
    ):
        with pytest.raises(NotFound) as refused:
            ward.call(rpc, request)
        assert refused.value.field == "plan_id"
