"""Packages of sessions: paid in advance, earned session by session, given back by the policy."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from billing.domain.packages import deferred_usd, earned_usd, refund_usd
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.values import to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from tests.billing.desk import START, VISITS, Desk

UNKNOWN = "00000000-0000-7000-8000-000000000000"


def _package(desk: Desk, package_id: str) -> types.Package:
    found = desk.bill("GetPackage", pb.GetPackageRequest(package_id=package_id)).package
    assert isinstance(found, types.Package)
    return found


def _give_back(desk: Desk, package_id: str, days: int = 2) -> types.Package:
    request = pb.RefundPackageRequest(package_id=package_id, method_code="card", reason_code="plan_ended")
    found = desk.bill("RefundPackage", request, START + timedelta(days=days)).package
    assert isinstance(found, types.Package)
    return found


def test_each_closed_session_draws_one(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    sold = desk.sell(site, person, 3, "1000.00")
    assert (sold.valid_from, sold.valid_until, sold.state) == ("2026-07-15", "2027-07-15", "open")
    assert desk.ledger(site)[0] == {"cash": "1000.00", "deferred_revenue": "-1000.00"}
    drawn = desk.charge(desk.closed(site, person))
    assert (drawn.state, drawn.package_id) == ("charged", sold.package_id)
    now = _package(desk, sold.package_id)
    assert (now.drawn_count, now.deferred_usd, now.state) == (1, "666.67", "open")
    assert desk.ledger(site) == (
        {
            "accounts_receivable": "0.00", "cash": "1000.00", "deferred_revenue": "-666.67",
            "package_discount": "28.92", "revenue.96365": "-350.00", "revenue.J3490": "-12.25",
        },
        "0.00",
    )  # fmt: skip
    (told,) = desk.harness.events(events.PackageDrawn)
    assert (told.ordinal, told.amount_usd, told.session_id) == (1, "333.33", drawn.session_id)


def test_a_session_of_a_package_is_on_no_invoice_and_an_evaluation_is(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    desk.sell(site, person, 2, "600.00")
    desk.charge(desk.closed(site, person))
    with pytest.raises(FailedPrecondition):
        desk.invoice(person, site)
    desk.evaluated(site, person)
    issued = desk.invoice(person, site)
    assert [(line.line.code, line.line.modifier) for line in issued.lines] == [("99214", "25")]
    assert desk.ledger(site)[0]["accounts_receivable"] == issued.total_usd == "210.00"


def test_the_session_after_the_last_one_is_owed(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    sold = desk.sell(site, person, 2, "600.00")
    sets = [desk.charge(desk.closed(site, person)) for _ in range(3)]
    assert [one.package_id for one in sets] == [sold.package_id, sold.package_id, ""]
    assert _package(desk, sold.package_id).state == "used"
    assert desk.invoice(person, site).total_usd == "362.25"
    with pytest.raises(FailedPrecondition) as refused:
        _give_back(desk, sold.package_id)
    assert refused.value.reason == "PACKAGE_ENDED"


def test_it_does_not_matter_whether_the_sale_or_the_session_is_first(desk: Desk) -> None:
    balances = []
    for sale_first in (True, False):
        site, person = desk.priced_site(), desk.person()
        if sale_first:
            desk.sell(site, person, 3, "1000.00")
        desk.charge(desk.closed(site, person))
        if not sale_first:
            desk.sell(site, person, 3, "1000.00")
        balances.append(desk.ledger(site))
    assert balances[0] == balances[1]


def test_only_a_session_of_the_person_site_and_time_draws(desk: Desk) -> None:
    site, other, person = desk.priced_site(), desk.priced_site(), desk.person()
    sold = desk.sell(site, person, 2, "600.00")
    desk.charge(desk.closed(other, person))
    desk.charge(desk.closed(site, desk.person()))
    for days in (-1, 366):
        desk.charge(desk.closed(site, person, started_at=to_timestamp(START + timedelta(days=days))))
    desk.charge(desk.closed(site, person, seconds=30, delivered_mg="0"))
    desk.charge(desk.closed(site, person, stopped_at=None))
    assert _package(desk, sold.package_id).drawn_count == 0
    desk.charge(desk.closed(site, person, started_at=to_timestamp(START + timedelta(days=365))))
    assert _package(desk, sold.package_id).drawn_count == 1


def test_a_held_session_draws_when_it_is_released(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    sold = desk.sell(site, person, 2, "600.00")
    desk.charge(desk.closed(site, person))
    assert _package(desk, sold.package_id).drawn_count == 0
    desk.publish(site)
    assert _package(desk, sold.package_id).drawn_count == 1


def test_of_many_refunds_at_once_one_is_kept(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    sold = desk.sell(site, person, 2, "600.00")

    def end(_: int) -> str:
        try:
            return _give_back(desk, sold.package_id).refunded_usd
        except FailedPrecondition as refused:
            return refused.reason

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(end, range(8)))
    assert sorted(results) == ["600.00"] + ["PACKAGE_ENDED"] * 7
    assert desk.ledger(site)[0]["cash"] == "0.00"


def test_what_is_unused_is_given_back_by_the_policy(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    sold = desk.sell(site, person, 3, "1000.00")
    desk.charge(desk.closed(site, person))
    with desk.harness.database.engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO policy_number (policy_code, value, unit, scope, effective_from)
            VALUES ('package.refund_share', 90, '%', :site, '2026-01-01T00:00:00Z')
            """),
            {"site": site},
        )
    ended = _give_back(desk, sold.package_id)
    assert (ended.state, ended.refunded_usd, ended.deferred_usd) == ("refunded", "600.00", "0.00")
    accounts, sum_usd = desk.ledger(site)
    assert (accounts["cash"], accounts["deferred_revenue"], accounts["package_breakage"]) == (
        "400.00",
        "0.00",
        "-66.67",
    )
    assert sum_usd == "0.00"
    assert desk.charge(desk.closed(site, person)).package_id == ""
    (told,) = desk.harness.events(events.PackageRefunded)
    assert (told.amount_usd, told.reason_code) == ("600.00", "plan_ended")


