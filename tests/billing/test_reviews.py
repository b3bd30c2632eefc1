"""Held charges: listed, released by what a person established, or rejected; each with who, when and why."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from chassis.values import to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from tests.billing.desk import START, Desk, units


def _time(seconds: int = 2400, after: int = 2400) -> types.ReviewedTime:
    return types.ReviewedTime(
        delivering_seconds=seconds,
        stopped_at=to_timestamp(START + timedelta(seconds=after)),
        source_code="nursing_note",
    )


def _release(desk: Desk, charge_set_id: str, **values: Any) -> types.ChargeSet:
    request = pb.ReleaseChargeRequest(charge_set_id=charge_set_id, **({"reason_code": "time.established"} | values))
    found = desk.bill("ReleaseCharge", request).charge_set
    assert isinstance(found, types.ChargeSet)
    return found


def test_a_missing_stop_is_released_with_the_time_that_a_person_established(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, stopped_at=None, delivering_seconds=0))
    assert [one.charge_set_id for one in desk.held(site)] == [held.charge_set_id]
    charged = _release(desk, held.charge_set_id, reviewed_time=_time())
    assert (charged.state, units(charged), charged.total_usd) == ("charged", {"96365": "1", "J3490": "1"}, "362.25")
    (review,) = charged.reviews
    assert (review.decision, review.reason_code, review.hold_reason_code) == (
        "released", "time.established", "stop_time.missing",
    )  # fmt: skip
    assert review.reviewed_by == str(desk.harness.actor_id)
    assert (review.reviewed_time.delivering_seconds, review.reviewed_time.source_code) == (2400, "nursing_note")
    (released,) = desk.harness.events(events.ChargeReleased)
    assert released.reviewed_by == str(desk.harness.actor_id)
    assert desk.held(site) == []
    assert desk.ledger(site)[0]["accounts_receivable"] == "362.25"


def test_a_release_without_the_time_or_with_one_that_cannot_be_changes_nothing(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, stopped_at=None))
    for values, field in (
        ({}, "reviewed_time"),
        ({"reviewed_time": _time(2401, 2400)}, "reviewed_time.delivering_seconds"),
    ):
        with pytest.raises(InvalidArgument) as refused:
            _release(desk, held.charge_set_id, **values)
        assert refused.value.field == field
    assert desk.charge_set(held.session_id) == held
    assert desk.ledger(site) == ({}, "0.00")


def test_a_time_is_refused_where_none_is_asked_for(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, discrepancy=True))
    assert held.hold_reason_code == "volume.discrepancy"
    with pytest.raises(InvalidArgument) as refused:
        _release(desk, held.charge_set_id, reviewed_time=_time())
    assert refused.value.field == "reviewed_time"
    assert _release(desk, held.charge_set_id, reason_code="record.reviewed").total_usd == "362.25"


def test_a_release_names_what_is_still_missing_and_keeps_nothing(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    held = desk.charge(desk.closed(site, person, stopped_at=None))
    with pytest.raises(FailedPrecondition) as refused:
        _release(desk, held.charge_set_id, reviewed_time=_time())
    assert (refused.value.reason, "price_list.missing" in refused.value.rule) == ("CHARGE_STILL_HELD", True)
    assert list(desk.charge_set(held.session_id).reviews) == []
    desk.publish(site)
    assert _release(desk, held.charge_set_id, reviewed_time=_time()).state == "charged"


def test_a_released_or_rejected_charge_is_held_no_more(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, discrepancy=True))
    _release(desk, held.charge_set_id, reason_code="record.reviewed")
    for rpc, request in (
        ("ReleaseCharge", pb.ReleaseChargeRequest(charge_set_id=held.charge_set_id, reason_code="record.reviewed")),
        ("RejectCharge", pb.RejectChargeRequest(charge_set_id=held.charge_set_id, reason_code="duplicate")),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            desk.bill(rpc, request)
        assert refused.value.reason == "CHARGE_NOT_HELD"
        with pytest.raises(PermissionDenied):
            desk.harness.call(rpc, request, role="nurse")
        request.charge_set_id = str(uuid4())
        with pytest.raises(NotFound):
            desk.bill(rpc, request)


def test_a_rejected_charge_is_on_the_ledger_and_nobody_owes_it(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, discrepancy=True))
    request = pb.RejectChargeRequest(charge_set_id=held.charge_set_id, reason_code="clinic.courtesy")
    rejected = desk.bill("RejectCharge", request).charge_set
    assert (rejected.state, rejected.total_usd, rejected.reviews[0].decision) == ("rejected", "0.00", "rejected")
    assert desk.ledger(site) == (
        {"adjustments.rejected": "362.25", "revenue.96365": "-350.00", "revenue.J3490": "-12.25"},
        "0.00",
    )
    (told,) = desk.harness.events(events.ChargeRejected)
    assert (told.reason_code, told.hold_reason_code) == ("clinic.courtesy", "volume.discrepancy")
    with pytest.raises(FailedPrecondition):
        desk.invoice(person, site)


def test_a_rejected_charge_of_unknown_worth_is_posted_nowhere(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, stopped_at=None))
    request = pb.RejectChargeRequest(charge_set_id=held.charge_set_id, reason_code="time.not_established")
    assert desk.bill("RejectCharge", request).charge_set.state == "rejected"
    assert desk.ledger(site) == ({}, "0.00")
    desk.publish(site, "2026-07-01")
    assert desk.charge_set(held.session_id).state == "rejected"


def test_a_discrepancy_is_charged_where_the_policy_says_so(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    with desk.harness.database.engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO policy_number (policy_code, value, unit, scope, effective_from)
            VALUES ('session.discrepancy_holds', 0, 'yes/no', :site, '2026-01-01T00:00:00Z')
            """),
            {"site": site},
        )
    assert desk.charge(desk.closed(site, person, discrepancy=True)).state == "charged"
    assert desk.charge(desk.closed(desk.priced_site(), person, discrepancy=True)).state == "held"


