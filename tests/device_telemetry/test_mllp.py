"""HL7 over a real socket: framing, character sets, acknowledgements, unusable values, the published messages."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_telemetry.domain import codes, columns
from device_telemetry.domain.mllp import Deframer, Framed, Torn, wrap
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.mllp_listener import MllpListener
from device_telemetry.ingest.receive_hl7 import Receiver
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import MESSAGES, MONITOR
from tests.device_telemetry.kafka_by_hand import Broker
from tests.device_telemetry.ward import Ward

MSH = "MSH|^~\\&|Monitor|Ward|||{sent}||ORU^R01^ORU_R01|{control}|{processing}|2.6|||{mode}|NE||{charset}"
OBR = "OBR|1||1|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||20260715160000"
MDS = "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||0600dc750001"


def obx(
    channel: str, value: str, unit: str, *, place: str = "1.1.1.1", flag: str = "", status: str = "R", at: str = ""
) -> str:
    return f"OBX|2|NM|{channel}|{place}|{value}|{unit}||{flag}|||{status}|||{at}"


def message(*rows: str, sent: str = "20260715160000+0000", control: str = "C1", mode: str = "AL", charset: str = "UNICODE UTF-8",
            processing: str = "P", end: str = "\r", patient: str = "PID|||1^^^A^MR||Doe^Jané") -> bytes:  # fmt: skip
    head = MSH.format(sent=sent, control=control, mode=mode, charset=charset, processing=processing)
    text = end.join([head, patient, "PV1||I", OBR, MDS, *rows]) + end
    return text.encode("latin-1" if charset == "8859/1" else "utf-8")


HR_70 = obx("147842^MDC_ECG_CARD_BEAT_RATE^MDC", "70", "264864^MDC_DIM_BEAT_PER_MIN^MDC")


class Monitor:
    """A connection that sends bytes and reads acknowledgements."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._deframer = Deframer(100_000)
        self._ready: list[Any] = []

    def send(self, content: bytes) -> None:
        self.socket.sendall(wrap(content))

    def answer(self) -> list[list[str]]:
        while not self._ready:
            self._ready += self._deframer.feed(self.socket.recv(4096))
        text = self._ready.pop(0).content.decode()
        return [segment.split("|") for segment in text.split("\r") if segment]

    def code(self) -> tuple[str, str]:
        """MSA-1 and MSA-2 of the next acknowledgement."""
        msa = next(segment for segment in self.answer() if segment[0] == "MSA")
        return msa[1], msa[2]

    def ask(self, content: bytes) -> tuple[str, str]:
        self.send(content)
        return self.code()


class Bench:
    """A listener over the ward, with a broker by hand."""

    def __init__(self, ward: Ward) -> None:
        self.ward, self.broker = ward, Broker()
        self._applied = 0
        self.receiver = Receiver(ward.database, Directory(ward.database), FrameLog(self.broker.factory))
        self.listener = MllpListener(
            self.receiver, "127.0.0.1", 0, 3, None, message_timeout_s=0.3, max_message_bytes=20_000
        )

    def connect(self) -> Monitor:
        return Monitor(self.listener.port)

    def frames(self) -> list[types.Frame]:
        return [types.Frame.FromString(record.value or b"") for record in self.broker.records]

    def samples(self) -> list[tuple[int, int, int]]:
        """Channel, value in millionths, quality of everything that reached the log."""
        found = []
        for item in self.frames():
            read = columns.read(0, item.delta_ms, item.channel, item.value_e6, item.quality)
            found += list(zip(read.channel.tolist(), read.value_e6.tolist(), read.quality.tolist(), strict=True))
        return found

    def apply(self) -> None:
        """What reached the log, as the worker applies it; once each."""
        reader, records = self.ward.harness.reader, self.broker.records
        reader.ensure_offset(records[0].topic, 0, 0)
        if self._applied < len(records):
            reader.apply_stream(records[0].topic, 0, records[self._applied :], expected=self._applied)
        self._applied = len(records)

    def alarms(self) -> list[Any]:
        return self.ward.rows("SELECT * FROM alarm ORDER BY measured_at, kind_code")

    def rules(self) -> list[str]:
        listed = self.ward.harness.call("ListQuarantine", pb.ListQuarantineRequest(), role="operator")
        return [item.rule for item in listed.items]


