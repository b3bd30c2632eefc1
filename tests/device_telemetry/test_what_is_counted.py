"""What the api counts of devices: frames, samples, what was refused and why; each alarm by its priority."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from chassis import metrics
from chassis.database import Database
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.quarantine import keep_aside
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.test_frame_log import an_infusion
from tests.device_telemetry.ward import Ward


def value_of(name: str, **labels: str) -> float:
    """A sample of our registry; 0 where it has not been counted yet."""
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


class _Producer:
    def send(self, *_arguments: object, **_more: object) -> object:
        return object()


@pytest.mark.parametrize("protocol", ["frame", "hl7"])
def test_frames_and_samples_are_counted_by_protocol(protocol: str) -> None:
    """One frame of three samples counts one and three, under what it came by."""
    frames, samples = (value_of(f"saguaro_{name}_total", protocol=protocol) for name in ("frames", "samples"))
    frame = types.Frame(device_id=str(uuid4()), sequence=1, quality=b"\x01\x01\x02")
    FrameLog(_Producer).append("log", frame, frame.SerializeToString(), protocol)
    assert value_of("saguaro_frames_total", protocol=protocol) == frames + 1
    assert value_of("saguaro_samples_total", protocol=protocol) == samples + 3


def test_a_refusal_counts_under_its_field_alone(database_of: Callable[..., Database]) -> None:
    """The label is the field; the words of the rule are kept with the content."""
    before = value_of("saguaro_refused_total", protocol="frame", reason="device_id")
    keep_aside(database_of("device_telemetry"), "frame", "unknown", "device_id: must be a registered device", b"\xff")
    assert value_of("saguaro_refused_total", protocol="frame", reason="device_id") == before + 1


def test_alarms_are_counted_by_priority(ward: Ward) -> None:
    """As many as were raised, each under the priority that its event has."""
    names = {types.ALARM_PRIORITY_LOW: "low", types.ALARM_PRIORITY_MEDIUM: "medium", types.ALARM_PRIORITY_HIGH: "high"}
    before = {name: value_of("saguaro_alarms_total", priority=name) for name in names.values()}
    ward.read(*an_infusion(ward))
    raised = [names[event.priority] for event in ward.harness.events(events.AlarmRaised)]
    assert raised
    for name, count in before.items():
        assert value_of("saguaro_alarms_total", priority=name) == count + raised.count(name)
