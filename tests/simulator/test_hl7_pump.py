"""A simulated pump over HL7 says in messages what its frames say; alerts have the form of the profile. Read by another parser."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import hl7
import pytest
from hl7apy.parser import parse_message

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.hl7_alert import OCCLUSION, Alert, monitor_alert, pump_alert
from simulator.hl7_messages import pcd01
from simulator.hl7_pump import Hl7PumpStream
from simulator.mllp_link import MllpLink
from simulator.pump import Programme, Pump
from simulator.recording import Sample

BEGAN = datetime(2026, 7, 14, 14, tzinfo=UTC)
PROGRAMME = Programme("ketamine", Decimal(1), Decimal(60), Decimal(40))


class Link:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def kinds(self) -> list[str]:
        """PCD-01, or the event of a PCD-10, of what was sent since the last look."""
        found = []
        for message in self.sent:
            parsed = hl7.parse(message.decode())
            events = [str(row[5]) for row in parsed.segments("OBX") if "MDC_ATTR_EVT_COND" in str(row[3])]
            trigger = str(parsed.segment("MSH")[9]).split("^")[1]
            assert (trigger == "R42") == bool(events)
            found.append(events[0].split("^")[1].removeprefix("MDC_EVT_PUMP_") if events else "report")
        self.sent.clear()
        return found


@pytest.fixture
def bench() -> tuple[Pump, Hl7PumpStream, Link]:
    link = Link()
    pump = Pump("a0000000-0000-4000-8000-000000000001")
    return pump, Hl7PumpStream(cast(MllpLink, link), "080019FFFE3ED0AA"), link


def after(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def test_a_day_of_a_pump_in_messages(bench: tuple[Pump, Hl7PumpStream, Link]) -> None:
    """Rate change while running = STOP(transitioning) + START(new rate); the vein kept open = COMP(transitioning) + START."""
    pump, stream, link = bench

    def tell() -> list[str]:
        stream.send(pump.frame())
        return link.kinds()

    pump.program(PROGRAMME, BEGAN, clear_counter=True)
    assert tell() == ["VOL_COUNTERS_CLEARED", "report"]
    pump.start(after(1))
    assert tell() == ["DELIV_START"]
    pump.advance(after(5))
    assert tell() == ["report"]
    pump.pause(after(6))
    assert tell() == ["DELIV_STOP"]
    pump.start(after(7))
    assert tell() == ["DELIV_START"]
    changed = pump.frame()
    changed.pump_report.rate_ml_per_h = "70"
    stream.send(changed)
    assert link.kinds() == ["DELIV_STOP", "DELIV_START"]
    stream.send(pump.frame())
    link.kinds()
    pump.keep_vein_open(after(47))
    assert tell() == ["DELIV_COMP", "DELIV_START"]
    pump.complete(after(50))
    assert tell() == ["DELIV_COMP"]


def test_an_abort_clears_the_programme(bench: tuple[Pump, Hl7PumpStream, Link]) -> None:
    pump, stream, link = bench
    pump.program(PROGRAMME, BEGAN)
    pump.start(after(1))
    stream.send(pump.frame())
    link.sent.clear()
    pump.pause(after(2), "stopped")
    stream.send(pump.frame())
    assert link.kinds() == ["DELIV_STOP", "PROG_CLEARED"]


def test_the_frame_carries_the_number_of_its_report(bench: tuple[Pump, Hl7PumpStream, Link]) -> None:
    """A report over PCD-01 becomes two frames of the network, an event one."""
    pump, stream, _ = bench
    pump.program(PROGRAMME, BEGAN)
    frames = [pump.frame()]
    stream.send(frames[0])
    pump.start(after(1))
    frames.append(pump.frame())
    stream.send(frames[1])
    assert [frame.sequence for frame in frames] == [2, 3]


def messages() -> list[bytes]:
    link = Link()
    pump = Pump("a0000000-0000-4000-8000-000000000001")
    stream = Hl7PumpStream(cast(MllpLink, link), "080019FFFE3ED0AA")
    pump.program(PROGRAMME, BEGAN)
    stream.send(pump.frame())
    pump.start(after(1))
    stream.send(pump.frame())
    alerts = [
        pump_alert("080019FFFE3ED0AA", "A1", BEGAN, Alert(OCCLUSION)),
        monitor_alert("0600dc750001", "A2", BEGAN, Alert(OCCLUSION, "end", "inactive")),
    ]
    return [
        *link.sent,
        *alerts,
        pcd01("0600dc750001", "C1", BEGAN, [Sample(147842, Decimal(60), types.SAMPLE_QUALITY_USABLE)]),
    ]


@pytest.mark.parametrize("message", messages())
def test_an_independent_parser_reads_every_message(message: bytes) -> None:
    """hl7apy knows HL7 v2.6: segments, fields and their types."""
    parsed = parse_message(message.decode(), find_groups=False)
    assert parsed.msh.msh_12.value == "2.6"
    places = [row.obx_4.value for row in parsed.children if row.name == "OBX"]
    assert len(set(places)) == len(places)
    assert [row.obx_1.value for row in parsed.children if row.name == "OBX"] == [
        str(n) for n in range(1, len(places) + 1)
    ]
    assert "Doe" not in message.decode()
