"""Any recording of the same format is read or refused by line and rule, and every sample of it can be sent."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.devices import samples_of
from simulator.hl7_messages import pcd01
from simulator.monitor import Monitor
from simulator.recording import CHANNELS, Recording, read_recording

BEGAN = datetime(2026, 7, 14, 14, tzinfo=UTC)
CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "",
            "0",
            "0.0",
            "62.8",
            "120",
            "-1",
            "1e3",
            "1e9",
            "NaN",
            "inf",
            "0.1234567",
            "sixty",
            " 70 ",
            "٣",
            "²",
            "\x00",
        ]
    ),
    st.decimals(0, 300, places=2).map(str),
)


@st.composite
def recordings(draw: st.DrawFn) -> bytes:
    """Gaps, blanks, zeros, any end of line, a byte order mark, wrong columns, wrong numbers."""
    columns = draw(st.lists(st.sampled_from([*CHANNELS, "Mood"]), min_size=1, max_size=4))
    rows = [["minute", *columns]]
    minute = draw(st.integers(0, 5))
    for _ in range(draw(st.integers(0, 6))):
        rows.append([str(minute), *(draw(CELLS) for _ in columns)])
        minute += draw(st.sampled_from([1, 1, 1, 1, 3, 60, 0, -1]))
    if draw(st.booleans()):
        del rows[draw(st.integers(0, len(rows) - 1))][0]
    lines = [",".join(row) for row in rows]
    for _ in range(draw(st.integers(0, 2))):
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(["", " ", "\x1c", "1,2,3,4,5,6"])))
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe"])) + text.encode()


def sent(recording: Recording) -> int:
    """How many samples leave the monitor in frames and could leave it in messages."""
    samples = samples_of(recording, BEGAN)
    for at in {timed.at for timed in samples}:
        assert pcd01("M1", "C1", at, [timed.sample for timed in samples if timed.at == at])
    monitor = Monitor("a0000000-0000-4000-8000-000000000001", cuff_period_s=recording.cuff_period_s)
    return sum(len(frame.quality) for frame in monitor.frames(samples))


def taken_or_refused(file: Path) -> tuple[Recording | None, str]:
    """The recording, or why there is none."""
    try:
        return read_recording(file), ""
    except ValueError as refused:
        return None, str(refused)


@given(st.one_of(recordings(), st.binary(max_size=80)))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_recording_is_read_or_refused_and_nothing_of_it_is_lost(tmp_path: Path, content: bytes) -> None:
    """taken or refused with the reason, nothing lost, no crash."""
    file = tmp_path / "any.csv"
    file.write_bytes(content)
    recording, reason = taken_or_refused(file)
    if recording is None:
        assert reason.startswith(("line ", "recording: "))
        return
    written = _values(content)
    read = [sample for _, row in recording.rows for sample in row]
    assert len(read) == len(written) == sent(recording)
    usable = [sample for sample in read if sample.quality == types.SAMPLE_QUALITY_USABLE]
    assert [sample.value for sample in usable] == [value for value in written if value > 0]


def _values(content: bytes) -> Sequence[Decimal]:
    """Every cell that holds something, counted by other means than the reader's."""
    lines = [line for line in content.decode("utf-8-sig").replace("\r", "\n").split("\n") if line.strip()]
    return [Decimal(cell) for line in lines[1:] for cell in line.split(",")[1:] if cell.strip()]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("minute,HR,HR\n0,1,2\n", "line 1: must name minute and columns"),
        ("minute,HR\n1,60\n1,61\n", "line 3: minutes must rise"),
        ("minute,HR\n2,60\n\n1,61\n", "line 4: minutes must rise"),
        ("minute,HR\n0,0.1234567\n", "line 2: must hold numbers below 1000000 with at most six decimals"),
        ("minute,HR\n0,1e9\n", "line 2: must hold numbers below 1000000"),
        ("minute,HR\n0,60\u00b0\n", "line 2: must be plain ASCII text"),
        ("minute,HR\n99999999,60\n", "line 2: must hold a whole minute"),
    ],
)
def test_refused_by_line_and_rule(tmp_path: Path, text: str, rule: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rule):
        read_recording(file)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_marks_ends_of_lines_and_gaps_are_no_difference(tmp_path: Path, end: bytes) -> None:
    file = tmp_path / "odd.csv"
    file.write_bytes(b"\xef\xbb\xbf" + end.join([b"minute,HR,SpO2", b"0,60,", b"", b"7, 0 ,97", b""]))
    assert [minute for minute, _ in read_recording(file).rows] == [0, 7]
