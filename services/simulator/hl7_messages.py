"""PCD-01 messages (IHE PCD Technical Framework volume 2; HL7 v2.6 ORU^R01) as a monitor writes them, and the two published ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Final

from chassis.values import decimal_text
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.hl7_header import MONITOR_MDS, Sender, device_rows, hl7_time, opening, written
from simulator.recording import Sample

PUBLISHED: Final = ("pcd01-monitor.hl7", "pcd01-nibp-episodic.hl7")


@dataclass(frozen=True)
class _Metric:
    """REFID, place in the containment tree (MDS.VMD.CHAN.METRIC), unit code and its REFID."""

    name: str
    place: str
    unit: str


_MMHG: Final = "266016^MDC_DIM_MMHG^MDC"
_BEAT: Final = "264864^MDC_DIM_BEAT_PER_MIN^MDC"
_BREATH: Final = "264928^MDC_DIM_RESP_PER_MIN^MDC"
_PERCENT: Final = "262688^MDC_DIM_PERCENT^MDC"
_METRICS: Final = {
    150021: _Metric("MDC_PRESS_BLD_NONINV_SYS", "1.1.1.1", _MMHG),
    150022: _Metric("MDC_PRESS_BLD_NONINV_DIA", "1.1.1.2", _MMHG),
    150023: _Metric("MDC_PRESS_BLD_NONINV_MEAN", "1.1.1.3", _MMHG),
    147842: _Metric("MDC_ECG_HEART_RATE", "1.2.1.1", _BEAT),
    151562: _Metric("MDC_RESP_RATE", "1.2.1.2", _BREATH),
    150456: _Metric("MDC_PULS_OXIM_SAT_O2", "1.3.1.1", _PERCENT),
    149530: _Metric("MDC_PULS_OXIM_PULS_RATE", "1.3.1.2", _BEAT),
}


def published(name: str) -> bytes:
    """One of PUBLISHED, byte for byte."""
    return resources.files("simulator").joinpath("messages", name).read_bytes()


def pcd01(equipment_id: str, control_id: str, at: datetime, samples: Sequence[Sample]) -> bytes:
    """One report of a monitor at one moment (aware). The patient is not named: the device is, in OBX-18.

    Channels that a bedside monitor does not report over HL7 here (the arterial line) are left out.
    """
    sender = Sender(equipment_id, MONITOR_MDS)
    lines = [*opening("pcd01", sender, control_id, at), *device_rows(sender)]
    known = sorted(
        (sample for sample in samples if sample.channel in _METRICS), key=lambda one: _METRICS[one.channel].place
    )
    lines += [_observation(number, sample, hl7_time(at), equipment_id) for number, sample in enumerate(known, 2)]
    return written(lines)


def _observation(number: int, sample: Sample, time: str, equipment_id: str) -> str:
    metric = _METRICS[sample.channel]
    usable = sample.quality == types.SAMPLE_QUALITY_USABLE
    value, status = (decimal_text(sample.value), "R") if usable else ("", "X")
    code = f"{sample.channel}^{metric.name}^MDC"
    return f"OBX|{number}|NM|{code}|{metric.place}|{value}|{metric.unit}|||||{status}|||{time}||||{equipment_id}^^{equipment_id}^EUI-64"
