"""HL7 devices against the service: a pump's whole infusion, alerts as alarms, other people's data, messages that come again."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text

from device_telemetry.ingest import hl7_kept
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.receive_hl7 import Receiver
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.hl7_alert import LOW, OCCLUSION, Alert, monitor_alert, pump_alert
from simulator.hl7_pump import Hl7PumpStream
from simulator.mllp_link import MllpLink
from simulator.pump import Programme, Pump
from tests.device_telemetry.frames_by_hand import MONITOR, START
from tests.device_telemetry.hl7_by_hand import BEAT, HR, device, message, pump_rows, row
from tests.device_telemetry.kafka_by_hand import Broker
from tests.device_telemetry.ward import Ward

HL7_PUMP = UUID(int=0xB7)
PUMP_EUI, MONITOR_EUI = "080019FFFE3ED0AA", "0600dc750001"


class Bench:
    """The receiver over the ward, with a broker by hand; every message is acknowledged as it should be."""

    def __init__(self, ward: Ward) -> None:
        self.ward, self.broker = ward, Broker()
        self.receiver = Receiver(ward.database, Directory(ward.database), FrameLog(self.broker.factory))
        self._applied = 0

    def codes(self, content: bytes) -> list[str]:
        return [answer.decode().split("\r")[1].split("|")[1] for answer in self.receiver.receive(content)]

    def send(self, content: bytes) -> None:
        """As the simulator's link."""
        assert self.codes(content) == ["CA"]

    def apply(self) -> None:
        """What reached the log of the session, as the worker applies it."""
        reader, records = self.ward.harness.reader, self.broker.records
        if self._applied < len(records):
            reader.ensure_offset(records[0].topic, 0, 0)
            reader.apply_stream(records[0].topic, 0, records[self._applied :], expected=self._applied)
        self._applied = len(records)

    def alarms(self) -> list[tuple[str, int, bool]]:
        """Kind, priority, whether it is on; in the order of measurement."""
        rows = self.ward.rows("SELECT * FROM alarm ORDER BY measured_at, alarm_id")
        return [(row.kind_code, row.priority, row.cleared_at is None) for row in rows]

    def kept(self) -> list[str]:
        listed = self.ward.harness.call("ListQuarantine", pb.ListQuarantineRequest(), role="operator")
        return sorted(item.rule for item in listed.items)


@pytest.fixture
def bench(ward: Ward) -> Bench:
    ward.attach(MONITOR)
    return Bench(ward)


@pytest.fixture
def pump(bench: Bench) -> tuple[Pump, Hl7PumpStream]:
    bench.ward.register(HL7_PUMP, types.DEVICE_KIND_PUMP, PUMP_EUI)
    bench.ward.attach(HL7_PUMP)
    return Pump(str(HL7_PUMP)), Hl7PumpStream(cast(MllpLink, bench), PUMP_EUI)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def started(bench: Bench, pump: tuple[Pump, Hl7PumpStream]) -> None:
    """The programme is echoed over HL7, the start is authorised, and the pump starts."""
    device_, stream = pump
    bench.ward.order()
    device_.program(Programme("ketamine", Decimal("1.0"), Decimal(60), Decimal(40)), after(-2), clear_counter=True)
    stream.send(device_.frame())
    bench.apply()
    bench.ward.start(START)
    device_.start(after(1))
    stream.send(device_.frame())


def test_the_echo_of_a_pump_on_hl7_is_that_of_one_on_the_stream(bench: Bench, pump: Any) -> None:
    device_, stream = pump
    device_.program(Programme("ketamine", Decimal("1.0"), Decimal(60), Decimal(40)), after(-2))
    frame = device_.frame()
    stream.send(frame)
    bench.apply()
    found = bench.ward.telemetry()
    assert found.pump_report_at == frame.first_sample_at
    echo = found.pump_report
    assert (echo.drug_code, Decimal(echo.concentration_mg_per_ml)) == ("ketamine", Decimal(1))
    assert (Decimal(echo.rate_ml_per_h), Decimal(echo.vtbi_ml), echo.infusing) == (Decimal(60), Decimal(40), False)


