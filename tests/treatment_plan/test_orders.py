"""One order for one infusion: issued once, refused by name, revoked, given way to."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, PermissionDenied, SaguaroError
from chassis.values import to_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Ward
from treatment_plan.tables import policy_number


def issue(ward: Ward, session_id: str, request_id: str | None = None) -> pb.IssueOrderRequest:
    return pb.IssueOrderRequest(request_id=request_id or str(uuid4()), session_id=session_id)


def test_an_order_carries_the_rounded_programme_and_expires(ward: Ward) -> None:
    treatment = ward.ordered(weight_kg="73.3", weight_kg_again="73.3")
    order = treatment.order
    assert (order.dose_mg, order.programme.vtbi_ml, order.programme.rate_ml_per_h) == ("36.6", "36.6", "54.9")
    assert (order.programme.drug_code, order.programme.concentration_mg_per_ml) == ("ketamine", "1")
    assert order.expires_at == to_timestamp(NOW + timedelta(hours=25))
    (told,) = ward.harness.events(events.OrderIssued)
    assert (told.order_id, told.programme, told.dose_mg) == (order.order_id, order.programme, "36.6")
    assert (told.weight_kg, told.duration_min, told.prescriber_id) == ("73.3", "40", str(ward.prescriber))
    session = ward.call("GetSession", pb.GetSessionRequest(session_id=treatment.session_id)).session
    assert (session.order_id, session.state, session.ordinal) == (order.order_id, types.SESSION_STATE_PLANNED, 1)


def test_an_order_asked_for_too_early_is_given_when_asked_again(ward: Ward) -> None:
    plan = ward.signed_plan()
    booked = ward.booked_event(plan)
    request = issue(ward, booked.session_id)
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", request)
    assert refused.value.reason == "SESSION_NOT_YET_KNOWN"
    ward.harness.deliver(booked)
    first = ward.call("IssueOrder", request)
    assert first == ward.call("IssueOrder", request)
    assert len(ward.harness.events(events.OrderIssued)) == 1


def test_a_booking_that_comes_twice_is_one_session(ward: Ward) -> None:
    booked = ward.booked_event(ward.signed_plan())
    event_id = uuid4()
    assert ward.harness.deliver(booked, event_id=event_id) == "applied"
    assert ward.harness.deliver(booked, event_id=event_id, sequence=1) == "duplicate"
    assert ward.call("GetSession", pb.GetSessionRequest(session_id=booked.session_id)).session.ordinal == 1


def test_a_booking_for_a_plan_of_nobody_is_poison(ward: Ward) -> None:
    booked = ward.booked_event(types.Plan(plan_id=str(uuid4()), person_id=str(uuid4()), site_id=SITE))
    assert ward.harness.deliver(booked) == "poison"
    with pytest.raises(NotFound):
        ward.call("GetSession", pb.GetSessionRequest(session_id=booked.session_id))


def test_a_booking_for_another_persons_plan_is_poison(ward: Ward) -> None:
    booked = ward.booked_event(ward.signed_plan())
    booked.person_id = str(uuid4())
    assert ward.harness.deliver(booked) == "poison"


def test_a_session_has_one_live_order(ward: Ward) -> None:
    treatment = ward.ordered()
    with pytest.raises(AlreadyExists) as refused:
        ward.call("IssueOrder", issue(ward, treatment.session_id))
    assert refused.value.reason == "ORDER_LIVE"
    assert refused.value.ids["order_id"] == treatment.order.order_id


def test_of_eight_prescribers_at_once_one_orders(ward: Ward) -> None:
    session_id = ward.booked(ward.signed_plan())
    prescribers = [ward.practitioner(uuid4(), "sign", licence_type="MD", dea_expires_on="2027-12-31") for _ in range(8)]

    def ask(number: int) -> str:
        try:
            ward.call("IssueOrder", issue(ward, session_id), actor=prescribers[number])
        except SaguaroError as refused:
            return refused.reason
        return "issued"

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(ask, range(8)))
    assert outcomes == ["ORDER_LIVE"] * 7 + ["issued"]
    assert len(ward.harness.events(events.OrderIssued)) == 1


def test_an_order_lasts_a_day_from_the_planned_start_and_no_new_one_is_given_then(ward: Ward) -> None:
    treatment = ward.ordered()
    with pytest.raises(AlreadyExists):
        ward.call("IssueOrder", issue(ward, treatment.session_id), at=NOW + timedelta(hours=24, minutes=59))
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", issue(ward, treatment.session_id), at=NOW + timedelta(hours=25))
    assert "further back" in refused.value.rule


def test_an_expired_order_gives_way_when_the_site_lets_orders_last_longer(ward: Ward) -> None:
    treatment = ward.ordered()
    late = NOW + timedelta(hours=26)
    with ward.harness.database.unit_of_work(ward.harness.context()) as uow:
        uow.execute(
            insert(policy_number).values(
                policy_code="order_expiry_h", scope=SITE, effective_from=late, value=48, unit="h"
            )
        )
    order = ward.call("IssueOrder", issue(ward, treatment.session_id), at=late)
    assert order.expires_at == to_timestamp(NOW + timedelta(hours=49))
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert (revoked.order_id, revoked.reason_code) == (treatment.order.order_id, "order.expired")


def test_a_withdrawn_consent_refuses_and_revokes(ward: Ward) -> None:
    treatment = ward.ordered()
    person_id = treatment.plan.person_id
    consent_id = ward.consent_granted(person_id)
    ward.consent_withdrawn(person_id, consent_id)
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert (revoked.order_id, revoked.reason_code) == (treatment.order.order_id, "consent.withdrawn")
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", issue(ward, treatment.session_id))
    assert refused.value.reason == "ORDER_REFUSED"
    assert "consent" in refused.value.rule
    ward.consent_granted(person_id)
    assert ward.call("IssueOrder", issue(ward, treatment.session_id)).order_id != treatment.order.order_id


def test_a_withdrawal_outlasts_a_grant_that_comes_after_it(ward: Ward) -> None:
    plan = ward.signed_plan()
    session_id, consent_id = ward.booked(plan), str(uuid4())
    ward.consent_withdrawn(plan.person_id, consent_id)
    ward.consent_granted(plan.person_id, consent_id)
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", issue(ward, session_id))
    assert "consent" in refused.value.rule


def test_every_thing_against_an_order_is_named(ward: Ward) -> None:
    treatment = ward.ordered()
    person_id = treatment.plan.person_id
    ward.flag_raised(person_id)
    ward.consent_withdrawn(person_id, ward.consent_granted(person_id))
    ward.call("SuspendPlan", pb.SuspendPlanRequest(plan_id=treatment.plan.plan_id, reason_code="wish.of.person"))
    cancelled = scheduling_events.SessionCancelled(
        session_id=treatment.session_id, person_id=person_id, site_id=SITE, cancelled_at=to_timestamp(NOW)
    )
    assert ward.harness.deliver(cancelled) == "applied"
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", issue(ward, treatment.session_id))
    assert [finding.rule for finding in refused.value.findings] == [
        "the session must be planned",
        "the session's plan must be signed",
        "the treatment consent must be in force: it was withdrawn or expired",
        "no safety flag that blocks may be open",
    ]


@pytest.mark.parametrize("kind", ["cancelled", "no_show"])
def test_a_session_called_off_loses_its_order(ward: Ward, kind: str) -> None:
    treatment = ward.ordered().make_ready()
    ids = {"session_id": treatment.session_id, "person_id": treatment.plan.person_id, "site_id": SITE}
    event = (
        scheduling_events.SessionCancelled(**ids, reason_code="person.ill", cancelled_at=to_timestamp(NOW))
        if kind == "cancelled"
        else scheduling_events.NoShowRecorded(**ids, recorded_at=to_timestamp(NOW))
    )
    assert ward.harness.deliver(event) == "applied"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_CANCELLED
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert (revoked.order_id, revoked.reason_code) == (treatment.order.order_id, f"session.{kind}")


def test_the_end_of_a_booking_that_was_skipped_is_nothing_to_do(ward: Ward) -> None:
    event = scheduling_events.SessionCancelled(
        session_id=str(uuid4()), person_id=str(uuid4()), site_id=SITE, cancelled_at=to_timestamp(NOW)
    )
    assert ward.harness.deliver(event) == "applied"
    assert not ward.harness.events()


def test_an_order_is_revoked_once_and_the_session_is_planned_again(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    request = pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose")
    ward.call("RevokeOrder", request)
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_PLANNED
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert revoked.reason_code == "wrong.dose"
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("RevokeOrder", request)
    assert refused.value.reason == "ORDER_REVOKED"


def test_a_used_order_is_not_revoked(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="too.late"))
    assert refused.value.reason == "ORDER_USED"
    assert not ward.harness.events(events.OrderRevoked)


def test_an_order_that_is_not_there_is_not_found(ward: Ward) -> None:
    with pytest.raises(NotFound):
        ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=str(uuid4()), reason_code="abc"))


def test_only_a_prescriber_orders(ward: Ward) -> None:
    session_id = ward.booked(ward.signed_plan())
    for role in ("nurse", "clinician", "service", "medical_director"):
        with pytest.raises(PermissionDenied):
            ward.call("IssueOrder", issue(ward, session_id), role=role)


def test_a_consent_event_that_could_not_be_applied_stops_orders_and_starts(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    person_id = treatment.plan.person_id
    unknown = intake_events.ConsentWithdrawn(
        consent_id=str(uuid4()), person_id=person_id, site_id=SITE, withdrawn_at=to_timestamp(NOW)
    )
    assert ward.harness.deliver(unknown) == "poison"
    with pytest.raises(FailedPrecondition) as start:
        treatment.authorise()
    session_id = ward.booked(treatment.plan, 2)
    with pytest.raises(FailedPrecondition) as order:
        ward.call("IssueOrder", issue(ward, session_id))
    assert {start.value.reason, order.value.reason} == {"DEPENDS_ON_PARKED_EVENT"}
