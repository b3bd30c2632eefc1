"""The cheap look at a frame before it becomes part of the log: header, and columns whose lengths agree."""

import re
from typing import Final

from google.protobuf.message import DecodeError

from chassis.errors import InvalidArgument, SaguaroError
from device_telemetry.domain import columns
from device_telemetry.frames.decode import amount_of, received_frame
from saguaro.device_telemetry.v1 import types_pb2 as types

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Times outside are a broken clock, and beyond what PostgreSQL and Python share.
_FIRST_SECOND: Final = 0
_LAST_SECOND: Final = 253_402_300_799
# Numbers of a report that `received_frame` does not look at, or takes for unsaid.
_OF_ECHOES: Final = ("weight_kg", "dose_rate", "vtbi_remaining_ml", "current_rate_ml_per_h")


def checked(raw: bytes) -> types.Frame:
    """The frame in `raw`. InvalidArgument names field and rule;"""
    frame = types.Frame()
    try:
        frame.ParseFromString(raw)
    except DecodeError:
        raise InvalidArgument("frame", "must be a saguaro.device_telemetry.v1.Frame") from None
    # The contract's own rules, by hand: this runs for each frame, and the general validator takes longer than the rest together.
    if not _UUID.fullmatch(frame.device_id):
        raise InvalidArgument("device_id", "must be a UUID in lower case")
    if not frame.HasField("first_sample_at") or not _FIRST_SECOND < frame.first_sample_at.seconds <= _LAST_SECOND:
        raise InvalidArgument("first_sample_at", "must be a time after 1970")
    if frame.declared_period_ms == 0:
        raise InvalidArgument("declared_period_ms", "must be at least 1")
    rule = columns.broken_rule(frame.delta_ms, frame.channel, frame.value_e6, frame.quality)
    if rule is not None:
        field, _, text = rule.partition(": ")
        raise InvalidArgument(field, text)
    if frame.sequence == 0 or frame.sequence >= 2**63:
        raise InvalidArgument("sequence", "must be from 1 to 2^63 - 1")
    if not frame.quality and not frame.HasField("pump_report"):
        raise InvalidArgument("quality", "must hold a sample where there is no pump report")
    if frame.HasField("pump_report"):
        # Its decimals are the only numbers that may not be numbers.
        received_frame(frame)
        for name in _OF_ECHOES:
            amount_of(getattr(frame.pump_report, name), f"pump_report.{name}")
    return frame


def rule_of(error: SaguaroError) -> str:
    """Field and rule as one text, without a value."""
    findings = error.findings or ()
    if findings:
        return f"{findings[0].field}: {findings[0].rule}"
    return f"{error.field}: {error.rule}"
