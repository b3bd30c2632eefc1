"""docs/devices.md is true: each of its messages is sent as it stands, and answered as the page says."""

import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from device_telemetry.domain.mdc_units import Quantity, dose_rate_unit, in_house_unit
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.receive_hl7 import Receiver
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import MONITOR
from tests.device_telemetry.kafka_by_hand import Broker
from tests.device_telemetry.ward import Ward

PAGE = (Path(__file__).parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```hl7\n(.*?)```\n\n```answer\n(.*?)```", PAGE, re.S)
HL7_PUMP = UUID(int=0xB7)


def test_every_transaction_has_an_example() -> None:
    assert {message.split("|")[8] for message, _ in EXAMPLES} == {
        "ORU^R01^ORU_R01",
        "ORU^R40^ORU_R40",
        "ORU^R42^ORU_R01",
    }
    assert PAGE.count("```hl7") == len(EXAMPLES)


def test_each_example_is_answered_as_the_page_says(ward: Ward) -> None:
    ward.register(HL7_PUMP, types.DEVICE_KIND_PUMP, "0099990000000077")
    for device_id in (MONITOR, HL7_PUMP):
        ward.attach(device_id)
    receiver = Receiver(ward.database, Directory(ward.database), FrameLog(Broker().factory))
    for message, expected in EXAMPLES:
        (answer,) = receiver.receive(message.replace("\n", "\r").encode())
        lines = [line for line in answer.decode().split("\r") if not line.startswith("MSH")]
        assert lines == [*expected.splitlines(), ""]
    (alarm,) = ward.rows("SELECT kind_code, priority FROM alarm")
    assert (alarm.kind_code, alarm.priority) == ("device.line_occluded", 2)


QUANTITIES = {
    "pressures": Quantity.PRESSURE,
    "heart rate, pulse": Quantity.BEATS,
    "respiration": Quantity.BREATHS,
    "saturation": Quantity.FRACTION,
    "flow": Quantity.FLOW,
    "volume": Quantity.VOLUME,
    "concentration": Quantity.CONCENTRATION,
    "weight": Quantity.WEIGHT,
}


@pytest.mark.parametrize("metric", [*QUANTITIES, "dose rate (not converted)"])
def test_each_unit_of_the_page_is_known(metric: str) -> None:
    (units,) = re.findall(rf"^\| {re.escape(metric)} \| (.*) \|$", PAGE, re.M)
    for unit in units.split(", "):
        quantity = QUANTITIES.get(metric)
        known = dose_rate_unit([unit]) if quantity is None else in_house_unit(Decimal(1), [unit], quantity)
        assert known is not None
