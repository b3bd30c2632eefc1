"""From the contract's Frame to what the rules take."""

from decimal import Decimal

from chassis.errors import InvalidArgument
from chassis.values import decimal_of
from device_telemetry.domain import columns
from device_telemetry.domain.programme import Programme
from device_telemetry.domain.pump_report import Report
from device_telemetry.domain.session_log import ReceivedFrame
from saguaro.device_telemetry.v1 import types_pb2 as types

TOPIC = "saguaro.device_telemetry.frame"
TYPE = types.Frame.DESCRIPTOR.full_name
# Machine time at which the api took the frame, RFC 3339.
RECEIVED_HEADER = "ce_recordedtime"


def first_ms_of(frame: types.Frame) -> int:
    """Time of the first sample, milliseconds since 1970."""
    return frame.first_sample_at.seconds * 1000 + frame.first_sample_at.nanos // 1_000_000


def end_ms_of(frame: types.Frame) -> int:
    """Time of the last sample, or of the first where there is none."""
    last = frame.delta_ms[-4:]
    return first_ms_of(frame) + (int.from_bytes(last, "little") if last else 0)


def received_frame(frame: types.Frame) -> ReceivedFrame:
    """The frame as the rules see it. InvalidArgument when a number of its report is none."""
    end_ms = end_ms_of(frame)
    return ReceivedFrame(
        device_id=frame.device_id,
        sequence=frame.sequence,
        period_ms=frame.declared_period_ms,
        end_ms=end_ms,
        columns=columns.read(first_ms_of(frame), frame.delta_ms, frame.channel, frame.value_e6, frame.quality)
        if frame.quality
        else None,
        report=_report(frame.pump_report, end_ms) if frame.HasField("pump_report") else None,
        sent_ms=frame.sent_at.ToMilliseconds() if frame.HasField("sent_at") else None,
    )


def programme_of_report(report: types.PumpReport) -> Programme:
    """The programme that a pump echoes."""
    return Programme(
        report.drug_code,
        amount_of(report.concentration_mg_per_ml, "pump_report.concentration_mg_per_ml"),
        amount_of(report.rate_ml_per_h, "pump_report.rate_ml_per_h"),
        amount_of(report.vtbi_ml, "pump_report.vtbi_ml"),
    )


def _report(report: types.PumpReport, at_ms: int) -> Report:
    total_ml = amount_of(report.delivered_total_ml, "pump_report.delivered_total_ml")
    return Report(
        at_ms=at_ms,
        programme=programme_of_report(report),
        infusing=report.infusing,
        total_ml=total_ml or Decimal(0),
        total_known=total_ml is not None,
        segment_ml=amount_of(report.delivered_segment_ml, "pump_report.delivered_segment_ml"),
        counter_cleared=report.counter_cleared,
        keep_vein_open=report.keep_vein_open,
        not_delivering_reason=report.not_delivering_reason,
        reservoir_ml=amount_of(report.reservoir_ml, "pump_report.reservoir_ml"),
        battery_left_min=amount_of(report.battery_left_min, "pump_report.battery_left_min"),
        current_rate_ml_per_h=_current_rate(report),
    )


def _current_rate(report: types.PumpReport) -> Decimal | None:
    """None also for a text that is no number, which an earlier release let into the log; the api refuses it."""
    try:
        return amount_of(report.current_rate_ml_per_h, "pump_report.current_rate_ml_per_h")
    except InvalidArgument:
        return None


def amount_of(text: str, field: str) -> Decimal | None:
    """The decimal in `text`; None where it is empty. InvalidArgument names the field."""
    return decimal_of(text, field) if text else None
