"""Free flow, no flow, and reports that contradict themselves: told at the report that shows it, whatever the pump says of itself."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest

from device_telemetry.domain import session_log
from device_telemetry.domain.alarm_kinds import FREE_FLOW, HIGH, MEDIUM, NO_FLOW, REPORT_CONTRADICTS
from device_telemetry.domain.findings import AlarmOff, AlarmOn, Finding
from device_telemetry.domain.pump_report import Authorisation
from device_telemetry.domain.session_log import ReceivedFrame
from device_telemetry.domain.session_state import SessionState
from device_telemetry.frames.decode import received_frame
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.receive_hl7 import Receiver
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.hl7_pump import Hl7PumpStream
from simulator.mllp_link import MllpLink
from simulator.pump import Programme, Pump
from tests.device_telemetry.frames_by_hand import PUMP, START, START_MS, frame, programme, pump_report, received, report
from tests.device_telemetry.hl7_by_hand import ML_PER_H, PUMP_ID, message, pump_rows, row
from tests.device_telemetry.kafka_by_hand import Broker
from tests.device_telemetry.test_volumes import FACTS, SECOND, run
from tests.device_telemetry.ward import Ward

HL7_PUMP = UUID(int=0xB7)
PUMP_EUI = "080019FFFE3ED0AA"
RESUME = Authorisation("order", str(PUMP), START_MS + 890_000, programme(), True, "nurse", "line.cleared")


def course(*said: tuple[float, str, str], pump: UUID = PUMP, first: int = 1, **more: Any) -> list[ReceivedFrame]:
    """Reports of (second, counter, "" while it infuses, "kvo", or why it stands)."""
    made = []
    for at, total, why in said:
        open_vein = why == "kvo"
        made.append(
            report(at, total, not why or open_vein, keep_vein_open=open_vein, not_delivering_reason="" if open_vein else why, **more)
        )  # fmt: skip
    return [
        received(pump, number, at_s=(item.at_ms - START_MS) / 1000, period_s=10.0, report=item)
        for number, item in enumerate(made, start=first)
    ]


def raised(found: list[Finding]) -> list[tuple[str, int, int]]:
    """Kind, priority, seconds after the start."""
    return [(one.kind, one.priority, (one.measured_ms - START_MS) // 1000) for one in found if isinstance(one, AlarmOn)]


def free_flow_at(second: int) -> tuple[str, int, int]:
    return (FREE_FLOW.code, HIGH, second)


BEFORE = [(-30, "40", "stopped"), (-20, "40.5", "stopped")]
IN_A_PAUSE = [(-5, "40", "stopped"), (0, "40", ""), (600, "50", "paused"), (610, "50.5", "paused")]
AFTER_THE_END = [(-5, "40", "stopped"), (0, "40", ""), (2400, "80", "completed"), (2410, "80.5", "completed")]


@pytest.mark.parametrize(
    ("said", "second"), [(BEFORE, -20), (IN_A_PAUSE, 610), (AFTER_THE_END, 2410)], ids=["before", "paused", "ended"]
)
def test_free_flow_is_high_within_one_frame(said: list[tuple[float, str, str]], second: int) -> None:
    """'free flow or no flow: immediately'"""
    assert free_flow_at(second) in raised(run(course(*said))[1])
    assert FREE_FLOW.code not in [kind for kind, *_ in raised(run(course(*said[:-1]))[1])]


def test_free_flow_before_any_authorisation_is_high() -> None:
    """Nothing has to be ordered for it: the pump is attached to the session."""
    assert raised(run(course(*BEFORE), replace(FACTS, authorisation=None))[1]) == [free_flow_at(-20)]


@pytest.mark.parametrize(
    ("said", "delivered"),
    [
        ([*BEFORE, (0, "40.5", ""), (600, "50.5", "paused")], "10.5"),
        ([*IN_A_PAUSE, (900, "50.5", "")], "10.5"),
        (AFTER_THE_END, "40.5"),
    ],
    ids=["before", "paused", "ended"],
)
def test_what_flows_freely_is_delivered_drug(said: list[tuple[float, str, str]], delivered: str) -> None:
    state, _ = run(course(*said), replace(FACTS, resumes=(RESUME,)))
    assert state.pump.delivered_ml == Decimal(delivered)


def test_what_flowed_before_the_start_ends_the_infusion_sooner() -> None:
    """The ordered 40 mL are in after 35 by the programme: the rest is over-delivery."""
    state, found = run(
        course((-30, "0", "stopped"), (-20, "5", "stopped"), (0, "5", ""), (2100, "40", ""), (2160, "41", ""))
    )
    assert state.pump.ended_ms == START_MS + 2_100_000
    assert ("pump.over_delivery", MEDIUM, 2160) in raised(found)


def test_a_slow_leak_adds_up() -> None:
    """Each step is below the tolerance of 0.1 mL; it is measured since the pump came to stand."""
    said = course((0, "40", "paused"), (10, "40.06", "paused"), (20, "40.12", "paused"))
    assert raised(run(said)[1]) == [free_flow_at(20)]


def test_free_flow_is_over_when_the_counter_stands_still() -> None:
    """A step below the tolerance does not end it."""
    said = course((0, "40", "paused"), (10, "42", "paused"), (20, "42.05", "paused"), (30, "42.05", "paused"))
    found = run(said)[1]
    assert raised(found) == [free_flow_at(10)]
    assert [one.at_ms for one in found if isinstance(one, AlarmOff)] == [START_MS + 30_000]


@pytest.mark.parametrize(
    "said",
    [
        course((0, "40", "paused"), (10, "40.1", "paused")),
        course((-5, "40", "stopped"), (0, "40", ""), (600, "50", "paused"), (610, "50", "paused")),
        course((0, "0", ""), (2400, "40", "kvo"), (2460, "40.2", "kvo"), (3000, "40.3", "kvo")),
        course((0, "40", "paused"), (10, "0", "kvo"), (20, "0.3", "kvo"), (30, "0.4", "stopped")),
        course((0, "40", "paused")) + course((10, "55", "paused"), first=2, counter_cleared=True),
        course((0, "40", "paused")) + course((10, "55", "paused"), pump=SECOND),
        course((0, "0", "paused"), total_known=False) + course((10, "55", "paused"), first=2),
    ],
    ids=["tolerance", "still", "keeps the vein open", "kvo between", "cleared", "another pump", "counter not said"],
)
def test_what_is_no_free_flow(said: list[ReceivedFrame]) -> None:
    """Keep-vein-open, a counter that was cleared, another pump's counter, and a report that did not say it."""
    found = run(said)[1]
    assert FREE_FLOW.code not in [kind for kind, *_ in raised(found)]