def test_a_whole_infusion_over_hl7(bench: Bench, pump: Any) -> None:
    started(bench, pump)
    device_, stream = pump
    for minute in range(2, 41, 4):
        device_.advance(after(minute))
        stream.send(device_.frame())
    device_.keep_vein_open(after(41))
    stream.send(device_.frame())
    device_.complete(after(61))
    frame = device_.frame()
    stream.send(frame)
    bench.apply()
    found = bench.ward.telemetry()
    assert (found.state, Decimal(found.delivered_ml)) == ("completed", Decimal("40.333"))
    assert {one.device_id: one.last_sequence for one in found.devices}[str(HL7_PUMP)] == frame.sequence
    (done,) = bench.ward.harness.events(events.InfusionCompleted)
    assert done.delivering_seconds == 40 * 60
    assert bench.ward.harness.events(events.InfusionPaused) == []


def test_a_rate_change_over_hl7_is_no_pause_and_an_alarm_at_once(bench: Bench, pump: Any) -> None:
    """An unauthorised start and a rate change at minute 20 each raise HIGH within one frame."""
    started(bench, pump)
    device_, stream = pump
    device_.advance(after(20))
    changed = device_.frame()
    changed.pump_report.rate_ml_per_h = "70"
    stream.send(changed)
    bench.apply()
    assert ("pump.programme_changed", 3, True) in bench.alarms()
    assert bench.ward.harness.events(events.InfusionPaused) == []
    assert bench.ward.telemetry().state == "infusing"


def test_an_unauthorised_start_over_hl7(bench: Bench, pump: Any) -> None:
    device_, stream = pump
    device_.program(Programme("ketamine", Decimal("1.0"), Decimal(60), Decimal(40)), after(-2))
    device_.start(after(0))
    stream.send(device_.frame())
    bench.apply()
    assert ("pump.unauthorised_start", 3, True) in bench.alarms()