@pytest.fixture
def bench(ward: Ward) -> Iterator[Bench]:
    ward.attach(MONITOR)
    made = Bench(ward)
    yield made
    made.listener.stop()


def test_a_message_is_in_the_log_before_it_is_acknowledged(bench: Bench) -> None:
    assert bench.connect().ask(message(HR_70)) == ("CA", "C1")
    assert bench.samples() == [(codes.HEART_RATE, 70_000_000, codes.USABLE)]
    assert bench.broker.records[0].key == bench.ward.session_id.encode()
    (kept,) = bench.ward.rows("SELECT * FROM hl7_message")
    assert kept.durable
    assert b"Jan" not in bytes(kept.content_sealed)


@pytest.mark.parametrize("name", ["pcd01-monitor.hl7", "pcd01-nibp-episodic.hl7"])
def test_the_published_messages_are_acknowledged_kept_and_counted_for_nothing(bench: Bench, name: str) -> None:
    content = (MESSAGES / name).read_bytes()
    control = content.split(b"|")[9].decode()
    assert bench.connect().ask(content) == ("CA", control)
    assert [row.usable_samples for row in bench.ward.rows("SELECT usable_samples FROM hl7_message")] == [0]
    assert [sample for sample in bench.samples() if sample[2] == codes.USABLE] == []


def test_a_published_message_of_an_attached_monitor_raises_and_refreshes_nothing(bench: Bench) -> None:
    bench.connect().ask((MESSAGES / "pcd01-monitor.hl7").read_bytes())
    bench.apply()
    assert bench.alarms() == []


def test_a_frame_that_arrives_byte_by_byte(bench: Bench) -> None:
    """own MLLP framing: read until 0x1C 0x0D, timeout, max size, MSH-18 charset"""
    monitor = bench.connect()
    for byte in wrap(message(HR_70)):
        monitor.socket.sendall(bytes((byte,)))
    assert monitor.code() == ("CA", "C1")


def test_torn_frames_are_kept_and_the_connection_goes_on(bench: Bench) -> None:
    monitor = bench.connect()
    monitor.socket.sendall(b"stray bytes" + b"\x0b" + message(HR_70)[:60] + wrap(message(HR_70, control="C2")))
    assert monitor.code() == ("CA", "C2")
    assert sorted(bench.rules()) == ["frame: must begin with 0x0B", "frame: must end before the next begins"]


def test_a_frame_that_never_ends_is_kept_after_its_time(bench: Bench) -> None:
    """ACK byte-by-byte; UTF-8 name; missing 0x1C"""
    monitor = bench.connect()
    monitor.socket.sendall(b"\x0b" + message(HR_70)[:60])
    until = time.monotonic() + 10
    while not bench.rules() and time.monotonic() < until:
        # Nothing is sent for a frame without end, so its row is all that can be watched.
        time.sleep(0.05)
    assert bench.rules() == ["frame: must end within the time allowed"]
    assert monitor.ask(message(HR_70, control="C3")) == ("CA", "C3")


def test_a_frame_that_is_too_long_is_kept_and_the_connection_goes_on(bench: Bench) -> None:
    monitor = bench.connect()
    monitor.send(b"MSH" + b"x" * 30_000)
    assert monitor.ask(message(HR_70)) == ("CA", "C1")
    assert bench.rules() == ["frame: must hold at most 20000 bytes"]


def test_a_message_that_is_too_long_is_refused_at_once_where_its_header_can_be_read(bench: Bench) -> None:
    """Its sender would wait for an answer that never comes."""
    monitor = bench.connect()
    assert monitor.ask(message(HR_70, control="LONG") + b"NTE|1||" + b"x" * 30_000) == ("CR", "LONG")
    assert monitor.ask(message(HR_70)) == ("CA", "C1")


def test_two_acknowledgements_where_both_are_asked_for(bench: Bench) -> None:
    monitor = bench.connect()
    monitor.send(message(HR_70).replace(b"|AL|NE|", b"|AL|AL|"))
    assert [monitor.code(), monitor.code()] == [("CA", "C1"), ("AA", "C1")]