def test_a_pump_that_infuses_and_gives_nothing_is_an_alarm_until_it_gives() -> None:
    """'free flow or no flow: immediately': its period of 10 s has passed, and 60 mL/h make 0.2 mL due after 12 s."""
    said = course((0, "40", ""), (10, "40", ""), (20, "40", ""), (30, "40.2", ""))
    found = run(said)[1]
    assert raised(found) == [(NO_FLOW.code, MEDIUM, 20)]
    assert [one.at_ms for one in found if isinstance(one, AlarmOff)] == [START_MS + 30_000]


def test_no_flow_waits_until_the_counter_must_have_moved() -> None:
    """A slow rate on a coarse counter, and a pump that keeps the vein open or stands, are none."""
    slow = programme(rate="6")
    facts = replace(FACTS, authorisation=Authorisation("order", str(PUMP), START_MS, slow))
    assert raised(run(course((0, "40", ""), (119, "40", ""), programme=slow), facts)[1]) == []
    assert raised(run(course((0, "40", ""), (120, "40", ""), programme=slow), facts)[1]) == [
        (NO_FLOW.code, MEDIUM, 120)
    ]
    assert raised(run(course((0, "0", ""), (2400, "40", "kvo"), (2600, "40", "kvo")))[1]) == []
    assert raised(run(course((0, "0", ""), (600, "10", "paused"), (900, "10", "paused")))[1]) == []


@pytest.mark.parametrize(
    ("infusing", "flow", "contradicts"),
    [(False, "60", True), (True, "0", True), (True, "60", False), (False, "0", False), (True, None, False)],
)
def test_a_report_that_contradicts_itself_is_kept_and_alarmed(
    infusing: bool, flow: str | None, contradicts: bool
) -> None:
    """'status infusing <=> flow >0, not-infusing <=> flow 0': here the report counts, and is HIGH."""
    said = report(0, "40", infusing, current_rate_ml_per_h=None if flow is None else Decimal(flow))
    state, found = run([received(PUMP, 1, report=said)])
    assert raised(found) == ([(REPORT_CONTRADICTS.code, HIGH, 0)] if contradicts else [])
    assert state.pump.phase == ("infusing" if infusing else "waiting")


def test_the_pump_of_the_simulator_raises_nothing() -> None:
    """Standing with a flow of 0, infusing, paused, resumed, keeping the vein open at 1 mL/h, completed."""
    device = Pump(str(PUMP))
    device.program(
        Programme("ketamine", Decimal(1), Decimal(60), Decimal(40)), START - timedelta(minutes=2), clear_counter=True
    )
    state = SessionState("one")
    found: list[Finding] = []

    def tell() -> None:
        found.extend(session_log.apply(state, received_frame(device.frame()), replace(FACTS, resumes=(RESUME,))) or ())

    tell()
    device.start(START)
    for minute in range(16):
        device.advance(START + timedelta(minutes=minute))
        if minute == 10:
            device.pause(START + timedelta(minutes=minute))
        if minute == 15:
            device.start(START + timedelta(minutes=minute))
        tell()
    for minute in range(16, 46):
        device.advance(START + timedelta(minutes=minute))
        tell()
    device.keep_vein_open(START + timedelta(minutes=45))
    tell()
    device.advance(START + timedelta(minutes=46))
    tell()
    device.complete(START + timedelta(minutes=47))
    tell()
    assert state.pump.phase == "completed"
    # The vein was kept open for two minutes beyond the ordered volume.
    assert [kind for kind, *_ in raised(found)] == ["pump.over_delivery"]


