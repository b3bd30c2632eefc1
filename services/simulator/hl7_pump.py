"""A pump on HL7 in the place of one on the frame stream: each of its frames becomes the messages that such a pump would send.

`Hl7PumpStream` has the same `send` as a `FrameStream`, so that a bedside takes either as the stream of its pump.
"""

from datetime import UTC, timedelta
from decimal import Decimal
from itertools import count
from typing import Final

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator import hl7_pump_messages as messages
from simulator.hl7_pump_messages import Said, pump_message
from simulator.mllp_link import MllpLink
from simulator.pump import KEEP_VEIN_OPEN_ML_PER_H

# How many frames the network makes of a PCD-01 report of a pump: its samples, and the report itself.
_FRAMES_OF_A_REPORT: Final = 2


class Hl7PumpStream:
    """One pump on its MLLP connection; not to be shared between threads. `last_sequence` is the network's number of its last frame."""

    def __init__(self, link: MllpLink, equipment_id: str, last_sequence: int = 0) -> None:
        self._link, self._equipment_id = link, equipment_id
        self.last_sequence = last_sequence
        self.frames = 0
        self._numbers = count(1)
        self._before: types.PumpReport | None = None

    def send(self, frame: types.Frame) -> None:
        """Returns once every message is acknowledged; the frame then carries the number that the network gave its report."""
        at = frame.first_sample_at.ToDatetime(tzinfo=UTC)
        if frame.delta_ms:
            at += timedelta(milliseconds=int.from_bytes(frame.delta_ms[-4:], "little"))
        for said in messages_of(frame.pump_report, self._before):
            control_id = f"{self._equipment_id[-8:]}{int(at.timestamp() * 1000):d}.{next(self._numbers)}"
            self._link.send(pump_message(self._equipment_id, control_id, at, said))
            self.last_sequence += 1 if said.event else _FRAMES_OF_A_REPORT
        self._before = frame.pump_report
        frame.sequence = self.last_sequence
        self.frames += 1


def messages_of(now: types.PumpReport, before: types.PumpReport | None) -> list[Said]:
    """What a pump sends when it goes from one report to the next: events where something happened, else a periodic report."""
    flow = _flow(now)
    found: list[Said] = []
    if now.counter_cleared:
        found.append(Said(now, flow, messages.COUNTERS_CLEARED))
    ran = before is not None and before.infusing
    if before is not None and ran and now.infusing and _runs_as(before) != _runs_as(now):
        # A change while running, or the vein kept open behind the end: one segment ends, another begins.
        ended = types.PumpReport()
        ended.CopyFrom(before)
        ended.delivered_total_ml = now.delivered_total_ml
        over = now.keep_vein_open and not before.keep_vein_open
        found.append(Said(ended, _flow(before), messages.COMPLETE if over else messages.STOP, transitioning=True))
        found.append(Said(now, flow, messages.START))
    elif now.infusing and not ran:
        found.append(Said(now, flow, messages.START))
    elif ran and not now.infusing:
        completed = now.not_delivering_reason == "completed"
        found.append(Said(now, flow, messages.COMPLETE if completed else messages.STOP))
        if now.not_delivering_reason == "stopped":
            found.append(Said(now, flow, messages.PROGRAM_CLEARED))
    else:
        found.append(Said(now, flow))
    return found


def _runs_as(report: types.PumpReport) -> tuple[str, str, bool]:
    return report.rate_ml_per_h, report.vtbi_ml, report.keep_vein_open


def _flow(report: types.PumpReport) -> str:
    if not report.infusing:
        return "0"
    return format(KEEP_VEIN_OPEN_ML_PER_H, "f") if report.keep_vein_open else report.rate_ml_per_h or str(Decimal(0))
