"""Durations, silence and the published recording, each by the line that it comes from; and the alarms that users of other systems miss."""

import itertools

import pytest

from device_telemetry.domain import codes, session_log
from device_telemetry.domain.findings import AlarmOff, AlarmOn, Finding
from device_telemetry.domain.session_log import Facts, ReceivedFrame
from device_telemetry.domain.session_state import SessionState
from tests.device_telemetry.frames_by_hand import (
    MONITOR,
    PUMP,
    START_MS,
    Sample,
    default_limits,
    received,
    recording,
    usable,
)

HR, SPO2, SBP = codes.HEART_RATE, codes.OXYGEN_SATURATION, codes.CUFF_SYSTOLIC
MEDIUM, HIGH = 2, 3
FACTS = Facts(default_limits())


def run(*frames: ReceivedFrame) -> tuple[SessionState, list[Finding]]:
    """State and findings of the default policy."""
    state = SessionState("one")
    return state, [found for frame in frames for found in session_log.apply(state, frame, FACTS) or ()]


def raised(*frames: ReceivedFrame) -> dict[str, tuple[float, int]]:
    """Kind -> seconds after the start at which it was measured, and its priority."""
    return {
        item.kind: ((item.measured_ms - START_MS) / 1000, item.priority)
        for item in run(*frames)[1]
        if isinstance(item, AlarmOn)
    }


def one(samples: list[Sample], period_s: float = 1.0) -> ReceivedFrame:
    """A frame of the monitor."""
    return received(MONITOR, 1, samples, period_s=period_s)


def minutes_in_breach(kind: str) -> list[int]:
    """Minutes of the recording whose samples, each judged by itself, break the limit."""
    return [minute for minute, samples in recording() if kind in raised(one(samples, period_s=60.0))]


def test_the_whole_recording_has_no_sample_of_spo2_below_90() -> None:
    """Whole recording s00001 with the default limits, samples in breach: SpO2 <90: 0;"""
    assert len(list(recording())) > 1389
    assert minutes_in_breach("spo2.low.stop") == []


def test_the_whole_recording_has_one_sample_of_hr_below_40() -> None:
    """HR <40: 1 (minute 1389);"""
    assert minutes_in_breach("hr.low.stop") == [1389]


def test_the_whole_recording_has_two_samples_of_sbp_from_160() -> None:
    """SBP >=160: 2 (minutes 172, 1043);"""
    assert minutes_in_breach("sbp.high.caution") == [172, 1043]


def test_the_whole_recording_has_thirty_samples_of_rr_below_8() -> None:
    """RR <8: 30."""
    assert len(minutes_in_breach("rr.low.stop")) == 30


@pytest.mark.parametrize("lasts_s", [29, 30])
def test_low_saturation_is_a_caution_after_thirty_seconds(lasts_s: int) -> None:
    """<92 for >=30 s"""
    low = usable(SPO2, [(float(at), 91.0) for at in range(lasts_s + 1)])
    assert raised(one(low)) == ({"spo2.low.caution": (30.0, MEDIUM)} if lasts_s == 30 else {})


@pytest.mark.parametrize("lasts_s", [14, 15])
def test_very_low_saturation_is_a_stop_after_fifteen_seconds(lasts_s: int) -> None:
    """<90 for >=15 s"""
    low = usable(SPO2, [(float(at), 89.0) for at in range(lasts_s + 1)])
    assert raised(one(low)) == ({"spo2.low.stop": (15.0, HIGH)} if lasts_s == 15 else {})


def test_high_pressure_is_a_stop_when_it_is_confirmed_or_very_high() -> None:
    """>=180/110 confirmed by repeat <=5 min, or >=200/120 once, or symptoms"""
    assert "sbp.high.repeated.stop" not in raised(one(usable(SBP, [(0.0, 180.0)]), 300.0))
    assert raised(one(usable(SBP, [(0.0, 180.0), (300.0, 180.0)]), 300.0))["sbp.high.repeated.stop"] == (300.0, HIGH)
    assert "sbp.high.repeated.stop" not in raised(one(usable(SBP, [(0.0, 180.0), (301.0, 180.0)]), 300.0))
    assert raised(one(usable(SBP, [(0.0, 200.0)]), 300.0))["sbp.high.stop"] == (0.0, HIGH)


