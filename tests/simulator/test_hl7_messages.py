"""Messages of the simulated monitor are PCD-01 reports that name the device and nobody else."""

from datetime import UTC, datetime
from decimal import Decimal

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.hl7_messages import pcd01
from simulator.recording import Sample

AT = datetime(2026, 7, 14, 14, 5, tzinfo=UTC)
USABLE, UNUSABLE = types.SAMPLE_QUALITY_USABLE, types.SAMPLE_QUALITY_UNUSABLE


def segments(*samples: Sample) -> list[list[str]]:
    message = pcd01("080019FFFE3ED02D", "C1", AT, samples)
    assert message.endswith(b"\r")
    return [line.split("|") for line in message.decode().rstrip("\r").split("\r")]


def observations(*samples: Sample) -> list[list[str]]:
    return [fields for fields in segments(*samples) if fields[0] == "OBX" and fields[2] == "NM"]


def test_the_order_of_segments_and_the_profile() -> None:
    found = segments(Sample(147842, Decimal("62.8"), USABLE))
    assert [fields[0] for fields in found] == ["MSH", "PID", "PV1", "OBR", "OBX", "OBX"]
    header = found[0]
    assert (header[8], header[9], header[11], header[14]) == ("ORU^R01^ORU_R01", "C1", "2.6", "AL")
    assert header[6] == "20260714140500+0000"
    assert header[20].endswith("1.3.6.1.4.1.19376.1.6.1.1.1^ISO")


def test_a_value_has_its_unit_its_time_and_its_device() -> None:
    (fields,) = observations(Sample(147842, Decimal("62.8"), USABLE))
    assert fields[3] == "147842^MDC_ECG_HEART_RATE^MDC"
    assert (fields[5], fields[6], fields[11]) == ("62.8", "264864^MDC_DIM_BEAT_PER_MIN^MDC", "R")
    assert (fields[14], fields[18]) == ("20260714140500+0000", "080019FFFE3ED02D^^080019FFFE3ED02D^EUI-64")


def test_what_the_sensor_did_not_give_is_sent_as_no_value() -> None:
    (fields,) = observations(Sample(150456, Decimal(0), UNUSABLE))
    assert (fields[5], fields[11]) == ("", "X")


def test_observations_stand_in_the_order_of_the_containment_tree() -> None:
    samples = [Sample(channel, Decimal(1), USABLE) for channel in (149530, 147842, 150021, 150456, 150037)]
    assert [fields[4] for fields in observations(*samples)] == ["1.1.1.1", "1.2.1.1", "1.3.1.1", "1.3.1.2"]


def test_nobody_is_named() -> None:
    patient = segments()[1]
    assert patient == ["PID", "", "", "^^^^MR"]
