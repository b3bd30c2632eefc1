"""The copy of practitioners, and what each privilege refuses when it alone is missing."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.errors import FailedPrecondition, PermissionDenied, SaguaroError
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import SITE, Ward

SIGNED: dict[str, Any] = {"dea_expires_on": "2027-12-31", "licence_type": "MD"}


def refusal(ward: Ward, actor: UUID) -> SaguaroError:
    """What a signature of this actor is refused with."""
    person_id = ward.cleared()
    plan = ward.call("DraftPlan", ward.draft_request(person_id)).plan
    with pytest.raises(SaguaroError) as refused:
        ward.call("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id), actor=actor)
    kept = ward.call("GetPlan", pb.GetPlanRequest(plan_id=plan.plan_id)).plan
    assert kept.state == types.PLAN_STATE_DRAFT
    return refused.value


def test_an_expired_licence_is_refused(ward: Ward) -> None:
    """\"An RN diagnosing, an expired licence, the wrong site, a signer without DEA: each refused.\""""
    who = ward.practitioner(uuid4(), "sign", licence_expires_on="2026-07-14", **SIGNED)
    error = refusal(ward, who)
    assert isinstance(error, PermissionDenied)
    assert error.reason == "LICENCE_EXPIRED"


def test_a_licence_holds_on_its_last_day_at_the_site(ward: Ward) -> None:
    who = ward.practitioner(uuid4(), "sign", licence_expires_on="2026-07-15", **SIGNED)
    plan = ward.call("DraftPlan", ward.draft_request(ward.cleared())).plan
    signed = ward.call("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id), actor=who).plan
    assert signed.state == types.PLAN_STATE_SIGNED


def test_the_wrong_site_is_refused(ward: Ward) -> None:
    """\"An RN diagnosing, an expired licence, the wrong site, a signer without DEA: each refused.\""""
    who = ward.practitioner(uuid4(), "sign", site_id=str(uuid4()), **SIGNED)
    assert refusal(ward, who).reason == "PRIVILEGE_MISSING"


def test_a_signer_without_dea_is_refused(ward: Ward) -> None:
    """\"An RN diagnosing, an expired licence, the wrong site, a signer without DEA: each refused.\""""
    assert refusal(ward, ward.practitioner(uuid4(), "sign", licence_type="MD")).reason == "DEA_REGISTRATION_MISSING"


def test_a_registration_past_its_day_is_refused(ward: Ward) -> None:
    who = ward.practitioner(uuid4(), "sign", licence_type="MD", dea_expires_on="2026-07-14")
    assert refusal(ward, who).reason == "DEA_REGISTRATION_MISSING"


def test_other_privileges_do_not_sign(ward: Ward) -> None:
    """\"Diagnose, clear, sign and administer are separate privileges.\""""
    who = ward.practitioner(uuid4(), "diagnose", "clear", "administer", **SIGNED)
    assert refusal(ward, who).reason == "PRIVILEGE_MISSING"


def test_an_unknown_practitioner_asks_to_repeat(ward: Ward) -> None:
    error = refusal(ward, uuid4())
    assert isinstance(error, FailedPrecondition)
    assert error.reason == "PRACTITIONER_NOT_YET_KNOWN"


def test_a_site_not_yet_open_asks_to_repeat(ward: Ward) -> None:
    person_id, elsewhere = ward.cleared(), str(uuid4())
    plan = ward.call("DraftPlan", ward.draft_request(person_id, site_id=elsewhere)).plan
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id))
    assert refused.value.reason == "SITE_NOT_YET_KNOWN"


@pytest.mark.parametrize("first", [1, 2])
def test_the_highest_revision_holds_in_any_order(ward: Ward, first: int) -> None:
    who = uuid4()
    grants: dict[int, Callable[[], UUID]] = {
        1: lambda: ward.practitioner(who, "sign", revision=1, **SIGNED),
        2: lambda: ward.practitioner(who, "administer", revision=2, licence_type="RN"),
    }
    grants[first]()
    grants[3 - first]()
    assert refusal(ward, who).reason == "PRIVILEGE_MISSING"


def test_an_order_and_a_revision_need_the_privilege_to_sign(ward: Ward) -> None:
    """\"Any privilege missing alone refuses\": orders and revisions are signatures too."""
    plan = ward.signed_plan()
    session_id = ward.booked(plan)
    other = ward.practitioner(uuid4(), "clear", **SIGNED)
    for rpc, request in (
        ("IssueOrder", pb.IssueOrderRequest(session_id=session_id)),
        ("RevisePlan", pb.RevisePlanRequest(plan_id=plan.plan_id, dose_mg_per_kg="0.6")),
    ):
        with pytest.raises(PermissionDenied) as refused:
            ward.call(rpc, request, actor=other)
        assert refused.value.reason == "PRIVILEGE_MISSING"
    order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id))
    assert order.order_id


def test_a_session_names_its_responsible_prescriber(ward: Ward) -> None:
    """\"A session names its responsible prescriber and its administering clinician.\""""
    session_id = ward.booked(ward.signed_plan())
    unqualified = ward.practitioner(uuid4(), "administer")
    with pytest.raises(PermissionDenied) as refused:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id, responsible_prescriber_id=str(unqualified)))
    assert refused.value.reason == "PRIVILEGE_MISSING"
    responsible = ward.practitioner(uuid4(), "sign", **SIGNED)
    ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id, responsible_prescriber_id=str(responsible)))
    session = ward.call("GetSession", pb.GetSessionRequest(session_id=session_id)).session
    assert session.responsible_prescriber_id == str(responsible)
    assert session.site_id == SITE
