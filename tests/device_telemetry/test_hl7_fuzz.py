"""Any HL7 file is taken or refused with the reason: nothing is lost, nothing breaks. taken + refused = sent."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from device_telemetry.domain import hl7_content
from device_telemetry.domain.hl7_content import Refused
from device_telemetry.domain.hl7_findings import Finding
from device_telemetry.domain.hl7_header import Hl7Error, decode, read_header
from device_telemetry.domain.mllp import Deframer, Torn, wrap
from device_telemetry.frames.check import checked
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.hl7_frames import frames_of
from device_telemetry.ingest.receive_hl7 import Receiver
from simulator.hl7_alert import OCCLUSION, Alert, pump_alert
from tests.device_telemetry.frames_by_hand import MESSAGES as PUBLISHED
from tests.device_telemetry.frames_by_hand import MONITOR, PUMP
from tests.device_telemetry.hl7_by_hand import MESSAGES, TOLERANCE, message, pump_rows
from tests.device_telemetry.kafka_by_hand import Broker
from tests.device_telemetry.ward import Ward

SEEDS = (
    (PUBLISHED / "pcd01-monitor.hl7").read_bytes(),
    (PUBLISHED / "pcd01-nibp-episodic.hl7").read_bytes(),
    (MESSAGES / "pcd01-pump.hl7").read_bytes(),
    (MESSAGES / "pcd10-start.hl7").read_bytes(),
    message(*pump_rows()),
    pump_alert("PUMP-77", "A1", datetime(2026, 7, 15, 16, tzinfo=UTC), Alert(OCCLUSION)),
)
# What turns up in fields: other numbers, times, terms, words, delimiters.
VALUES = st.one_of(
    st.sampled_from(
        [
            "", "0", "-1", "1e9", "1E400", "NaN", "Infinity", "0x10", "٣", '""', "X", "NM", "20260715160000", "99991231235959-1400",
            "00000000000000", "150456^MDC_PULS_OXIM_SAT_O2^MDC", "266016^MDC_DIM_MMHG^MDC", "^pump-status-not-infusing", "1.1.1.1",
            "PH~SP", "a&b\\T\\c~d^e", "\\", "197292^MDC_EVT_PUMP_DELIV_COMP^MDC", "end", "inactive", "UNICODE UTF-8", "8859/1",
        ]
    ),
    st.text(max_size=12).filter(lambda text: not {"\r", "\n", "\x0b", "\x1c"} & set(text)),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message that some device might send by mistake."""
    lines = [line for line in draw(st.sampled_from(SEEDS)).replace(b"\n", b"\r").split(b"\r") if line]
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("field", "drop", "double", "swap", "cut"))):
            case "field":
                fields = lines[place].split(b"|")
                fields[draw(st.integers(0, len(fields) - 1))] = draw(VALUES).encode()
                lines[place] = b"|".join(fields)
            case "drop" if len(lines) > 1:
                del lines[place]
            case "double":
                lines.insert(place, lines[place])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[place], lines[other] = lines[other], lines[place]
            case "cut":
                lines[place] = lines[place][: draw(st.integers(0, len(lines[place])))]
    return draw(st.sampled_from((b"\r", b"\n", b"\r\n"))).join(lines)


ANY = st.one_of(mutated(), st.binary(max_size=120), st.binary(max_size=60).map(lambda noise: b"MSH|^~\\&|" + noise))


def taken_or_refused(content: bytes) -> tuple[hl7_content.Taken | None, tuple[Finding, ...]]:
    """What is read of a message, or why nothing is; a message without a readable header has no finding here."""
    header = read_header(content)
    if header is None:
        return None, ()
    try:
        return hl7_content.read(decode(content, header), header, TOLERANCE), ()
    except Refused as refused:
        return None, refused.findings
    except Hl7Error as error:
        return None, (Finding(error.location, error.code, error.rule),)


@given(ANY)
@example(b"MSH\rPID|||1\rOBX|1")
@example(b"MSH|\rPID|||1\rOBX|1")
@settings(max_examples=400, deadline=None)
def test_every_message_is_read_or_refused_with_a_reason(content: bytes) -> None:
    found, findings = taken_or_refused(content)
    if found is None:
        assert bool(findings) == (read_header(content) is not None)
        assert all(finding.location and finding.rule for finding in findings)
        return
    made = frames_of(found, dict.fromkeys(found.named, str(MONITOR)))
    for number, frame in enumerate((one for frames in made.values() for one in frames), 1):
        frame.sequence = number
        # What the log takes from a stream, it takes from here.
        checked(frame.SerializeToString())


@given(st.lists(mutated(), min_size=1, max_size=4), st.data())
@settings(max_examples=100, deadline=None)
def test_torn_streams_lose_nothing(messages: Sequence[bytes], data: st.DataObject) -> None:
    """Whatever the cut, each byte of a message is in a message or in what is kept as torn."""
    whole = b"".join(wrap(item) for item in messages if not {0x0B, 0x1C} & set(item))
    at = data.draw(st.integers(0, len(whole)))
    deframer = Deframer(100_000)
    found = [*deframer.feed(whole[:at])]
    torn = deframer.end()
    found += [torn] if torn is not None else []
    found += deframer.feed(whole[at:])
    kept = sum(len(item.content) for item in found if isinstance(item, Torn) or item.content)
    # The frame's own bytes, and an end that stands alone behind the cut, are no part of a message.
    assert kept >= len(whole) - 3 * len(messages) - 3


class Counted:
    """The receiver over a real database, and how many messages are on record."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        self.receiver = Receiver(ward.database, Directory(ward.database), FrameLog(Broker().factory))

    def on_record(self) -> tuple[int, int, int]:
        """Taken, refused, without a header that can be answered."""
        (row,) = self.ward.rows(
            "SELECT count(*) FILTER (WHERE NOT refused) AS taken, count(*) FILTER (WHERE refused) AS refused,"
            " (SELECT count(*) FROM quarantine WHERE rule = 'MSH-10: must be readable') AS headless FROM hl7_message"
        )
        return row.taken, row.refused, row.headless


def test_taken_and_refused_are_all_that_were_sent(ward: Ward) -> None:
    """Any recording of the same format, any PCD-01/04/10 file: taken or refused with the reason, nothing lost, no crash."""
    ward.attach(MONITOR)
    ward.attach(PUMP)
    counted = Counted(ward)

    @given(st.lists(ANY, min_size=1, max_size=8))
    @settings(max_examples=20, deadline=None)
    def sent_is_taken_or_refused(sent: Sequence[bytes]) -> None:
        before = counted.on_record()
        answers = {"A": 0, "E": 0, "R": 0, "": 0}
        for number, content in enumerate(sent):
            # Each message is one of its own, so that none is known from before.
            said = counted.receiver.receive(content + f"\rZZZ|{sum(before)}.{number}".encode())
            codes = [answer.split(b"\r")[1].split(b"|")[1].decode() for answer in said]
            answers[codes[-1][1] if codes else ""] += 1
        taken, refused, headless = (after - ahead for after, ahead in zip(counted.on_record(), before, strict=True))
        assert taken + refused + headless == len(sent)
        assert answers["A"] <= taken
        assert answers["E"] + answers["R"] <= refused

    sent_is_taken_or_refused()
