"""A recording of a bedside monitor, one row a minute, as it was published: nothing is smoothed, no gap is filled."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Final

from saguaro.device_telemetry.v1 import types_pb2 as types

# The period at which the published recording was taken.
PERIOD_S: Final = 60

# Column of the file -> MDC code (ISO/IEEE 11073-10101): heart rate, arterial line, pulse, respiration, oxygen saturation, cuff.
CHANNELS: Final = {
    "HR": 147842,
    "ABPSys": 150037,
    "ABPDias": 150038,
    "ABPMean": 150039,
    "PULSE": 149530,
    "RESP": 151562,
    "SpO2": 150456,
    "NBPSys": 150021,
    "NBPDias": 150022,
    "NBPMean": 150023,
}
# What a frame can hold, and how long a recording may be: nineteen years.
_LARGEST: Final = 1_000_000
_MINUTE_DIGITS: Final = 7
# Measured when the cuff is inflated, not every minute: a feed with a period of its own.
CUFF: Final = frozenset({150021, 150022, 150023})


@dataclass(frozen=True)
class Sample:
    """One value of one channel. `quality` is a SampleQuality; the value of an unusable sample is 0."""

    channel: int
    value: Decimal
    quality: int


class Recording:
    """Rows in the order of their minutes."""

    def __init__(self, rows: Sequence[tuple[int, tuple[Sample, ...]]]) -> None:
        if not rows:
            raise ValueError("recording: must hold at least one row")
        self.rows = tuple(rows)
        self.cuff_period_s = _cuff_period_s(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def window(self, at: float, minutes: int) -> Iterator[tuple[Sample, ...]]:
        """`minutes` rows from the place `at` (0 to 1) of the recording on; past its end it begins again."""
        first = int(at * len(self.rows)) % len(self.rows)
        for step in range(minutes):
            yield self.rows[(first + step) % len(self.rows)][1]


def _cuff_period_s(rows: Sequence[tuple[int, tuple[Sample, ...]]]) -> int:
    """How often the cuff was inflated: the most common time between two readings, in seconds; never below that of the rows."""
    minutes = [minute for minute, row in rows if any(sample.channel in CUFF and sample.value for sample in row)]
    gaps = Counter(later - earlier for earlier, later in pairwise(minutes))
    return max(gaps.most_common(1)[0][0] * 60, PERIOD_S) if gaps else PERIOD_S


def read_recording(path: Path | None = None) -> Recording:
    """Reads a file of that format; without a path the published one. ValueError names line and rule.

    A byte order mark, any end of line and empty lines are no difference; minutes may be missing, but must rise.
    """
    file = resources.files("simulator").joinpath("recordings/mimic2-s00001.csv") if path is None else path
    content = file.read_bytes()
    lines = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    rows = [(number, _cells(line, number)) for number, line in enumerate(lines, 1) if line.strip()]
    header = rows[0][1] if rows else []
    names = header[1:]
    if header[:1] != ["minute"] or not names or len(set(names)) < len(names) or not set(names) <= CHANNELS.keys():
        line = rows[0][0] if rows else 1
        raise ValueError(f"line {line}: must name minute and columns out of {', '.join(CHANNELS)}, each once")
    codes = [CHANNELS[name] for name in names]
    found: list[tuple[int, tuple[Sample, ...]]] = []
    for number, cells in rows[1:]:
        row = _row(cells, codes, number)
        if found and row[0] <= found[-1][0]:
            raise ValueError(f"line {number}: minutes must rise")
        found.append(row)
    return Recording(found)


def _cells(line: bytes, number: int) -> list[str]:
    try:
        return [cell.strip() for cell in line.decode("ascii").split(",")]
    except UnicodeDecodeError:
        raise ValueError(f"line {number}: must be plain ASCII text") from None


def _row(cells: list[str], codes: list[int], line: int) -> tuple[int, tuple[Sample, ...]]:
    if len(cells) != len(codes) + 1 or not cells[0].isdigit() or len(cells[0]) > _MINUTE_DIGITS:
        raise ValueError(f"line {line}: must hold a whole minute and {len(codes)} values")
    samples = [_sample(code, text, line) for code, text in zip(codes, cells[1:], strict=True) if text]
    return int(cells[0]), tuple(samples)


def _sample(code: int, text: str, line: int) -> Sample:
    """An empty cell is no sample; 0 is a sensor that gave nothing valid."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"line {line}: must hold decimal numbers") from None
    if not value.is_finite() or value < 0:
        raise ValueError(f"line {line}: must hold numbers of at least 0")
    if value >= _LARGEST or value != round(value, 6):
        raise ValueError(f"line {line}: must hold numbers below {_LARGEST} with at most six decimals")
    return Sample(code, value, types.SAMPLE_QUALITY_USABLE if value > 0 else types.SAMPLE_QUALITY_UNUSABLE)
