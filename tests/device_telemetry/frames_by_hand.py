"""Frames, recordings and policies for tests, made by hand."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from device_telemetry.domain import codes, columns
from device_telemetry.domain.policy import Limit, Policy, PumpPolicy, Side, SilenceLimit, Step
from device_telemetry.domain.programme import Programme
from device_telemetry.domain.pump_report import Report
from device_telemetry.domain.session_log import ReceivedFrame
from device_telemetry.migrations import default_policy, default_policy_0002, default_policy_0004
from saguaro.device_telemetry.v1 import types_pb2 as types

START = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
START_MS = int(START.timestamp()) * 1000
PUMP = UUID(int=0xB1)
MONITOR = UUID(int=0xB2)
RECORDING = Path(__file__).parents[2] / "services" / "simulator" / "recordings" / "mimic2-s00001.csv"
MESSAGES = Path(__file__).parents[2] / "services" / "simulator" / "messages"

CHANNELS = {
    "HR": codes.HEART_RATE,
    "SpO2": codes.OXYGEN_SATURATION,
    "RESP": codes.RESPIRATION_RATE,
    "NBPSys": codes.CUFF_SYSTOLIC,
    "NBPDias": codes.CUFF_DIASTOLIC,
    "NBPMean": codes.CUFF_MEAN,
}

Sample = tuple[float, int, float, int]


def default_limits() -> Policy:
    """The limits that the network ships with, from the same rows as the migration."""
    return Policy(
        limits=tuple(
            Limit(kind, metric, Side(side), bound * 1_000_000, inclusive, priority, lasts * 1000, again * 1000)
            for kind, metric, side, bound, inclusive, priority, lasts, again in default_policy._LIMITS
        )
        + tuple(
            Limit(kind, metric, Side(side), percent * 1_000_000, True, priority, percent_e6=percent * 1_000_000)
            for kind, metric, side, percent, priority in default_policy_0002.RELATIVE_LIMITS
        ),
        silences=tuple(
            SilenceLimit(kind, tuple(metrics.split(",")), after * 1000, priority, required)
            for kind, metrics, after, priority, required in default_policy._SILENCES
        ),
        feed_slack_ms=15_000,
        clock_tolerance_ms=5_000,
        pump=default_pump(),
        escalations=tuple(
            (
                priority,
                tuple(
                    Step(after * 1000, who)
                    for each, _, after, who in default_policy_0002.ESCALATIONS
                    if each == priority
                ),
            )
            for priority in (1, 2, 3)
        ),
        latching_priority=int(_number("latching_priority")),
        pump_silence=SilenceLimit(
            default_policy_0002.PUMP_SILENCE[0],
            ("pump",),
            default_policy_0002.PUMP_SILENCE[1] * 1000,
            default_policy_0002.PUMP_SILENCE[2],
            True,
        ),
    )


def default_pump() -> PumpPolicy:
    """What a pump is judged by, from the same rows as the migration."""
    return PumpPolicy(
        discrepancy_percent=_number("discrepancy_percent"),
        discrepancy_ml=_number("discrepancy_volume"),
        flow_percent=_number("flow_tolerance_percent"),
        flow_ml=_number("flow_tolerance_volume"),
        flow_stretch_ms=int(_number("flow_stretch") * 1000),
        flow_window_ms=int(_number("flow_window") * 1000),
        reservoir_low_ml=_number("reservoir_low"),
        reservoir_empty_ml=_number("reservoir_empty"),
        battery_low_min=_number("battery_low"),
        free_flow_ml=_number("free_flow_volume"),
        no_flow_ml=_number("no_flow_volume"),
    )


def _number(code: str) -> Decimal:
    numbers = (*default_policy_0002.NUMBERS, *default_policy_0004.NUMBERS)
    return next(Decimal(value) for name, value, *_ in numbers if name == code)


def frame(
    device: UUID, sequence: int, samples: Sequence[Sample] = (), *, period_s: float = 1.0, report: types.PumpReport | None = None,
    at_s: float = 0.0,
) -> types.Frame:  # fmt: skip
    """A frame of (seconds after START, channel, value, quality)."""
    made = types.Frame(device_id=str(device), sequence=sequence, declared_period_ms=int(period_s * 1000))
    first = START_MS + int(at_s * 1000)
    if samples:
        first, made.delta_ms, made.channel, made.value_e6, made.quality = columns.write(
            [
                (START_MS + round(at * 1000), channel, round(value * 1e6), quality)
                for at, channel, value, quality in samples
            ]
        )
    made.first_sample_at.FromMilliseconds(first)
    if report is not None:
        made.pump_report.CopyFrom(report)
    return made


def received(
    device: UUID, sequence: int, samples: Sequence[Sample] = (), *, period_s: float = 1.0, at_s: float = 0.0,
    report: Report | None = None,
) -> ReceivedFrame:  # fmt: skip
    """The same as the rules see it."""
    at = [(START_MS + round(sample[0] * 1000), sample[1], round(sample[2] * 1e6), sample[3]) for sample in samples]
    read = columns.read(*columns.write(at)) if at else None
    end = int(read.at_ms[-1]) if read is not None else START_MS + int(at_s * 1000)
    return ReceivedFrame(str(device), sequence, int(period_s * 1000), end, read, report)


def recording() -> Iterator[tuple[int, list[Sample]]]:
    """Minute by minute: the samples of the recording; 0 is marked unusable, an empty field is no sample."""
    with RECORDING.open() as file:
        for row in csv.DictReader(file):
            minute = int(row["minute"])
            samples = [
                (minute * 60.0, channel, float(row[name]), codes.USABLE if float(row[name]) else codes.UNUSABLE)
                for name, channel in CHANNELS.items()
                if row[name] != ""
            ]
            yield minute, samples


def programme(rate: str = "60.0", vtbi: str = "40.0", concentration: str = "1", drug: str = "ketamine") -> Programme:
    """A programme: 40 mL at 60 mL/h unless said otherwise."""
    return Programme(drug, Decimal(concentration), Decimal(rate), Decimal(vtbi))


def report(at_s: float, total: str, infusing: bool = True, **more: Any) -> Report:
    """A pump's report, seconds after START."""
    return Report(START_MS + int(at_s * 1000), more.pop("programme", programme()), infusing, Decimal(total), **more)


def pump_report(total: str, infusing: bool = True, **more: Any) -> types.PumpReport:
    """The same as the contract writes it."""
    made = {"drug_code": "ketamine", "concentration_mg_per_ml": "1", "rate_ml_per_h": "60.0", "vtbi_ml": "40.0", **more}
    return types.PumpReport(
        infusing=infusing, delivered_total_ml=total, current_rate_ml_per_h="60.0" if infusing else "0", **made
    )


def usable(metric: int, pairs: Iterable[tuple[float, float]]) -> list[Sample]:
    """Usable samples of one channel."""
    return [(at, metric, value, codes.USABLE) for at, value in pairs]


HR_LOW = usable(codes.HEART_RATE, [(0.0, 39.0)])
