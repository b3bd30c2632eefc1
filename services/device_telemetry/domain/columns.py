"""The columns of a frame: many samples of one device as byte strings, little-endian, read with numpy.

delta_ms is uint32 (milliseconds since the first sample, never falling), channel uint32 (MDC), value_e6 int64 (value times a
million), quality uint8. Column n of each belongs to sample n.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_telemetry.domain.codes import HELD, USABLE

Milliseconds = NDArray[np.int64]

_DELTA = np.dtype("<u4")
_CHANNEL = np.dtype("<u4")
_VALUE = np.dtype("<i8")
_QUALITY = np.dtype("u1")
MAX_SAMPLES = 4096


@dataclass(frozen=True)
class Columns:
    """Samples with their measurement times, milliseconds since 1970 in UTC."""

    at_ms: Milliseconds
    channel: NDArray[np.uint32]
    value_e6: NDArray[np.int64]
    quality: NDArray[np.uint8]


def broken_rule(delta_ms: bytes, channel: bytes, value_e6: bytes, quality: bytes) -> str | None:
    """Field and rule that the columns break, or None. Looks at lengths, at the order of times and at the qualities."""
    samples = len(quality)
    if samples > MAX_SAMPLES:
        return f"quality: must hold at most {MAX_SAMPLES} samples"
    if len(delta_ms) != 4 * samples:
        return "delta_ms: must hold 4 bytes a sample"
    if len(channel) != 4 * samples:
        return "channel: must hold 4 bytes a sample"
    if len(value_e6) != 8 * samples:
        return "value_e6: must hold 8 bytes a sample"
    if samples == 0:
        return None
    deltas = np.frombuffer(delta_ms, _DELTA)
    if bool((deltas[1:] < deltas[:-1]).any()):
        return "delta_ms: must never fall"
    qualities = np.frombuffer(quality, _QUALITY)
    if int(qualities.min()) < USABLE or int(qualities.max()) > HELD:
        return "quality: must be a known sample quality"
    return None


def read(first_ms: int, delta_ms: bytes, channel: bytes, value_e6: bytes, quality: bytes) -> Columns:
    """The samples of columns that break no rule."""
    return Columns(
        at_ms=np.frombuffer(delta_ms, _DELTA).astype(np.int64) + first_ms,
        channel=np.frombuffer(channel, _CHANNEL),
        value_e6=np.frombuffer(value_e6, _VALUE),
        quality=np.frombuffer(quality, _QUALITY),
    )


def write(samples: Sequence[tuple[int, int, int, int]]) -> tuple[int, bytes, bytes, bytes, bytes]:
    """First time and columns of (at_ms, channel, value_e6, quality), put into the order of time. ValueError when there is none."""
    if not samples:
        raise ValueError("a frame of columns needs a sample")
    ordered = sorted(samples, key=lambda sample: sample[0])
    first = ordered[0][0]
    return (
        first,
        np.array([sample[0] - first for sample in ordered], _DELTA).tobytes(),
        np.array([sample[1] for sample in ordered], _CHANNEL).tobytes(),
        np.array([sample[2] for sample in ordered], _VALUE).tobytes(),
        np.array([sample[3] for sample in ordered], _QUALITY).tobytes(),
    )
