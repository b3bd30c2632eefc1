"""Limits, freshness and attachments of state to the ordered log: vectors, the published recording, and properties."""

import json
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_telemetry.domain import codes, session_log
from device_telemetry.domain.findings import AlarmOff, AlarmOn, Finding, Gap
from device_telemetry.domain.session_log import Facts, ReceivedFrame
from device_telemetry.domain.session_state import SessionState, from_json, to_json
from tests.device_telemetry.frames_by_hand import (
    CHANNELS,
    MONITOR,
    PUMP,
    START_MS,
    Sample,
    default_limits,
    received,
    recording,
    usable,
)

FACTS = Facts(default_limits())
SPO2 = codes.OXYGEN_SATURATION
HR = codes.HEART_RATE


def run(frames: list[ReceivedFrame], facts: Facts = FACTS) -> list[Finding]:
    """Every finding of the frames, in order."""
    state = SessionState(str(uuid4()))
    return [finding for frame in frames for finding in session_log.apply(state, frame, facts) or ()]


def raised(found: list[Finding], kind: str) -> list[float]:
    """Seconds after the start at which alarms of a kind were measured."""
    return [(item.measured_ms - START_MS) / 1000 for item in found if isinstance(item, AlarmOn) and item.kind == kind]


def kinds_of(found: list[Finding]) -> list[str]:
    return [item.kind for item in found if isinstance(item, AlarmOn)]


def one_frame(samples: list[Sample], period_s: float = 1.0) -> list[Finding]:
    return run([received(MONITOR, 1, samples, period_s=period_s)])


def samples_in_breach(kind: str) -> list[int]:
    """Minutes of the recording whose sample alone, judged per sample, breaks the limit."""
    minutes = []
    for minute, samples in recording():
        found = run([received(MONITOR, 1, samples, period_s=60.0)])
        if kind in kinds_of(found):
            minutes.append(minute)
    return minutes


def test_the_recording_has_the_published_number_of_samples_in_breach() -> None:
    assert samples_in_breach("spo2.low.stop") == []
    assert samples_in_breach("hr.low.stop") == [1389]
    assert samples_in_breach("sbp.high.caution") == [172, 1043]
    assert len(samples_in_breach("rr.low.stop")) == 30


def test_the_recording_as_one_log_raises_once_for_each_entry() -> None:
    frames = [received(MONITOR, minute + 1, samples, period_s=60.0) for minute, samples in recording() if samples]
    found = run(frames)
    assert raised(found, "hr.low.stop") == [1389 * 60]
    assert raised(found, "sbp.high.caution") == [172 * 60, 1043 * 60]
    # 74 to 77, 295 to 296 are runs of neighbouring minutes: one alarm each.
    assert len(raised(found, "rr.low.stop")) == 30 - 3 - 1
    on = [item.alarm_id for item in found if isinstance(item, AlarmOn)]
    off = [item.alarm_id for item in found if isinstance(item, AlarmOff)]
    assert len(set(on)) == len(on)
    assert len(set(off)) == len(off)
    assert set(off) <= set(on)


def test_a_sustained_limit_needs_every_fresh_sample_over_its_length() -> None:
    low = [(float(second), 89.0) for second in range(15)]
    assert kinds_of(one_frame(usable(SPO2, low))) == []
    assert raised(one_frame(usable(SPO2, [*low, (15.0, 89.0)])), "spo2.low.stop") == [15.0]
    interrupted = [(at, 97.0 if at == 8 else 89.0) for at, _ in [*low, (15.0, 0.0)]]
    assert kinds_of(one_frame(usable(SPO2, interrupted))) == []


def test_a_feed_slower_than_the_length_is_judged_per_sample() -> None:
    assert raised(one_frame(usable(SPO2, [(0.0, 89.0)]), period_s=60.0), "spo2.low.stop") == [0.0]


def test_a_gap_breaks_a_run() -> None:
    low = [(float(second), 89.0) for second in [*range(8), *range(12, 25)]]
    assert raised(one_frame(usable(SPO2, low)), "spo2.low.stop") == []
    assert raised(one_frame(usable(SPO2, [*low, *[(float(at), 89.0) for at in range(25, 28)]])), "spo2.low.stop") == [
        27.0
    ]


def test_high_pressure_is_stop_when_repeated_within_five_minutes_or_very_high_once() -> None:
    sbp = codes.CUFF_SYSTOLIC
    assert "sbp.high.repeated.stop" not in kinds_of(one_frame(usable(sbp, [(0, 185)]), 300.0))
    assert raised(one_frame(usable(sbp, [(0, 185), (300, 182)]), 300.0), "sbp.high.repeated.stop") == [300.0]
    assert raised(one_frame(usable(sbp, [(0, 185), (301, 182)]), 300.0), "sbp.high.repeated.stop") == []
    assert raised(one_frame(usable(sbp, [(0, 200)]), 300.0), "sbp.high.stop") == [0.0]


@pytest.mark.parametrize("quality", [codes.UNUSABLE, codes.HELD])
def test_unusable_and_held_values_raise_and_clear_nothing(quality: int) -> None:
    assert one_frame([(0.0, HR, 30.0, quality)]) == []
    found = one_frame([(0.0, HR, 30.0, codes.USABLE), (1.0, HR, 70.0, quality)])
    assert kinds_of(found) == ["hr.low.caution", "hr.low.stop"]
    assert not [item for item in found if isinstance(item, AlarmOff)]


def test_zero_is_no_value() -> None:
    assert one_frame([(0.0, HR, 0.0, codes.USABLE)]) == []


