"""The columns of a frame, and the cheap look at one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from device_telemetry.domain import codes, columns
from device_telemetry.domain.sequences import Sequences
from device_telemetry.frames.check import checked, rule_of
from device_telemetry.frames.decode import end_ms_of
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import MONITOR, frame, pump_report, usable

SAMPLE = st.tuples(
    st.integers(10**12, 10**12 + 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 3),
)


@given(st.lists(SAMPLE, min_size=1, max_size=300))
def test_what_is_written_is_read(samples: list[tuple[int, int, int, int]]) -> None:
    first, *written = columns.write(samples)
    assert columns.broken_rule(*written) is None
    read = columns.read(first, *written)
    found = zip(read.at_ms.tolist(), read.channel.tolist(), read.value_e6.tolist(), read.quality.tolist(), strict=True)
    assert list(found) == sorted(samples, key=lambda sample: sample[0])


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=16))
def test_any_bytes_are_read_or_refused(delta: bytes, channel: bytes, value: bytes, quality: bytes) -> None:
    rule = columns.broken_rule(delta, channel, value, quality)
    agree = len(delta) == len(channel) == 4 * len(quality) and len(value) == 8 * len(quality)
    if rule is None:
        assert agree
        assert len(columns.read(0, delta, channel, value, quality).at_ms) == len(quality)
    elif not agree:
        assert "bytes a sample" in rule


@given(st.lists(st.integers(1, 40), max_size=80))
def test_each_number_is_taken_once(numbers: list[int]) -> None:
    state = Sequences()
    taken = [number for number in numbers if state.take(number)]
    assert sorted(taken) == sorted(set(numbers))


def good() -> types.Frame:
    return frame(MONITOR, 1, usable(codes.HEART_RATE, [(0.0, 70.0), (1.5, 71.0)]))


def test_a_good_frame_passes_and_ends_with_its_last_sample() -> None:
    made = good()
    assert checked(made.SerializeToString()) == made
    assert end_ms_of(made) - made.first_sample_at.ToMilliseconds() == 1500


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("delta_ms", b"\0" * 7, "delta_ms: must hold 4 bytes a sample"),
        ("channel", b"", "channel: must hold 4 bytes a sample"),
        ("value_e6", b"\0" * 15, "value_e6: must hold 8 bytes a sample"),
        ("delta_ms", b"\2\0\0\0\1\0\0\0", "delta_ms: must never fall"),
        ("quality", b"\0\1", "quality: must be a known sample quality"),
        ("quality", b"\1\4", "quality: must be a known sample quality"),
        ("device_id", "somebody", "device_id: must be a UUID in lower case"),
        ("sequence", 0, "sequence: must be from 1 to 2^63 - 1"),
        ("declared_period_ms", 0, "declared_period_ms: must be at least 1"),
    ],
)
def test_a_bad_frame_is_refused_by_field_and_rule(field: str, value: object, rule: str) -> None:
    made = good()
    setattr(made, field, value)
    with pytest.raises(InvalidArgument) as refused:
        checked(made.SerializeToString())
    assert rule_of(refused.value) == rule


def test_torn_bytes_and_bad_numbers_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="frame"):
        checked(b"\xff\xff")
    made = frame(MONITOR, 1, report=pump_report("ten"))
    with pytest.raises(InvalidArgument, match=r"pump_report\.delivered_total_ml"):
        checked(made.SerializeToString())
    with pytest.raises(InvalidArgument, match="quality"):
        checked(frame(MONITOR, 1).SerializeToString())