@pytest.mark.parametrize(("mode", "answered"), [("NE", False), ("SU", True), ("ER", False)])
def test_where_no_acknowledgement_is_asked_for_there_is_none(bench: Bench, mode: str, answered: bool) -> None:
    monitor = bench.connect()
    monitor.send(message(HR_70, mode=mode))
    if answered:
        assert monitor.code() == ("CA", "C1")
    assert monitor.ask(message(HR_70, control="C2")) == ("CA", "C2")
    assert len(bench.broker.records) == 2


def test_an_acknowledgement_that_was_lost_is_given_again(bench: Bench) -> None:
    """ACK after durable write, at once; reconnect/resend with same MSH-10, de-dup"""
    lost = bench.connect()
    lost.send(message(HR_70))
    lost.socket.shutdown(socket.SHUT_RDWR)
    lost.socket.close()
    again = bench.connect()
    assert [again.ask(message(HR_70)) for _ in range(2)] == [("CA", "C1")] * 2
    assert len(bench.broker.records) == 1


def test_without_a_readable_control_id_there_is_no_acknowledgement(bench: Bench) -> None:
    """a frame without a readable MSH-10 gets no acknowledgement, only an operator's entry"""
    monitor = bench.connect()
    monitor.send(message(HR_70, control=""))
    monitor.send(b"no header at all")
    assert monitor.ask(message(HR_70, control="C9")) == ("CA", "C9")
    assert bench.rules() == ["MSH-10: must be readable"] * 2


@pytest.mark.parametrize(("mode", "good", "bad"), [("AL", "CA", "CE"), ("", "AA", "AE")])
def test_the_mode_of_the_acknowledgement(bench: Bench, mode: str, good: str, bad: str) -> None:
    monitor = bench.connect()
    assert monitor.ask(message(HR_70, mode=mode)) == (good, "C1")
    assert monitor.ask(message(HR_70, mode=mode, charset="ISO IR87")) == (bad, "C1")
    other = message(HR_70, mode=mode, control="C4").replace(b"ORU^R01", b"ADT^A01")
    assert monitor.ask(other) == (bad[0] + "R", "C4")


def test_a_bad_character_set_is_an_error_that_names_field_and_rule(bench: Bench) -> None:
    monitor = bench.connect()
    monitor.send(message(HR_70, charset="8859/1").replace(b"8859/1", b"UNICODE UTF-8"))
    err = next(segment for segment in monitor.answer() if segment[0] == "ERR")
    assert err[2] == "MSH^1^18"
    assert "character set" in err[8]
    assert bench.rules() == ["MSH-18: the text must be written in the character set that it names"]
    assert bench.broker.records == []


@pytest.mark.parametrize("charset", ["UNICODE UTF-8", "8859/1"])
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_character_sets_and_ends_of_segments(bench: Bench, charset: str, end: str) -> None:
    assert bench.connect().ask(message(HR_70, charset=charset, end=end))[0] == "CA"
    assert len(bench.samples()) == 1


def test_a_repeated_message_is_acknowledged_again_and_counted_once(bench: Bench) -> None:
    monitor = bench.connect()
    assert [monitor.ask(message(HR_70)) for _ in range(3)] == [("CA", "C1")] * 3
    assert len(bench.broker.records) == 1


def test_a_message_that_could_not_be_logged_is_refused_and_taken_when_it_comes_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from device_telemetry.ingest import frame_log

    monitor = bench.connect()
    with monkeypatch.context() as patch:
        patch.setattr(frame_log, "_PATIENCE_S", 0.1)
        bench.broker.failures = 1000
        assert monitor.ask(message(HR_70)) == ("CE", "C1")
    bench.broker.failures = 0
    assert monitor.ask(message(HR_70)) == ("CA", "C1")
    assert [item.sequence for item in bench.frames()] == [1]


@pytest.mark.parametrize(
    "row",
    [
        HR_70.replace("|R|||", "|X|||"),
        HR_70.replace("|R|||", "|D|||"),
        *(
            obx("147842^X^MDC", "70", "264864", flag=flag)
            for flag in ("INV", "NAV", "BUSY", "CAL", "TEST", "DEMO", "L~DEMO")
        ),
        obx("147842^X^MDC", "0", "264864"),
        obx("147842^X^MDC", "", "264864"),
        obx("147842^X^MDC", "70", "264864", at="20260715160006"),
    ],
)
def test_unusable_values_reach_the_log_as_unusable(bench: Bench, row: str) -> None:
    assert bench.connect().ask(message(row))[0] == "CA"
    assert [sample[2] for sample in bench.samples()] == [codes.UNUSABLE]