def test_an_alarm_is_cleared_once_by_a_fresh_value_inside_the_limit() -> None:
    found = one_frame(usable(HR, [(0, 39), (1, 38), (2, 70), (3, 71)]))
    off = [item for item in found if isinstance(item, AlarmOff)]
    assert kinds_of(found) == ["hr.low.caution", "hr.low.stop"]
    assert {item.at_ms for item in off} == {START_MS + 2000}
    assert len(off) == 2


def test_a_metric_is_silent_when_the_log_goes_on_without_it() -> None:
    first = received(MONITOR, 1, usable(HR, [(0, 70)]) + usable(SPO2, [(0, 97)]))
    later = received(MONITOR, 2, usable(SPO2, [(float(at), 97) for at in range(1, 31)]))
    past = received(MONITOR, 3, usable(SPO2, [(31, 97)]))
    assert run([first, later]) == []
    found = run([first, later, past])
    assert kinds_of(found) == ["hr.silent"]
    assert [item.channel for item in found if isinstance(item, Gap)] == [HR]
    back = received(MONITOR, 4, usable(HR, [(32, 70)]))
    assert [item.at_ms for item in run([first, later, past, back]) if isinstance(item, AlarmOff)] == [START_MS + 32_000]


def test_both_silent_for_a_minute_is_high() -> None:
    first = received(MONITOR, 1, usable(HR, [(0, 70)]) + usable(SPO2, [(0, 97)]))
    found = run([first, received(PUMP, 1, at_s=61.0)])
    assert set(kinds_of(found)) == {"hr.silent", "spo2.silent", "hr_spo2.silent"}
    assert [item.priority for item in found if isinstance(item, AlarmOn) and item.kind == "hr_spo2.silent"] == [3]


def test_a_slow_feed_is_silent_later() -> None:
    first = received(MONITOR, 1, usable(HR, [(0, 70)]), period_s=60.0)
    assert run([first, received(PUMP, 1, at_s=135.0)]) == []
    assert "hr.silent" in kinds_of(run([first, received(PUMP, 1, at_s=135.1)]))


def test_a_gap_inside_the_feed_itself_is_found_and_over() -> None:
    found = run([received(MONITOR, 1, usable(HR, [(0, 70)])), received(MONITOR, 2, usable(HR, [(100, 70)]))])
    assert kinds_of(found) == ["hr.silent", "hr_spo2.silent"]
    assert {item.at_ms for item in found if isinstance(item, AlarmOff)} == {START_MS + 100_000}


def test_after_the_monitor_was_taken_off_nothing_is_silent() -> None:
    off = Facts(default_limits(), monitor_off_ms=START_MS + 10_000)
    first = received(MONITOR, 1, usable(HR, [(0, 70)]))
    assert run([first, received(PUMP, 1, at_s=900.0)], off) == []


def test_an_older_sample_changes_nothing() -> None:
    newer = received(MONITOR, 1, usable(HR, [(10, 70)]))
    assert run([newer, received(MONITOR, 2, usable(HR, [(5, 30)]))]) == []


VALUES = st.sampled_from([0.0, 30.0, 45.0, 70.0, 89.0, 91.0, 97.0, 125.0, 135.0, 185.0, 210.0])
SAMPLES = st.tuples(
    st.integers(0, 40), st.sampled_from(sorted(CHANNELS.values())), VALUES, st.sampled_from([1, 1, 1, 2, 3])
)
LOGS = st.lists(
    st.tuples(st.integers(0, 90), st.lists(SAMPLES, min_size=1, max_size=12), st.sampled_from([1.0, 60.0])),
    min_size=1,
    max_size=12,
)


def log_of(steps: list[tuple[int, list[tuple[int, int, float, int]], float]]) -> list[ReceivedFrame]:
    """A log of frames, each a little after the one before."""
    frames, now = [], 0.0
    for number, (wait, samples, period) in enumerate(steps, start=1):
        now += wait
        at = [(now + offset, channel, value, quality) for offset, channel, value, quality in samples]
        frames.append(received(MONITOR, number, at, period_s=period))
    return frames


@settings(max_examples=150, deadline=None)
@given(LOGS, st.data())
def test_repeats_and_restarts_change_no_alarm(
    steps: list[tuple[int, list[Sample], float]], data: st.DataObject
) -> None:
    frames = log_of(steps)  # type: ignore[arg-type]
    plain = SessionState("one")
    expected = [finding for frame in frames for finding in session_log.apply(plain, frame, FACTS) or ()]
    state = SessionState("one")
    found: list[Finding] = []
    for index, item in enumerate(frames):
        found += session_log.apply(state, item, FACTS) or ()
        if data.draw(st.booleans()):
            assert session_log.apply(state, frames[data.draw(st.integers(0, index))], FACTS) is None
        if data.draw(st.booleans()):
            state = from_json(json.loads(to_json(state)))
    assert found == expected
    assert json.loads(to_json(state)) == json.loads(to_json(plain))


@settings(max_examples=150, deadline=None)
@given(LOGS)
def test_alarms_alternate_between_on_and_off(steps: list[tuple[int, list[Sample], float]]) -> None:
    on: dict[str, str] = {}
    for finding in run(log_of(steps)):  # type: ignore[arg-type]
        if isinstance(finding, AlarmOn):
            assert finding.kind not in on
            on[finding.kind] = finding.alarm_id
        elif isinstance(finding, AlarmOff):
            kind = next(kind for kind, alarm_id in on.items() if alarm_id == finding.alarm_id)
            del on[kind]
