"""Recordings are replayed as they are: nothing smoothed, no gap filled, no zero taken for a value."""

import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.frames import Timed
from simulator.monitor import Monitor, Playback, held
from simulator.recording import PERIOD_S, Recording, Sample, read_recording

BEGAN = datetime(2026, 7, 14, 14, tzinfo=UTC)
HR, CUFF_SYSTOLIC = 147842, 150021
USABLE, UNUSABLE, HELD = (
    types.SAMPLE_QUALITY_USABLE,
    types.SAMPLE_QUALITY_UNUSABLE,
    types.SAMPLE_QUALITY_HELD,
)


@pytest.fixture(scope="module")
def published() -> Recording:
    return read_recording()


def of(recording: Recording, row: int) -> dict[int, Sample]:
    return {sample.channel: sample for sample in recording.rows[row][1]}


def test_the_published_recording_is_whole(published: Recording) -> None:
    assert len(published) == 1936
    assert published.rows[0][0] == 0
    assert published.rows[-1][0] == 1935


def test_values_are_decimals_zero_is_unusable_and_an_empty_cell_is_no_sample(published: Recording) -> None:
    first, second = of(published, 0), of(published, 1)
    assert (first[HR].value, first[HR].quality) == (Decimal(0), UNUSABLE)
    assert (second[HR].value, second[HR].quality) == (Decimal("62.8"), USABLE)
    assert CUFF_SYSTOLIC not in first


def test_the_breaches_that_are_known_of_this_recording_are_in_it(published: Recording) -> None:
    """Published counts: no SpO2 below 90 but invalid ones, one heart rate below 40, two systolic pressures of 160 and more."""
    samples = [(minute, sample) for minute, row in published.rows for sample in row if sample.quality == USABLE]
    assert [minute for minute, one in samples if one.channel == HR and one.value < 40] == [1389]
    assert [minute for minute, one in samples if one.channel == CUFF_SYSTOLIC and one.value >= 160] == [172, 1043]
    assert not [minute for minute, one in samples if one.channel == 150456 and one.value < 90]


def test_the_cuff_has_a_period_of_its_own(published: Recording) -> None:
    assert published.cuff_period_s == 600


def test_a_window_goes_round_the_end(published: Recording) -> None:
    rows = list(published.window(0.9999, 3))
    assert rows == [published.rows[1935][1], published.rows[0][1], published.rows[1][1]]


def test_playback_gives_each_minute_once_and_never_ahead_of_time(published: Recording) -> None:
    playback = Playback(published, BEGAN, 0.1, 10)
    first = playback.until(BEGAN + timedelta(minutes=2, seconds=59))
    assert {timed.at for timed in first} == {BEGAN + timedelta(minutes=minute) for minute in range(3)}
    assert playback.until(BEGAN + timedelta(minutes=2, seconds=59)) == []
    assert {timed.at for timed in playback.until(BEGAN + timedelta(minutes=3))} == {BEGAN + timedelta(minutes=3)}
    with pytest.raises(ValueError, match="too short"):
        playback.until(BEGAN + timedelta(minutes=10))


def test_frames_of_the_cuff_stand_between_those_of_the_other_channels_in_the_order_of_time() -> None:
    def taken(minute: int, channel: int) -> Timed:
        return Timed(BEGAN + timedelta(minutes=minute), Sample(channel, Decimal(70), USABLE))

    monitor = Monitor("a0000000-0000-4000-8000-000000000001", cuff_period_s=600)
    samples = [taken(0, HR), taken(1, HR), taken(1, CUFF_SYSTOLIC), taken(2, HR)]
    frames = list(monitor.frames(samples))
    assert [frame.sequence for frame in frames] == [1, 2, 3]
    assert [frame.declared_period_ms for frame in frames] == [60_000, 600_000, 60_000]
    assert [len(frame.quality) for frame in frames] == [2, 1, 1]


def test_columns_are_little_endian_millionths() -> None:
    monitor = Monitor("a0000000-0000-4000-8000-000000000001")
    samples = [
        Timed(BEGAN + timedelta(minutes=1), Sample(HR, Decimal(0), UNUSABLE)),
        Timed(BEGAN, Sample(HR, Decimal("62.8"), USABLE)),
    ]
    (frame,) = monitor.frames(samples)
    assert frame.first_sample_at.ToDatetime(tzinfo=UTC) == BEGAN
    assert struct.unpack("<2I", frame.delta_ms) == (0, 60_000)
    assert struct.unpack("<2I", frame.channel) == (HR, HR)
    assert struct.unpack("<2q", frame.value_e6) == (62_800_000, 0)
    assert list(frame.quality) == [USABLE, UNUSABLE]


def test_held_values_are_marked_and_only_the_first_is_a_measurement() -> None:
    rows = [
        (BEGAN, (Sample(HR, Decimal(60), USABLE),)),
        (BEGAN + timedelta(minutes=1), (Sample(HR, Decimal(0), UNUSABLE),)),
    ]
    samples = held(rows)
    assert len(samples) == 2 * PERIOD_S
    assert [timed.at - BEGAN for timed in samples] == [timedelta(seconds=second) for second in range(120)]
    qualities = [timed.sample.quality for timed in samples]
    assert qualities == [USABLE] + [HELD] * 59 + [UNUSABLE] * 60
    assert {timed.sample.value for timed in samples[:60]} == {Decimal(60)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "line 1"),
        ("minute,HR,Mood\n0,60,3\n", "line 1"),
        ("minute,HR\n0,60\n1\n", "line 3"),
        ("minute,HR\n0,sixty\n", "line 2: must hold decimal"),
        ("minute,HR\n0,-4\n", "line 2: must hold numbers of at least 0"),
        ("minute,HR\n0,NaN\n", "line 2"),
        ("minute,HR\n", "at least one row"),
    ],
)
def test_a_bad_file_is_refused_by_line_and_rule(tmp_path: Path, text: str, rule: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=rule):
        read_recording(file)
