"""The pump's counter is exact, whatever the steps in which its clock moves."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.pump import Programme, Pump

BEGAN = datetime(2026, 7, 14, 14, tzinfo=UTC)
USUAL = Programme("ketamine", Decimal(1), Decimal("60.0"), Decimal("40.0"))
# 73.3 kg at 0.5 mg/kg in 40 minutes and 2 mg/mL: rate and volume each rounded down, 40.07 minutes.
UNEVEN = Programme("ketamine", Decimal(2), Decimal("27.4"), Decimal("18.3"))


def running(programme: Programme) -> Pump:
    pump = Pump("a0000000-0000-4000-8000-000000000001")
    pump.program(programme, BEGAN)
    pump.start(BEGAN)
    return pump


def test_a_minute_at_60_ml_an_hour_is_a_millilitre() -> None:
    pump = running(USUAL)
    pump.advance(BEGAN + timedelta(minutes=1))
    assert pump.total_ml == Decimal("1.000")
    assert pump.report().delivered_total_ml == "1.000"


def test_the_volume_is_in_after_forty_minutes() -> None:
    pump = running(USUAL)
    assert pump.ends_at() == BEGAN + timedelta(minutes=40)
    pump.complete(pump.ends_at())
    assert pump.delivered_ml == Decimal(40)
    assert (pump.report().infusing, pump.report().not_delivering_reason) == (False, "completed")


def test_a_rate_that_does_not_divide_ends_late_by_less_than_a_millisecond_and_gives_no_more_than_was_programmed() -> (
    None
):
    pump = running(UNEVEN)
    ends_at = pump.ends_at()
    exact_s = UNEVEN.vtbi_ml / UNEVEN.rate_ml_per_h * 3600
    late_s = Decimal((ends_at - BEGAN) // timedelta(milliseconds=1)) / 1000 - exact_s
    assert 0 <= late_s < Decimal("0.001")
    pump.advance(ends_at + timedelta(minutes=5))
    assert pump.infused_ml == Decimal("18.3")


@given(st.lists(st.integers(min_value=1, max_value=600_000), min_size=1, max_size=30))
def test_the_steps_of_the_clock_change_nothing(steps_ms: list[int]) -> None:
    stepped, at = running(UNEVEN), BEGAN
    for step in steps_ms:
        at += timedelta(milliseconds=step)
        stepped.advance(at)
    at_once = running(UNEVEN)
    at_once.advance(at)
    assert stepped.total_ml == at_once.total_ml
    assert stepped.total_ml <= UNEVEN.vtbi_ml
    exact_ml = UNEVEN.rate_ml_per_h * sum(steps_ms) / Decimal(3_600_000)
    assert 0 <= min(exact_ml, UNEVEN.vtbi_ml) - stepped.total_ml < Decimal("0.001")


def test_nothing_goes_in_during_a_pause() -> None:
    pump = running(USUAL)
    pump.pause(BEGAN + timedelta(minutes=10))
    pump.advance(BEGAN + timedelta(minutes=25))
    assert pump.total_ml == Decimal(10)
    assert pump.report().not_delivering_reason == "paused"
    pump.start(BEGAN + timedelta(minutes=25))
    assert pump.ends_at() == BEGAN + timedelta(minutes=55)


def test_keeping_the_vein_open_adds_to_the_counter_and_not_to_the_programme() -> None:
    pump = running(USUAL)
    pump.keep_vein_open(pump.ends_at())
    pump.advance(BEGAN + timedelta(minutes=70))
    assert (pump.infused_ml, pump.delivered_ml) == (Decimal(40), Decimal("40.5"))
    report = pump.report()
    assert (report.infusing, report.keep_vein_open, report.current_rate_ml_per_h) == (True, True, "1")


def test_the_counter_goes_on_from_session_to_session_unless_it_is_cleared() -> None:
    pump = running(USUAL)
    pump.complete(BEGAN + timedelta(minutes=40))
    pump.program(USUAL, BEGAN + timedelta(hours=3))
    assert pump.total_ml == Decimal(40)
    assert not pump.report().counter_cleared
    pump.program(USUAL, BEGAN + timedelta(hours=4), clear_counter=True)
    assert pump.total_ml == 0
    first, second = pump.frame(), pump.frame()
    assert (first.pump_report.counter_cleared, second.pump_report.counter_cleared) == (True, False)


def test_frames_count_up_and_say_when() -> None:
    pump = running(USUAL)
    first = pump.frame()
    pump.advance(BEGAN + timedelta(minutes=5))
    second = pump.frame()
    assert (first.sequence, second.sequence) == (1, 2)
    assert second.first_sample_at.ToDatetime(tzinfo=UTC) == BEGAN + timedelta(minutes=5)
    assert second.pump_report.delivered_total_ml == "5.000"


def test_a_clock_that_goes_back_and_a_pump_without_programme_are_refused() -> None:
    pump = running(USUAL)
    with pytest.raises(ValueError, match="does not go back"):
        pump.advance(BEGAN - timedelta(seconds=1))
    with pytest.raises(ValueError, match="no programme"):
        Pump("a0000000-0000-4000-8000-000000000001").report()