def test_an_evaluation_of_an_unknown_code_is_released_once_the_policy_knows_it(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, **{"99417": "55.00"})
    desk.evaluated(site, person, "99417")
    (held,) = desk.held(site)
    with pytest.raises(FailedPrecondition) as refused:
        _release(desk, held.charge_set_id, reason_code="record.reviewed")
    assert "evaluation_code.unknown" in refused.value.rule
    with desk.harness.database.engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO evaluation_policy (cpt_code, needs_price, effective_from)
            VALUES ('99417', false, '2026-07-16T00:00:00Z')
            """)
        )
    released = _release(desk, held.charge_set_id, reason_code="record.reviewed")
    assert (released.state, released.total_usd, released.service_date) == ("charged", "55.00", "2026-07-15")


def test_a_review_cannot_be_rewritten(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, discrepancy=True))
    _release(desk, held.charge_set_id, reason_code="record.reviewed")
    for statement in ("UPDATE charge_review SET reason_code = 'x'", "DELETE FROM charge_review"):
        with pytest.raises(ProgrammingError), desk.harness.database.engine.begin() as connection:
            connection.execute(text(statement))


def test_held_charges_are_listed_in_pages_by_reason(desk: Desk) -> None:
    site = desk.priced_site()
    for _ in range(3):
        desk.charge(desk.closed(site, desk.person(), stopped_at=None))
    desk.charge(desk.closed(site, desk.person(), discrepancy=True))
    assert len(desk.held(site)) == 4
    assert len(desk.held(site, "stop_time.missing")) == 3
    first = desk.bill("ListHeldCharges", pb.ListHeldChargesRequest(site_id=site, page_size=3))
    request = pb.ListHeldChargesRequest(site_id=site, page_size=3, page_token=first.next_page_token)
    second = desk.bill("ListHeldCharges", request)
    assert len({one.charge_set_id for one in (*first.charge_sets, *second.charge_sets)}) == 4
    assert second.next_page_token == ""
