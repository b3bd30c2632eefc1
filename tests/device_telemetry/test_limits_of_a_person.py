"""The rows of the monitoring table one by one with the default policy: each bound just inside and just on it, and the relative ones."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from device_telemetry.domain import codes, session_log
from device_telemetry.domain.findings import AlarmOff, AlarmOn, Finding
from device_telemetry.domain.session_log import Facts, ReceivedFrame
from device_telemetry.domain.session_state import SessionState
from tests.device_telemetry.frames_by_hand import MONITOR, PUMP, START_MS, default_limits, received, usable

HR, SPO2, RR = codes.HEART_RATE, codes.OXYGEN_SATURATION, codes.RESPIRATION_RATE
SBP, DBP, MAP = codes.CUFF_SYSTOLIC, codes.CUFF_DIASTOLIC, codes.CUFF_MEAN
BASELINE = {"sbp": Decimal(120), "dbp": Decimal(70), "hr": Decimal(60)}
MEDIUM, HIGH = 2, 3


def found_in(*frames: ReceivedFrame, baseline: dict[str, Decimal] | None = None) -> list[Finding]:
    """What the default policy finds."""
    state, facts = SessionState(str(uuid4())), Facts(default_limits().for_person(baseline or {}))
    return [finding for frame in frames for finding in session_log.apply(state, frame, facts) or ()]


def raised(found: list[Finding]) -> dict[str, int]:
    """Priority by kind."""
    return {item.kind: item.priority for item in found if isinstance(item, AlarmOn)}


def once(channel: int, value: float, baseline: dict[str, Decimal] | None = None) -> dict[str, int]:
    """One sample of a feed with a sample a minute."""
    return raised(found_in(received(MONITOR, 1, usable(channel, [(0.0, value)]), period_s=300.0), baseline=baseline))


@pytest.mark.parametrize(
    ("channel", "inside", "beyond", "kind", "priority"),
    [
        (SBP, 159, 160, "sbp.high.caution", MEDIUM),  # >=160/100
        (DBP, 99, 100, "dbp.high.caution", MEDIUM),
        (SBP, 199, 200, "sbp.high.stop", HIGH),  # >=200/120 once
        (DBP, 119, 120, "dbp.high.stop", HIGH),
        (HR, 50, 49, "hr.low.caution", MEDIUM),  # <50
        (HR, 120, 121, "hr.high.caution", MEDIUM),  # >120
        (HR, 40, 39, "hr.low.stop", HIGH),  # <40
        (SPO2, 92, 91, "spo2.low.caution", MEDIUM),  # <92
        (SPO2, 90, 89, "spo2.low.stop", HIGH),  # <90
        (RR, 10, 9, "rr.low.caution", MEDIUM),  # <10
        (RR, 8, 7, "rr.low.stop", HIGH),  # <8
        (SBP, 90, 89, "sbp.low.caution", MEDIUM),  # SBP <90
        (SBP, 80, 79, "sbp.low.stop", HIGH),  # SBP <80
        (MAP, 55, 54, "map.low.stop", HIGH),  # or MAP <55
    ],
)
def test_a_limit_and_its_bound(channel: int, inside: float, beyond: float, kind: str, priority: int) -> None:
    """'>=160/100 or rise >=30 % | >=180/110 confirmed by repeat <=5 min, or >=200/120 once'; '<50 or >120 | ... or <40'; and so on."""
    assert kind not in once(channel, inside)
    assert once(channel, beyond)[kind] == priority


@pytest.mark.parametrize(
    ("channel", "inside", "beyond", "kind"),
    [
        (SBP, 155, 156, "sbp.rise.caution"),
        (DBP, 90, 91, "dbp.rise.caution"),
        (SBP, 85, 84, "sbp.fall.caution"),
    ],
)
def test_a_rise_and_a_fall_of_thirty_percent(channel: int, inside: float, beyond: float, kind: str) -> None:
    """'or rise >=30 %'; 'SBP <90 or a fall of 30 %': against the baseline of SessionReady, 120/70."""
    assert kind not in once(channel, inside, BASELINE)
    assert once(channel, beyond, BASELINE)[kind] == MEDIUM


def test_without_a_baseline_nothing_is_relative() -> None:
    """A limit that is relative to nothing is none; the absolute ones stay."""
    assert once(SBP, 135) == {}
    assert once(SBP, 170) == {"sbp.high.caution": MEDIUM}


def test_heart_rate_above_130_for_five_minutes() -> None:
    """'>130 sustained 5 min or <40'; 'A sustained condition needs every fresh sample over its length'"""
    beats = [(float(at), 131.0) for at in range(0, 301, 10)]
    fast = received(MONITOR, 1, usable(HR, beats), period_s=10.0)
    assert raised(found_in(fast))["hr.high.stop"] == HIGH
    assert "hr.high.stop" not in raised(found_in(received(MONITOR, 1, usable(HR, beats[:-1]), period_s=10.0)))
    dipped = [(at, 130.0 if at == 150 else value) for at, value in beats]
    assert "hr.high.stop" not in raised(found_in(received(MONITOR, 1, usable(HR, dipped), period_s=10.0)))


def test_pressure_is_confirmed_by_a_repeat_of_its_own_kind() -> None:
    """'>=180/110 confirmed by repeat <=5 min'"""
    twice = usable(DBP, [(0.0, 110.0), (299.0, 111.0)])
    assert raised(found_in(received(MONITOR, 1, twice, period_s=150.0)))["dbp.high.repeated.stop"] == HIGH
    between = usable(DBP, [(0.0, 110.0), (150.0, 95.0), (299.0, 111.0)])
    assert "dbp.high.repeated.stop" not in raised(found_in(received(MONITOR, 1, between, period_s=150.0)))


@pytest.mark.parametrize(("length_s", "silent"), [(30, False), (31, True)])
def test_heart_rate_silent_for_thirty_seconds(length_s: int, silent: bool) -> None:
    """'HR/SpO2 silent 30 s'"""
    first = received(MONITOR, 1, usable(HR, [(0.0, 70.0)]) + usable(SPO2, [(0.0, 97.0)]))
    found = found_in(first, received(PUMP, 1, at_s=float(length_s)))
    assert ("hr.silent" in raised(found)) is silent
    assert ("spo2.silent" in raised(found)) is silent


def test_the_cuff_silent_for_its_interval_and_a_minute() -> None:
    """'NIBP silent > interval + 60 s'"""
    first = received(MONITOR, 1, usable(SBP, [(0.0, 120.0)]), period_s=120.0)
    assert "nibp.silent" not in raised(found_in(first, received(PUMP, 1, at_s=360.0)))
    assert raised(found_in(first, received(PUMP, 1, at_s=361.0)))["nibp.silent"] == MEDIUM


def test_a_slow_feed_is_given_twice_its_period_and_fifteen_seconds() -> None:
    """'Every silence limit is max(policy, 2 x the feed's declared period + 15 s)'"""
    first = received(MONITOR, 1, usable(SBP, [(0.0, 120.0)]), period_s=300.0)
    assert "nibp.silent" not in raised(found_in(first, received(PUMP, 1, at_s=615.0)))
    assert "nibp.silent" in raised(found_in(first, received(PUMP, 1, at_s=616.0)))


