"""Minutes to codes, at every edge (AMA CPT, intravenous push and infusion)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.values import to_timestamp
from tests.billing.desk import Desk, units


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """One database for the module."""
    return shared_desk


@pytest.mark.parametrize(
    ("minutes", "codes"),
    [
        pytest.param(0, {}, id="under-1-none"),
        pytest.param(1, {"96374": "1"}, id="1-push"),
        pytest.param(15, {"96374": "1"}, id="15-push"),
        pytest.param(16, {"96365": "1"}, id="16-infusion"),
        pytest.param(60, {"96365": "1"}, id="60-infusion"),
        pytest.param(61, {"96365": "1"}, id="61-no-further-hour"),
        pytest.param(90, {"96365": "1"}, id="90-no-further-hour"),
        pytest.param(91, {"96365": "1", "96366": "1"}, id="91-one-further-hour"),
        pytest.param(150, {"96365": "1", "96366": "1"}, id="150-one-further-hour"),
        pytest.param(151, {"96365": "1", "96366": "2"}, id="151-two-further-hours"),
        pytest.param(240, {"96365": "1", "96366": "3"}, id="240-three-further-hours"),
    ],
)
def test_minutes_give_codes(desk: Desk, minutes: int, codes: dict[str, str]) -> None:
    site, person = desk.priced_site(), desk.person()
    charged = desk.charge(desk.closed(site, person, seconds=60 * minutes + 59, delivered_mg="0"))
    assert units(charged) == codes
    assert charged.state == ("charged" if codes else "none")


def test_a_pause_is_no_infusion_time(desk: Desk) -> None:
    """Forty minutes of delivery and a pause of ten are billed as 40, not 50."""
    site, person = desk.priced_site(), desk.person()
    event = desk.closed(site, person, seconds=40 * 60, paused_seconds=600)
    assert units(desk.charge(event)) == {"96365": "1", "J3490": "1"}
    # Fifty-one more minutes would bill a further hour only if the pause counted.
    long = desk.closed(site, person, seconds=85 * 60, paused_seconds=600)
    assert "96366" not in units(desk.charge(long))


def test_under_a_minute_the_drug_alone_is_charged(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    charged = desk.charge(desk.closed(site, person, seconds=59, delivered_mg="0.6"))
    assert units(charged) == {"J3490": "1"}


def test_the_day_of_service_is_that_of_the_start_on_the_sites_wall(desk: Desk) -> None:
    """17:30 in Phoenix on 15 July 2026 is 00:30Z on the 16th; the price is that of the 15th."""
    start = to_timestamp(datetime(2026, 7, 16, 0, 30, tzinfo=UTC))
    site, person = desk.priced_site(), desk.person()
    desk.publish(site, "2026-07-16", **{"96365": "999.00"})
    charged = desk.charge(desk.closed(site, person, started_at=start))
    assert charged.service_date == "2026-07-15"
    assert charged.lines[0].unit_price_usd == "350.00"
    next_day = to_timestamp(datetime(2026, 7, 16, 7, 0, tzinfo=UTC))
    assert desk.charge(desk.closed(site, person, started_at=next_day)).lines[0].unit_price_usd == "999.00"


@pytest.mark.parametrize(
    ("zone", "day"), [("America/Phoenix", "2026-07-15"), ("America/Denver", "2026-07-16")], ids=["PHX", "WRK"]
)
def test_each_site_has_a_midnight_of_its_own(desk: Desk, zone: str, day: str) -> None:
    """06:30Z is 23:30 in Phoenix and, by daylight saving time, 00:30 in Window Rock."""
    site, person = desk.priced_site(zone), desk.person()
    start = to_timestamp(datetime(2026, 7, 16, 6, 30, tzinfo=UTC))
    assert desk.charge(desk.closed(site, person, started_at=start)).service_date == day


def test_without_a_stop_time_the_charge_is_held_for_review(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, stopped_at=None))
    assert (held.state, held.hold_reason_code, held.total_usd) == ("held", "stop_time.missing", "0.00")
    assert not held.lines
    assert desk.ledger(site) == ({}, "0.00")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"started_at": None}, "start_time.missing"),
        ({"delivered_mg": "about forty"}, "delivered_mg.invalid"),
        ({"delivered_mg": "-1"}, "delivered_mg.invalid"),
        ({"delivered_mg": "NaN"}, "delivered_mg.invalid"),
        ({"delivering_seconds": -1}, "delivering_seconds.invalid"),
        ({"vial_concentration_mg_per_ml": ""}, "vial_concentration.invalid"),
        ({"vial_concentration_mg_per_ml": "0"}, "vial_concentration.invalid"),
        ({"ndc": "6745710810"}, "ndc.invalid"),
    ],
)
def test_what_is_not_certain_is_held_never_guessed(desk: Desk, changes: dict[str, Any], reason: str) -> None:
    site, person = desk.priced_site(), desk.person()
    held = desk.charge(desk.closed(site, person, **changes))
    assert (held.state, held.hold_reason_code) == ("held", reason)
