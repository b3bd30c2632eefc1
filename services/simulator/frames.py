"""Frames as devices send them: many samples in columns, little-endian, values in millionths."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.recording import Sample

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Timed:
    """A sample and when it was taken (aware)."""

    at: datetime
    sample: Sample


def frame(
    device_id: str,
    sequence: int,
    period_ms: int,
    samples: Sequence[Timed],
    *,
    report: types.PumpReport | None = None,
    report_at: datetime | None = None,
) -> types.Frame:
    """One frame. Samples in any order; a report holds for the time of the last of them, or for `report_at` where there is none.

    ValueError when there is neither a sample nor a time of a report, or a value with more than six decimals.
    """
    ordered = sorted(samples, key=lambda timed: timed.at)
    first = ordered[0].at if ordered else report_at
    if first is None:
        raise ValueError("a frame needs a sample or the time of a report")
    deltas = [round((timed.at - first).total_seconds() * 1000) for timed in ordered]
    count = len(ordered)
    return types.Frame(
        device_id=device_id,
        sequence=sequence,
        first_sample_at=to_timestamp(first),
        declared_period_ms=period_ms,
        delta_ms=struct.pack(f"<{count}I", *deltas),
        channel=struct.pack(f"<{count}I", *(timed.sample.channel for timed in ordered)),
        value_e6=struct.pack(f"<{count}q", *(millionths(timed.sample.value) for timed in ordered)),
        quality=bytes(timed.sample.quality for timed in ordered),
        pump_report=report,
    )


def millionths(value: Decimal) -> int:
    """A value as the column holds it. ValueError when it has more than six decimals: it must not be rounded unseen."""
    scaled = value * _MILLION
    if scaled != int(scaled):
        raise ValueError("a value must have at most six decimals")
    return int(scaled)