@pytest.mark.parametrize("quality", [codes.UNUSABLE, codes.HELD])
def test_unusable_values_keep_nothing_fresh(quality: int) -> None:
    """'no freshness, no alarm raised or cleared'"""
    first = received(MONITOR, 1, usable(HR, [(0.0, 39.0)]) + usable(SPO2, [(0.0, 97.0)]))
    then = received(MONITOR, 2, [(float(at), HR, 70.0, quality) for at in range(1, 32)])
    found = found_in(first, then)
    assert "hr.silent" in raised(found)
    assert not [item for item in found if isinstance(item, AlarmOff)]


def test_a_gap_inside_a_sustained_window_starts_it_again() -> None:
    """A gap inside a window of 15 s: what was not measured counts for nothing ('the gap resets the window')."""
    before = [(float(at), 89.0) for at in range(10)]
    after = [(float(at), 89.0) for at in range(20, 36)]
    found = found_in(received(MONITOR, 1, usable(SPO2, [*before, *after])))
    stops = [item.measured_ms for item in found if isinstance(item, AlarmOn) and item.kind == "spo2.low.stop"]
    assert stops == [START_MS + 35_000]


def test_more_than_five_seconds_in_the_future_is_unusable_and_alarmed() -> None:
    """'More than 5 s in the future: unusable and alarmed.'"""
    ahead = replace(received(MONITOR, 1, usable(HR, [(0.0, 70.0), (5.0, 70.0), (6.0, 39.0)])), sent_ms=START_MS)
    state, facts = SessionState(str(uuid4())), Facts(default_limits())
    found = list(session_log.apply(state, ahead, facts) or ())
    assert raised(found) == {"device.clock_ahead": MEDIUM}
    assert state.metrics["hr"].last_ms == START_MS + 5000
    assert state.log_ms == START_MS + 5000
    good = replace(received(MONITOR, 2, usable(HR, [(7.0, 71.0)])), sent_ms=START_MS + 7000)
    assert [type(item) for item in session_log.apply(state, good, facts) or ()] == [AlarmOff]