def test_an_expired_package_is_given_back_by_the_share_of_expired_ones(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    sold = desk.sell(site, person, 2, "600.00")
    with desk.harness.database.engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO policy_number (policy_code, value, unit, scope, effective_from)
            VALUES ('package.expired_refund_share', 0, '%', 'network', '2026-01-01T00:00:00Z')
            """)
        )
    assert _give_back(desk, sold.package_id, days=366).refunded_usd == "0.00"
    assert desk.ledger(site)[0]["package_breakage"] == "-600.00"


def test_a_sale_is_checked(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    for price in ("0", "100.001"):
        with pytest.raises(InvalidArgument) as refused:
            desk.sell(site, person, 2, price)
        assert refused.value.field == "price_usd"
    for whose in ((UNKNOWN, person), (site, UNKNOWN)):
        with pytest.raises(NotFound):
            desk.sell(whose[0], whose[1], 2, "600.00")
    with pytest.raises(NotFound):
        _package(desk, UNKNOWN)


@given(st.decimals("0.01", "99999", places=2), st.integers(1, 60))
def test_all_sessions_together_earn_exactly_the_price(price_usd: Decimal, count: int) -> None:
    parts = [earned_usd(price_usd, count, ordinal) for ordinal in range(1, count + 1)]
    assert sum(parts) == price_usd
    assert all(part >= 0 and part == part.quantize(Decimal("0.01")) for part in parts)
    assert max(parts) - min(parts) <= Decimal("0.01")
    left = [deferred_usd(price_usd, count, drawn) for drawn in range(count + 1)]
    assert (left[0], left[-1]) == (price_usd, Decimal(0))
    assert all(0 <= refund_usd(one, Decimal(37)) <= one for one in left)