def test_a_pump_that_gives_segments_alone_is_counted(bench: Bench, pump: Any) -> None:
    """stop/complete need segment OR cumulative volume."""
    started(bench, pump)
    still = {
        "status": row("184519^MDC_PUMP_INFUSING_STATUS^MDC", "^pump-status-not-infusing", place="1.1.1.1", kind="CWE"),
        "flow": row("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "0", "mL/h", place="1.1.1.2"),
        "delivery": row("158005^^MDC", "^pump-delivery-status-not-delivering", place="1.1.2.1", kind="CWE"),
        "reason": row("158006^^MDC", "^pump-stopped-by-clinician", place="1.1.2.9", kind="CWE"),
        "total": row("157992^MDC_VOL_FLUID_DELIV_SEGMENT^MDC", "9", "mL", place="1.1.2.6"),
    }
    stop = row("68487^MDC_ATTR_EVT_COND^MDC", "0^MDC_EVT_PUMP_DELIV_STOP^MDC", place="1.0.0.1", kind="CWE")
    rows = [line.replace("PUMP-77", PUMP_EUI) for line in pump_rows(**still)]
    bench.send(message(stop, *rows, trigger="R42", sent="20260715161000+0000", obr_at="20260715161000"))
    bench.apply()
    found = bench.ward.telemetry()
    assert (found.state, Decimal(found.delivered_ml)) == ("paused", Decimal(9))


def test_an_alert_is_an_alarm_of_the_session_until_it_ends(bench: Bench, pump: Any) -> None:
    def tell(minute: float, phase: str, state: str = "active", priority: str = "PM") -> None:
        alert = Alert(OCCLUSION, phase, state, priority)
        bench.send(pump_alert(PUMP_EUI, f"A{minute}", after(minute), alert))

    tell(1, "start")
    tell(2, "continue")
    assert bench.alarms() == [("device.line_occluded", 2, True)]
    tell(3, "escalate", priority="PH")
    assert bench.alarms() == [("device.line_occluded", 2, False), ("device.line_occluded", 3, True)]
    tell(4, "update", "latched", "PH")
    assert len(bench.alarms()) == 2
    tell(5, "end", "inactive", "PH")
    assert [on for _, _, on in bench.alarms()] == [False, False]
    raised = bench.ward.harness.events(events.AlarmRaised)
    assert [event.priority for event in raised] == [2, 3]
    assert len(bench.ward.harness.events(events.AlarmCleared)) == 2


def test_an_alert_about_the_person_is_physiological(bench: Bench) -> None:
    bench.send(monitor_alert(MONITOR_EUI, "A1", after(1), Alert(LOW, "tpoint", "active", "PH", "SP")))
    (alarm,) = bench.ward.rows("SELECT * FROM alarm")
    assert (alarm.kind_code, alarm.priority, alarm.category) == ("device.low", 3, 1)
    assert alarm.cleared_at == alarm.measured_at


def test_alerts_of_strangers_are_kept_for_the_operator(bench: Bench) -> None:
    bench.ward.register(HL7_PUMP, types.DEVICE_KIND_PUMP, PUMP_EUI)
    bench.send(pump_alert(PUMP_EUI, "A1", after(1), Alert(OCCLUSION)))
    bench.send(pump_alert("NOBODY", "A2", after(1), Alert(OCCLUSION)))
    assert bench.kept() == [
        "OBX-18: must be attached to a session when its alert happened",
        "OBX-18: must name a registered device",
    ]
    assert bench.alarms() == []


def heart(control: str, *, patient: str = "PID|||^^^^MR", minute: int = 0, value: str = "70") -> bytes:
    at = after(minute).strftime("%Y%m%d%H%M%S+0000")
    rows = [device(equipment=MONITOR_EUI), row(HR, value, BEAT)]
    return message(*rows, control=control, patient=patient, sent=at, obr_at=at)


def test_a_patient_who_contradicts_the_attachment(bench: Bench) -> None:
    """A PID that contradicts it, or a device attached to nothing: kept unassigned for an operator, never charted, a technical alarm."""
    session = bench.ward.session_id
    bench.send(heart("1", patient="PID|||MRN-1^^^H^MR"))
    bench.send(heart("2", patient="PID|||MRN-1^^^H^MR~OTHER^^^X^PI", minute=1))
    bench.send(heart("3", minute=2))
    assert {record.key for record in bench.broker.records} == {session.encode()}
    bench.send(heart("4", patient="PID|||MRN-2^^^H^MR", minute=3))
    assert bench.broker.records[-1].key == str(MONITOR).encode()
    assert bench.alarms() == [("device.wrong_person", 3, True)]
    assert bench.kept() == ["PID-3: must not name another person than the one that the device is attached to"]
    bench.send(heart("5", patient="PID|||MRN-1^^^H^MR", minute=4))
    assert bench.broker.records[-1].key == session.encode()
    assert [on for _, _, on in bench.alarms()] == [False]
    assert not any(
        b"MRN" in bytes(kept.identifiers_sealed) for kept in bench.ward.rows("SELECT * FROM session_patient")
    )


def test_our_own_ids_are_compared_with_the_person(bench: Bench) -> None:
    bench.send(heart("1", patient=f"PID|||{bench.ward.person_id.upper()}^^^SAGUARO^PI"))
    assert bench.broker.records[-1].key == bench.ward.session_id.encode()
    bench.send(heart("2", patient=f"PID|||{UUID(int=5)}^^^SAGUARO^PI"))
    assert bench.broker.records[-1].key == str(MONITOR).encode()


def test_a_patient_that_the_device_does_not_know_contradicts_nobody(bench: Bench) -> None:
    bench.send(heart("1", patient="PID|||MRN-1^^^H^MR"))
    bench.send(
        heart("2", patient="PID|||Unknown Patient^Unknown Patient||^^^^^^U||||||||||||||||||||||||||Y", minute=1)
    )
    assert bench.alarms() == []


def test_how_far_a_clock_may_be_ahead_is_policy(bench: Bench) -> None:
    """More than 5 s in the future: unusable and alarmed."""

    def usable(control: str) -> int:
        rows = [device(equipment=MONITOR_EUI), row(HR, "70", BEAT, at="20260715160008+0000")]
        bench.send(message(*rows, control=control))
        return int(bench.ward.rows("SELECT usable_samples FROM hl7_message ORDER BY message_id DESC LIMIT 1")[0][0])

    assert usable("1") == 0
    with bench.ward.database.engine.begin() as connection:
        connection.execute(text("UPDATE telemetry_policy SET seconds = 10 WHERE name = 'clock_tolerance'"))
    bench.receiver = Receiver(bench.ward.database, Directory(bench.ward.database), FrameLog(bench.broker.factory))
    assert usable("2") == 1


def test_a_device_attached_to_nothing_goes_to_its_own_log(bench: Bench) -> None:
    bench.ward.detach(MONITOR, after(1))
    bench.send(heart("1", minute=2))
    assert bench.broker.records[-1].key == str(MONITOR).encode()


def test_a_message_that_comes_again_is_counted_once(bench: Bench) -> None:
    """Reconnect/resend with same MSH-10, de-dup."""
    first = heart("1")
    again = [first, first.replace(b"\r", b"\n"), first.replace(b"\r", b"\r\n"), b"\xef\xbb\xbf" + first]
    later = first.replace(b"|||20260715160000+0000||ORU", b"|||20260715160001+0000||ORU")
    assert later != first
    for content in (*again, later):
        bench.send(content)
    assert len(bench.broker.records) == 1


def test_a_receiver_that_is_killed_between_write_and_acknowledgement(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill receiver between write and ACK"""

    def killed(*_: object) -> None:
        raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        patch.setattr(hl7_kept, "mark_durable", killed)
        with pytest.raises(ConnectionAbortedError):
            bench.receiver.receive(heart("1"))
    after_it = Receiver(bench.ward.database, Directory(bench.ward.database), FrameLog(bench.broker.factory))
    assert b"MSA|CA|1\r" in after_it.receive(heart("1"))[0]
    assert [types.Frame.FromString(record.value or b"").sequence for record in bench.broker.records] == [1, 1]
    bench.apply()
    (row,) = bench.ward.rows("SELECT count(*) AS frames FROM frame")
    assert row.frames == 1


def test_two_hours_that_were_buffered_alarm_by_their_own_times(bench: Bench) -> None:
    """alarm carries measurement time AND detection time; ordered by measurement time (replay 2 h batch)"""
    for minute in range(0, 125, 5):
        at = after(minute).strftime("%Y%m%d%H%M%S+0000")
        low = row("150456^MDC_PULS_OXIM_SAT_O2^MDC", "85" if minute in (40, 45, 90) else "97", "%")
        bench.send(
            message(
                device(equipment=MONITOR_EUI),
                low,
                control=str(minute),
                sent=after(125).strftime("%Y%m%d%H%M%S+0000"),
                obr_at=at,
            )
        )
    bench.apply()
    listed = bench.ward.harness.call("ListAlarms", pb.ListAlarmsRequest(session_id=bench.ward.session_id), role="nurse")
    stops = [alarm for alarm in listed.alarms if alarm.kind_code == "spo2.low.stop"]
    assert [alarm.measured_at.ToDatetime(tzinfo=UTC) for alarm in stops] == [after(40), after(90)]
    assert all(alarm.detected_at.ToMilliseconds() >= alarm.measured_at.ToMilliseconds() for alarm in stops)
    times = [alarm.measured_at.ToMilliseconds() for alarm in listed.alarms]
    assert times == sorted(times)


def test_a_device_that_counts_from_1_again_loses_nothing(bench: Bench) -> None:
    bench.send(heart("1"))
    bench.send(heart("1", value="71", minute=1))
    assert len(bench.broker.records) == 2


def test_a_refused_message_is_kept_once_with_each_finding(bench: Bench) -> None:
    rows = [device(equipment=MONITOR_EUI), row(HR, "seventy", BEAT), row(HR, "70", "furlong", place="1.1.1.2")]
    for _ in range(3):
        assert bench.codes(message(*rows)) == ["CE"]
    assert bench.kept() == ["OBX-5: must be a number; OBX-6: must be a known unit of the metric, in MDC or UCUM"]
    (kept,) = bench.ward.rows("SELECT * FROM hl7_message")
    assert (kept.refused, kept.transaction) == (True, "pcd01")


def test_rows_that_were_refused_are_warned_of_and_kept(bench: Bench) -> None:
    rows = [device(equipment=MONITOR_EUI), row(HR, "70", BEAT), row(HR, "70", "furlong", place="1.1.1.2")]
    (answer,) = bench.receiver.receive(message(*rows))
    assert b"MSA|CA|C1\r" in answer
    assert b"HL70357|W||||OBX-6" in answer
    assert bench.kept() == ["OBX-6: must be a known unit of the metric, in MDC or UCUM"]


def test_an_assumed_zone_is_on_record(bench: Bench) -> None:
    rows = [device(equipment=MONITOR_EUI), row(HR, "70", BEAT)]
    bench.send(message(*rows, obr_at="20260715160000", control="1"))
    bench.send(message(*rows, obr_at="20260715160001+0000", control="2"))
    found = bench.ward.rows("SELECT zone_assumed FROM hl7_message ORDER BY message_id")
    assert [kept.zone_assumed for kept in found] == [True, False]
