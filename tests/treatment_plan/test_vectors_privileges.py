"""Every act of a licensed person, against everybody who lacks one thing alone: the privilege, the licence, the site, the registration."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.errors import PermissionDenied
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.course import Course
from tests.treatment_plan.test_holds import held
from tests.treatment_plan.ward import Treatment, Ward
from treatment_plan.app import INDEX

SIGNED: dict[str, Any] = {"dea_expires_on": "2027-12-31", "licence_type": "MD"}
ELSEWHERE = str(uuid4())
EVERYTHING = ("diagnose", "clear", "sign", "administer")
# What is lacking -> who lacks it, for an act that needs this privilege; and what the refusal says.
LACKING: dict[str, tuple[Callable[[Ward, str], UUID], str]] = {
    "privilege": (
        lambda ward, needed: ward.practitioner(uuid4(), *(one for one in EVERYTHING if one != needed), **SIGNED),
        "PRIVILEGE_MISSING",
    ),
    "licence": (
        lambda ward, _: ward.practitioner(uuid4(), *EVERYTHING, licence_expires_on="2026-07-14", **SIGNED),
        "LICENCE_EXPIRED",
    ),
    "site": (
        lambda ward, _: ward.practitioner(uuid4(), *EVERYTHING, site_id=ELSEWHERE, **SIGNED),
        "PRIVILEGE_MISSING",
    ),
}


def _checked(treatment: Treatment) -> pb.CheckBagRequest:
    bag_id = treatment.nursing("PrepareBag", treatment.bag_request()).bag_id
    return pb.CheckBagRequest(session_id=treatment.session_id, bag_id=bag_id)


def _seen(treatment: Treatment) -> pb.RecordObservationRequest:
    seen = types.Observation(phase="baseline", heart_rate_per_min="72")
    seen.taken_at.FromDatetime(treatment.at)
    return pb.RecordObservationRequest(session_id=treatment.session_id, observation=seen)


ADMINISTERED: dict[str, Callable[[Treatment], Any]] = {
    "RecordIdentityCheck": lambda at: pb.RecordIdentityCheckRequest(
        session_id=at.session_id, identifier_kinds=["full_name", "photo_id"]
    ),
    "RecordArrivalAssessment": lambda at: pb.RecordArrivalAssessmentRequest(
        session_id=at.session_id, assessment=types.ArrivalAssessment(weight_kg="80")
    ),
    "RecordObservation": _seen,
    "PrepareBag": lambda at: at.bag_request(),
    "CheckBag": _checked,
    "MarkSessionReady": lambda at: at.ready_request(),
    "RecordAbortReason": lambda at: pb.RecordAbortReasonRequest(session_id=at.session_id, reason_code="wish.of.person"),
    "RecordAftercare": lambda at: pb.RecordAftercareRequest(
        session_id=at.session_id, status_code="given", instruction_codes=["no_driving"]
    ),
    "CloseSession": lambda at: at.close_request(),
    "DischargeSession": lambda at: at.discharge_request(),
    "RecordFollowUp": lambda at: pb.RecordFollowUpRequest(session_id=at.session_id, status_code="given"),
}


def _suggested(treatment: Treatment) -> pb.DecideSuggestionRequest:
    course = Course(treatment.ward, treatment.ward.signed_plan())
    for day in (0, 2, 4):
        course.step(day, 17)
    (suggestion,) = course.suggestions()
    return pb.DecideSuggestionRequest(
        suggestion_id=suggestion.suggestion_id, decision="decline", reason_code="clinical.judgement"
    )


def _held(treatment: Treatment) -> pb.ReleaseHoldRequest:
    hold = held(treatment.ward, treatment.plan, treatment.session_id)
    return pb.ReleaseHoldRequest(hold_id=hold.hold_id, reason_code="evaluated.continue")


SIGNING: dict[str, Callable[[Treatment], Any]] = {
    "SignPlan": lambda at: pb.SignPlanRequest(plan_id=at.plan.plan_id),
    "RevisePlan": lambda at: pb.RevisePlanRequest(plan_id=at.plan.plan_id, dose_mg_per_kg="0.6"),
    "ResumePlan": lambda at: pb.ResumePlanRequest(plan_id=at.plan.plan_id),
    "EndPlan": lambda at: pb.EndPlanRequest(plan_id=at.plan.plan_id, reason_code="person.moved"),
    "IssueOrder": lambda at: pb.IssueOrderRequest(session_id=at.session_id),
    "OverrideReadyItem": lambda at: pb.OverrideReadyItemRequest(
        session_id=at.session_id, item_code="fasting_food", reason_code="clinical.judgement"
    ),
    "DecideSuggestion": _suggested,
    "ReleaseHold": _held,
}


@pytest.fixture(scope="module")
def treatment(shared_ward: Ward) -> Treatment:
    """A session with an order; nothing that is refused changes it."""
    return shared_ward.ordered()


def refusal(treatment: Treatment, rpc: str, request: Any, who: UUID, role: str) -> str:
    """The reason of the refusal."""
    with pytest.raises(PermissionDenied) as refused:
        treatment.ward.call(rpc, request, role=role, actor=who)
    return refused.value.reason


@pytest.mark.parametrize("rpc", ADMINISTERED)
def test_who_gives_the_drug_may_administer_here_and_today(treatment: Treatment, rpc: str) -> None:
    """An RN diagnosing, an expired licence, the wrong site, a signer without DEA: each refused."""
    request = ADMINISTERED[rpc](treatment)
    for who, reason in LACKING.values():
        assert refusal(treatment, rpc, request, who(treatment.ward, "administer"), "nurse") == reason


@pytest.mark.parametrize("rpc", SIGNING)
def test_who_signs_may_sign_here_and_today_with_a_registration(treatment: Treatment, rpc: str) -> None:
    """Diagnose, clear, sign and administer are separate privileges."""
    request, ward = SIGNING[rpc](treatment), treatment.ward
    for who, reason in LACKING.values():
        assert refusal(treatment, rpc, request, who(ward, "sign"), "prescriber") == reason
    for last_day in ("", "2026-07-14"):
        unregistered = ward.practitioner(uuid4(), *EVERYTHING, licence_type="MD", dea_expires_on=last_day)
        assert refusal(treatment, rpc, request, unregistered, "prescriber") == "DEA_REGISTRATION_MISSING"


def test_every_act_is_known() -> None:
    """Each act that is refused here is a command of the service, and none is on both lists."""
    commands = {command.rpc for command in INDEX.commands}
    assert set(ADMINISTERED) | set(SIGNING) <= commands
    assert not set(ADMINISTERED) & set(SIGNING)