def test_a_sustained_condition_needs_every_sample() -> None:
    """A sustained condition needs every fresh sample over its length; a feed slower than the length is judged per sample."""
    low = [(float(at), 89.0) for at in range(20)]
    assert "spo2.low.stop" in raised(one(usable(SPO2, low)))
    for better in range(5, 15):
        broken = [(at, 90.0 if at == better else value) for at, value in low]
        assert "spo2.low.stop" not in raised(one(usable(SPO2, broken)))
    assert raised(one(usable(SPO2, [(0.0, 89.0)]), period_s=16.0))["spo2.low.stop"] == (0.0, HIGH)
    assert raised(one(usable(SPO2, [(0.0, 89.0)]), period_s=15.0)) == {}


def test_both_silent_asks_for_a_pause() -> None:
    """both silent 60 s -> HIGH alarm that asks for a pause"""
    first = one(usable(HR, [(0.0, 70.0)]) + usable(SPO2, [(0.0, 97.0)]))
    assert "hr_spo2.silent" not in raised(first, received(PUMP, 1, at_s=60.0))
    assert raised(first, received(PUMP, 1, at_s=60.001))["hr_spo2.silent"] == (0.0, HIGH)
    # One of the two that speaks is enough against this one.
    speaks = received(MONITOR, 2, usable(SPO2, [(float(at), 97.0) for at in range(1, 62)]))
    assert "hr_spo2.silent" not in raised(first, speaks)


@pytest.mark.parametrize(("period_s", "bound_s"), [(1.0, 30.0), (7.0, 30.0), (8.0, 31.0), (60.0, 135.0)])
def test_silence_is_judged_by_the_larger_of_policy_and_feed(period_s: float, bound_s: float) -> None:
    """Every silence limit is max(policy, 2 x the feed's declared period + 15 s), by measurement time, on the session's clock."""
    first = one(usable(HR, [(0.0, 70.0)]), period_s=period_s)
    assert "hr.silent" not in raised(first, received(PUMP, 1, at_s=bound_s))
    assert "hr.silent" in raised(first, received(PUMP, 1, at_s=bound_s + 0.001))


def test_only_the_cuff_is_silent() -> None:
    """drop only NIBP; alarm in N s"""
    first = one(usable(HR, [(0.0, 70.0)]) + usable(SPO2, [(0.0, 97.0)]) + usable(SBP, [(0.0, 120.0)]))
    goes_on = [
        received(MONITOR, 2 + at, usable(HR, [(float(at), 70.0)]) + usable(SPO2, [(float(at), 97.0)]))
        for at in range(1, 362)
    ]
    assert raised(first, *goes_on[:360]) == {}
    assert raised(first, *goes_on) == {"nibp.silent": (0.0, MEDIUM)}


def test_timeout_and_data_in_the_same_millisecond() -> None:
    """interleave timeout/data at same ms"""
    first = one(usable(HR, [(0.0, 70.0)]) + usable(SPO2, [(0.0, 97.0)]))
    for moment_s in (30.0, 30.001, 60.001):
        at_that_moment = (
            received(MONITOR, 2, usable(HR, [(moment_s, 71.0)])),
            received(MONITOR, 3, usable(SPO2, [(moment_s, 97.0)])),
            received(PUMP, 1, at_s=moment_s),
        )
        ends = set()
        for order in itertools.permutations(at_that_moment):
            state, found = run(first, *order)
            on = [item.alarm_id for item in found if isinstance(item, AlarmOn)]
            off = [item.alarm_id for item in found if isinstance(item, AlarmOff)]
            assert sorted(on) == sorted(off), "whatever was raised is cleared once"
            assert not state.active
            ends.add((state.log_ms, state.metrics["hr"].last_ms, state.metrics["spo2"].last_ms))
        assert len(ends) == 1
        assert (raised(first, *at_that_moment) == {}) is (moment_s == 30.0)


def test_a_gap_in_a_sustained_condition_starts_it_again() -> None:
    """gap inside a sustained-condition window"""
    before, after = [(float(at), 89.0) for at in range(8)], [(float(at), 89.0) for at in range(12, 27)]
    assert "spo2.low.stop" not in raised(one(usable(SPO2, [*before, *after])))
    assert raised(one(usable(SPO2, [*before, *after, (27.0, 89.0)])))["spo2.low.stop"] == (27.0, HIGH)


def test_an_alarm_has_two_times() -> None:
    """alarm carries measurement time AND detection time; ordered by measurement time"""
    late = received(MONITOR, 2, usable(HR, [(1800.0, 39.0)]), period_s=1.0)
    _, found = run(received(PUMP, 1, at_s=7200.0), late)
    on = [item for item in found if isinstance(item, AlarmOn) and item.kind == "hr.low.stop"]
    assert [(item.measured_ms - START_MS, item.detected_ms - START_MS) for item in on] == [(1_800_000, 7_200_000)]