def alarms(ward: Ward) -> list[tuple[str, int]]:
    """Those of pumps: no monitor speaks here."""
    return [
        (one.kind_code, one.priority)
        for one in ward.rows("SELECT * FROM alarm WHERE kind_code LIKE 'pump.%' ORDER BY measured_at, kind_code")
    ]


def test_free_flow_of_a_pump_on_the_stream(ward: Ward) -> None:
    """In a pause, at the frame that shows it; the volume is in the account of the session."""
    ward.order()
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False), at_s=-10.0))
    ward.start()
    said = [("40", True, ""), ("50", False, "paused"), ("53", False, "paused")]
    for number, (total, infusing, why) in enumerate(said, start=2):
        ward.read(
            frame(
                PUMP, number, report=pump_report(total, infusing, not_delivering_reason=why), at_s=600.0 * (number - 2)
            )
        )
    assert alarms(ward) == [(FREE_FLOW.code, HIGH)]
    assert Decimal(ward.telemetry().delivered_ml) == 13


def test_a_pump_put_on_again_gave_what_it_gave_to_somebody_else(ward: Ward) -> None:
    """Its counter rose while it was attached to nothing of this session."""
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False), at_s=-200.0))
    ward.detach(PUMP, START - timedelta(minutes=3))
    ward.attach(PUMP, at=START - timedelta(minutes=2))
    ward.read(frame(PUMP, 2, report=pump_report("80.0", infusing=False), at_s=-100.0))
    assert alarms(ward) == []
    ward.read(frame(PUMP, 3, report=pump_report("81.0", infusing=False), at_s=-90.0))
    assert alarms(ward) == [(FREE_FLOW.code, HIGH)]


class Link:
    """What reaches the log over HL7, as the worker applies it at once."""

    def __init__(self, ward: Ward) -> None:
        self._ward, self._broker, self._applied = ward, Broker(), 0
        self._receiver = Receiver(ward.database, Directory(ward.database), FrameLog(self._broker.factory))

    def send(self, content: bytes) -> None:
        assert [one.decode().split("\r")[1].split("|")[1] for one in self._receiver.receive(content)] == ["CA"]
        reader, records = self._ward.harness.reader, self._broker.records
        reader.ensure_offset(records[0].topic, 0, 0)
        reader.apply_stream(records[0].topic, 0, records[self._applied :], expected=self._applied)
        self._applied = len(records)


@pytest.mark.parametrize("phase", ["before", "paused", "ended"])
def test_free_flow_of_a_pump_on_hl7(ward: Ward, phase: str) -> None:
    """PCD-01 and PCD-10: before the start, in a pause, after completion."""
    ward.register(HL7_PUMP, types.DEVICE_KIND_PUMP, PUMP_EUI)
    ward.attach(HL7_PUMP)
    device, stream = Pump(str(HL7_PUMP)), Hl7PumpStream(cast(MllpLink, Link(ward)), PUMP_EUI)
    device.program(Programme("ketamine", Decimal("1.0"), Decimal(60), Decimal(40)), START - timedelta(minutes=2))
    stream.send(device.frame())
    now = START
    if phase != "before":
        ward.order()
        ward.start()
        device.start(START)
        stream.send(device.frame())
        now = START + timedelta(minutes=40 if phase == "ended" else 10)
        device.pause(now, "completed" if phase == "ended" else "paused")
        stream.send(device.frame())
        assert alarms(ward) == []
    device.advance(now + timedelta(minutes=1))
    flows = device.frame()
    flows.pump_report.delivered_total_ml = str(device.total_ml + 3)
    stream.send(flows)
    assert (FREE_FLOW.code, HIGH) in alarms(ward)
    if phase != "before":
        assert Decimal(ward.telemetry().delivered_ml) == device.total_ml + 3


def test_a_pcd_01_report_that_contradicts_itself_is_kept_and_alarmed(ward: Ward) -> None:
    """PCD-10 refuses such an event; a periodic report is all that is heard of the pump."""
    ward.register(HL7_PUMP, types.DEVICE_KIND_PUMP, PUMP_ID)
    ward.attach(HL7_PUMP)
    flow = row("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "60", ML_PER_H, place="1.1.1.2")
    status = row("184519^MDC_PUMP_INFUSING_STATUS^MDC", "^pump-status-not-infusing", place="1.1.1.1", kind="CWE")
    Link(ward).send(message(*pump_rows(status=status, flow=flow)))
    assert alarms(ward) == [(REPORT_CONTRADICTS.code, HIGH)]
    assert ward.telemetry().pump_report.current_rate_ml_per_h == "60"
