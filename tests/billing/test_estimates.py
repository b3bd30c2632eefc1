"""A good-faith estimate: codes, units and prices of a series, kept, and charged nowhere."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from tests.billing.desk import START, VISITS, Desk


def _request(site: str, person: str, **changes: Any) -> pb.CreateEstimateRequest:
    values: dict[str, Any] = {
        "person_id": person,
        "site_id": site,
        "plan_id": str(uuid4()),
        "session_count": 6,
        "infusion_minutes": 40,
        "first_service_date": "2026-08-03",
    }
    return pb.CreateEstimateRequest(**(values | changes))


def _estimate(desk: Desk, request: pb.CreateEstimateRequest) -> types.Estimate:
    found = desk.bill("CreateEstimate", request, START).estimate
    assert isinstance(found, types.Estimate)
    return found


def test_a_series_is_estimated_by_the_prices_of_its_first_day(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    later = desk.publish(site, "2026-08-01", **VISITS, **{"96365": "360.00"})
    desk.publish(site, "2026-09-01", **VISITS, **{"96365": "999.00"})
    asked = _request(site, person, evaluation_codes=["99214", "99214"], assessments_per_session=2)
    made = _estimate(desk, asked)
    assert [(line.code, line.units, line.amount_usd) for line in made.lines] == [
        ("96365", "6", "2160.00"), ("J3490", "6", "73.50"), ("99214", "2", "420.00"), ("96127", "12", "100.80"),
    ]  # fmt: skip
    assert (made.total_usd, made.price_list_id, made.prices_effective_from) == ("2754.30", later, "2026-08-01")
    assert (made.issued_on, made.valid_until, made.plan_id) == ("2026-07-15", "2026-10-13", asked.plan_id)
    assert list(made.exclusion_codes) == [
        "dose_changes", "emergency_care", "laboratory", "other_providers", "prescriptions",
    ]  # fmt: skip
    assert desk.bill("GetEstimate", pb.GetEstimateRequest(estimate_id=made.estimate_id)).estimate == made
    assert desk.ledger(site) == ({}, "0.00")
    (told,) = desk.harness.events(events.EstimateCreated)
    assert (told.total_usd, told.valid_until) == ("2754.30", "2026-10-13")


def test_an_estimate_comes_to_what_the_sessions_are_charged(desk: Desk) -> None:
    """Rounded for each visit as it will be charged: 0.005 a session is 0.01 six times, not 0.03."""
    site, person = desk.site(), desk.person()
    desk.publish(site, J3490="0.005", **{"96366": "33.335"})
    made = _estimate(desk, _request(site, person, infusion_minutes=240))
    charged = [desk.charge(desk.closed(site, person, seconds=240 * 60)).total_usd for _ in range(6)]
    assert made.total_usd == "2700.12"
    assert charged == ["450.02"] * 6


def test_instruments_are_estimated_up_to_the_daily_cap(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    made = _estimate(desk, _request(site, person, assessments_per_session=9))
    assert (made.lines[-1].code, made.lines[-1].units) == ("96127", "24")


def test_an_optional_code_without_a_price_is_named_and_a_needed_one_refuses(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    made = _estimate(desk, _request(site, person, evaluation_codes=["99214"], assessments_per_session=1))
    assert (list(made.unpriced_codes), made.total_usd) == (["96127", "99214"], "2173.50")
    desk.publish(site, "2026-07-15", J3490=None, **{"96365": None})
    with pytest.raises(FailedPrecondition) as refused:
        _estimate(desk, _request(site, person))
    assert (refused.value.reason, "96365, J3490" in refused.value.rule) == ("PRICE_MISSING", True)


def test_what_cannot_be_estimated_is_refused(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    for changes, error in (
        ({"site_id": str(uuid4())}, NotFound),
        ({"person_id": str(uuid4())}, NotFound),
        ({"evaluation_codes": ["12345"]}, InvalidArgument),
        ({"first_service_date": "2026-02-30"}, InvalidArgument),
        ({"first_service_date": "2025-12-31"}, FailedPrecondition),
    ):
        with pytest.raises(error):
            _estimate(desk, _request(site, person, **changes))
    with pytest.raises(PermissionDenied):
        desk.harness.call("CreateEstimate", _request(site, person), role="nurse")
    with pytest.raises(NotFound):
        desk.bill("GetEstimate", pb.GetEstimateRequest(estimate_id=str(uuid4())))
    assert desk.harness.events(events.EstimateCreated) == []


def test_a_repeated_request_makes_one_estimate(desk: Desk) -> None:
    request = _request(desk.priced_site(), desk.person(), request_id=str(uuid4()))
    first = _estimate(desk, request)
    again = desk.bill("CreateEstimate", request, START + timedelta(days=1)).estimate
    assert first == again