def test_training_messages_are_unusable(bench: Bench) -> None:
    bench.connect().ask(message(HR_70, processing="T"))
    assert [sample[2] for sample in bench.samples()] == [codes.UNUSABLE]


@pytest.mark.parametrize(
    ("channel", "unit"),
    [
        ("147842^MDC_ECG_CARD_BEAT_RATE^MDC", "{beat}/min^{beat}/min^UCUM"),
        ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "%^%^UCUM"),
        ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "262688^MDC_DIM_PERCENT^MDC"),
        ("150021^MDC_PRESS_BLD_NONINV_SYS^MDC", "mm[Hg]^mm[Hg]^UCUM"),
        ("151562^MDC_RESP_RATE^MDC", "264928^MDC_DIM_RESP_PER_MIN^MDC"),
        ("0^MDC_PULS_OXIM_SAT_O2^MDC", "262688"),
    ],
)
def test_units_of_both_systems_and_terms_by_name(bench: Bench, channel: str, unit: str) -> None:
    bench.connect().ask(message(obx(channel, "95.5", unit)))
    assert [sample[1:] for sample in bench.samples()] == [(95_500_000, codes.USABLE)]


@pytest.mark.parametrize(
    ("at", "sent", "expected"),
    [
        ("", "20260715160000-0700", "2026-07-15T23:00:00Z"),
        ("20260715155900", "20260715160000-0700", "2026-07-15T22:59:00Z"),
        ("20260715155900+0000", "20260715160000-0700", "2026-07-15T15:59:00Z"),
        ("20260715155959.5", "20260715160000+0000", "2026-07-15T15:59:59.500Z"),
    ],
)
def test_times_are_inherited_and_take_the_offset_of_the_message(
    bench: Bench, at: str, sent: str, expected: str
) -> None:
    bench.connect().ask(message(obx("147842^X^MDC", "70", "264864", at=at), sent=sent))
    assert [item.first_sample_at.ToJsonString() for item in bench.frames()] == [expected]


def test_a_clock_ahead_is_an_alarm_until_it_is_not(bench: Bench) -> None:
    monitor = bench.connect()
    ahead = obx("147842^X^MDC", "70", "264864", at="20260715160106")
    monitor.ask(message(ahead, sent="20260715160100+0000", control="C5"))
    monitor.ask(message(ahead, sent="20260715160100+0000", control="C6"))
    bench.apply()
    (row,) = bench.alarms()
    assert (row.kind_code, row.category, row.cleared_at) == ("device.clock_ahead", 2, None)
    monitor.ask(message(HR_70, sent="20260715160200+0000", control="C7"))
    bench.apply()
    assert bench.alarms()[0].cleared_at is not None


def test_a_connection_beyond_the_limit_is_closed_at_once(bench: Bench) -> None:
    held = [bench.connect() for _ in range(3)]
    assert [monitor.ask(message(HR_70))[0] for monitor in held] == ["CA"] * 3
    assert bench.connect().socket.recv(1) == b""
    assert held[0].ask(message(HR_70))[0] == "CA"


@given(
    st.lists(st.binary(min_size=1, max_size=40).filter(lambda part: not {0x0B, 0x1C} & set(part)), max_size=6),
    st.data(),
)
def test_whole_messages_survive_any_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(wrap(item) for item in messages)
    deframer, found, place = Deframer(1000), [], 0
    while place < len(stream):
        step = data.draw(st.integers(1, len(stream) - place))
        found += deframer.feed(stream[place : place + step])
        place += step
    assert found == [Framed(item) for item in messages]
    assert deframer.end() is None


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_leave_the_deframer_ready(noise: bytes, step: int) -> None:
    deframer = Deframer(60)
    for place in range(0, len(noise), step):
        for item in deframer.feed(noise[place : place + step]):
            assert isinstance(item, Framed | Torn)
            assert len(item.content) <= 60
    deframer.end()
    assert deframer.feed(wrap(b"MSH")) == [Framed(b"MSH")]
