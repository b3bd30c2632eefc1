"""The published vectors of infusion time and drug, each by its own line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.values import to_timestamp
from tests.billing.desk import Desk, units


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """One database for the module."""
    return shared_desk


def _minutes(desk: Desk, minutes: int, **changes: Any) -> dict[str, str]:
    """Units by code of a session that delivered so long, without a drug."""
    event = desk.closed(desk.priced_site(), desk.person(), seconds=60 * minutes, delivered_mg="0", **changes)
    return units(desk.charge(event))


def test_15_minutes_are_a_push(desk: Desk) -> None:
    """Vectors: 15 -> 96374"""
    assert _minutes(desk, 15) == {"96374": "1"}


def test_16_minutes_are_an_infusion(desk: Desk) -> None:
    """16 -> 96365"""
    assert _minutes(desk, 16) == {"96365": "1"}


def test_40_minutes_with_a_pause_of_10_are_40(desk: Desk) -> None:
    """40 with a pause of 10 -> 40, not 50"""
    event = desk.closed(desk.priced_site(), desk.person(), seconds=40 * 60, paused_seconds=600)
    assert units(desk.charge(event)) == {"96365": "1", "J3490": "1"}
    # Where ten minutes more would show: 85 delivered and 10 paused are 85, no further hour.
    assert _minutes(desk, 85, paused_seconds=600) == {"96365": "1"}


def test_90_minutes_have_no_further_hour(desk: Desk) -> None:
    """90 -> 0"""
    assert _minutes(desk, 90) == {"96365": "1"}


def test_91_minutes_have_one_further_hour(desk: Desk) -> None:
    """91 -> 1"""
    assert _minutes(desk, 91) == {"96365": "1", "96366": "1"}


def test_240_minutes_have_three_further_hours(desk: Desk) -> None:
    """240 -> 3"""
    assert _minutes(desk, 240) == {"96365": "1", "96366": "3"}


def test_150_and_151_minutes(desk: Desk) -> None:
    """units = floor((minutes-60+29)/60) for minutes>60: 90->0, 91->1, 150->1, 151->2, 240->3"""
    assert _minutes(desk, 150) == {"96365": "1", "96366": "1"}
    assert _minutes(desk, 151) == {"96365": "1", "96366": "2"}


def test_under_a_minute_with_no_drug_nothing_is_charged(desk: Desk) -> None:
    """under 1 with no drug: none"""
    event = desk.closed(desk.priced_site(), desk.person(), seconds=59, delivered_mg="0")
    assert (desk.charge(event).state, desk.charge_set(event.session_id).total_usd) == ("none", "0.00")


def test_without_a_device_stop_time_it_is_held(desk: Desk) -> None:
    """No device stop time: held for review."""
    held = desk.charge(desk.closed(desk.priced_site(), desk.person(), stopped_at=None))
    assert (held.state, held.hold_reason_code) == ("held", "stop_time.missing")


def test_phoenix_at_half_past_five_in_the_evening(desk: Desk) -> None:
    """Date of service and of the price = start in the site's zone (Phoenix 17:30 on 2026-07-15 is 00:30Z on the 16th)."""
    site = desk.priced_site()
    desk.publish(site, "2026-07-16", **{"96365": "999.00"})
    start = to_timestamp(datetime(2026, 7, 16, 0, 30, tzinfo=UTC))
    charged = desk.charge(desk.closed(site, desk.person(), started_at=start))
    assert (charged.service_date, charged.lines[0].unit_price_usd) == ("2026-07-15", "350.00")


def test_the_drug_line_of_40_mg(desk: Desk) -> None:
    """A 5-3-2 NDC pads the middle: 67457-108-10 -> 67457010810. 40 mg from 50 mg/mL = `CTP****0.8*ML`."""
    line = desk.charge(desk.closed(desk.priced_site(), desk.person())).lines[-1]
    assert (line.code, line.units, line.ndc, line.product_ml) == ("J3490", "1", "67457010810", "0.80")


def test_waste_is_a_line_of_its_own(desk: Desk) -> None:
    """waste on its own ledger line"""
    site = desk.site()
    desk.publish(site, **{"J3490-JW": "3.10"})
    charged = desk.charge(desk.closed(site, desk.person(), wasted_mg="460"))
    given, wasted = charged.lines[1:]
    assert (given.modifier, given.product_ml, given.amount_usd) == ("", "0.80", "12.25")
    assert (wasted.code, wasted.modifier, wasted.product_ml, wasted.amount_usd) == ("J3490", "JW", "9.20", "3.10")
    accounts, _ = desk.ledger(site)
    assert (accounts["revenue.J3490"], accounts["revenue.J3490-JW"]) == ("-12.25", "-3.10")


def test_waste_without_a_price_is_on_record_and_charges_nothing(desk: Desk) -> None:
    """waste on its own ledger line"""
    charged = desk.charge(desk.closed(desk.priced_site(), desk.person(), wasted_mg="460"))
    wasted = charged.lines[-1]
    assert (wasted.modifier, wasted.product_ml, wasted.amount_usd, wasted.note_code) == (
        "JW", "9.20", "0.00", "price.missing",
    )  # fmt: skip
    assert charged.total_usd == "362.25"
