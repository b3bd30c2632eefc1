"""One HL7 message: read, kept, its samples into the frame log, its alarm on the session, and only then acknowledged."""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from chassis import metrics
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.records import plumbing_context
from device_telemetry.domain import hl7_content
from device_telemetry.domain.hl7_ack import Outcome, acknowledgements
from device_telemetry.domain.hl7_content import TRANSACTIONS, Refused, Taken
from device_telemetry.domain.hl7_findings import Finding, in_words
from device_telemetry.domain.hl7_header import Header, Hl7Error, codec_of, decode, moment_of, read_header
from device_telemetry.domain.hl7_rows import milliseconds
from device_telemetry.frames.decode import first_ms_of
from device_telemetry.ingest import hl7_alert, hl7_frames, hl7_kept, patient_named
from device_telemetry.ingest.clock_tolerance import ClockTolerance
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.hl7_kept import Message
from device_telemetry.ingest.quarantine import keep_aside
from saguaro.device_telemetry.v1 import types_pb2 as types

# What may stand before a message without being part of it: a byte order mark, ends of lines.
_BEFORE: Final = b"\xef\xbb\xbf \t\r\n"
_NOT_NOW: Final = Finding("MSH", "207", "could not be kept now; send it again")
_UNREADABLE: Final = Finding("MSH", "102", "could not be read to its end")


class Receiver:
    """Takes messages of any number of connections."""

    def __init__(self, database: Database, directory: Directory, log: FrameLog) -> None:
        self._database, self._directory, self._log = database, directory, log
        self._tolerance = ClockTolerance(database)
        # Frames of one device go into the log in the order of their numbers.
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def torn(self, content: bytes, rule: str, *, answer: bool = False) -> Sequence[bytes]:
        """Keeps bytes that were no whole message. With `answer`, as for one that is too long, a refusal where its header can be read."""
        keep_aside(self._database, "hl7", "unknown", rule, content)
        header = read_header(content.lstrip(_BEFORE)) if answer else None
        location, _, text = rule.partition(": ")
        if header is None:
            return ()
        return _answers(header, Outcome((Finding(location, "102", text),), refused=True, reject=True))

    def receive(self, content: bytes) -> Sequence[bytes]:
        """The acknowledgements of a message; none where none may be given (no readable MSH-10) or none is wanted (MSH-15, MSH-16)."""
        content = content.lstrip(_BEFORE)
        header = read_header(content)
        if header is None:
            keep_aside(self._database, "hl7", "unknown", "MSH-10: must be readable", content)
            return ()
        return _answers(header, self._outcome(content, header))

    def _outcome(self, content: bytes, header: Header) -> Outcome:
        # Where MSH-7 is no time, the message is refused for that, whatever the tolerance.
        sent = moment_of(header.field(7), timedelta(0))
        tolerance = self._tolerance.at(sent[0]) if sent is not None else timedelta(0)
        try:
            taken = hl7_content.read(decode(content, header), header, tolerance)
        except Refused as refused:
            return self._refuse(content, header, Outcome(refused.findings, refused=True, reject=refused.reject))
        except Hl7Error as error:
            finding = Finding(error.location, error.code, error.rule)
            return self._refuse(content, header, Outcome((finding,), refused=True, reject=error.reject))
        except (ValueError, ArithmeticError, LookupError):
            return self._refuse(content, header, Outcome((_UNREADABLE,), refused=True))
        try:
            self._take(content, header, taken)
        except Unavailable:
            return Outcome((_NOT_NOW,), refused=True)
        return Outcome(taken.warnings)

    def _refuse(self, content: bytes, header: Header, outcome: Outcome) -> Outcome:
        """Keeps a message that cannot be taken, once however often it is sent, with each of its findings."""
        rule = in_words(outcome.findings)
        trigger = [*header.field(9).split(header.component_separator), ""][1].strip()
        message = Message(
            content, hl7_kept.digest_of(content, header), TRANSACTIONS.get(trigger, "other"), refused=True
        )
        with self._database.unit_of_work(plumbing_context()) as uow:
            if not hl7_kept.keep(uow, message, {}).repeated:
                uow.quarantine("hl7", "unknown", rule, content)
                metrics.REFUSED.labels("hl7", rule.partition(":")[0]).inc()
        return outcome

    def _take(self, content: bytes, header: Header, taken: Taken) -> None:
        with self._database.unit_of_work(plumbing_context()) as uow:
            known = hl7_kept.devices_of(uow, taken.named)
        frames = hl7_frames.frames_of(taken, known)
        message = Message(
            content,
            hl7_kept.digest_of(content, header),
            taken.transaction,
            usable=sum(
                item.usable for item in taken.observations if hl7_frames.device_of(item.equipment, known) is not None
            ),
            zone_assumed=taken.zone_assumed,
        )
        with ExitStack() as stack:
            for device_id in sorted(frames):
                stack.enter_context(self._turns[device_id])
            self._keep(message, taken, frames, known)

    def _keep(
        self, message: Message, taken: Taken, frames: Mapping[str, Sequence[types.Frame]], known: Mapping[str, str]
    ) -> None:
        """Record, frames, and the mark that they are durable: a message that comes again after a kill goes on where it was."""
        devices = sorted({*frames, *(known[name] for name in taken.named if name in known)})
        with self._database.unit_of_work(plumbing_context()) as uow:
            kept = hl7_kept.keep(uow, message, {device_id: len(made) for device_id, made in frames.items()})
            if kept.durable and kept.repeated:
                return
            strangers = self._strangers(uow, taken, devices)
            if not kept.repeated:
                self._set_aside(uow, message, taken, known, strangers)
                if taken.alert is not None:
                    hl7_alert.take(uow, self._directory, taken, known, strangers, message.content)
        entries = [
            self._log.append(self._log_of(frame, strangers), frame, frame.SerializeToString(), "hl7")
            for device_id, numbers in kept.sequences.items()
            for frame in _numbered(frames.get(device_id, ()), numbers)
        ]
        for entry in entries:
            entry.wait()
        if not kept.durable:
            with self._database.unit_of_work(plumbing_context()) as uow:
                hl7_kept.mark_durable(uow, kept.message_id)

    def _strangers(self, uow: Any, taken: Taken, devices: Sequence[str]) -> frozenset[str]:
        """The devices whose message names somebody else than the person that they are attached to; an alarm while it is so."""
        at_ms = milliseconds(taken.sent.at)
        found = set()
        for device_id in devices:
            session_id = self._directory.session_at(device_id, at_ms)
            if session_id is not None and patient_named.judge(uow, session_id, device_id, taken.patients, at_ms):
                found.add(device_id)
        return frozenset(found)

    def _set_aside(
        self, uow: Any, message: Message, taken: Taken, known: Mapping[str, str], strangers: frozenset[str]
    ) -> None:
        """What an operator has to see of a message that was taken: rows that were refused, devices that nobody knows, other people."""
        rules = [in_words(taken.warnings)] if taken.warnings else []
        if (taken.named or taken.observations or taken.pumps) and not any(name in known for name in taken.named):
            rules.append("OBX-18: must name a registered device")
        if strangers:
            rules.append("PID-3: must not name another person than the one that the device is attached to")
        for rule in rules:
            uow.quarantine("hl7", min(strangers, default="unknown"), rule, message.content)
            metrics.REFUSED.labels("hl7", rule.partition(":")[0]).inc()

    def _log_of(self, frame: types.Frame, strangers: frozenset[str]) -> str:
        """The session of the device when it measured; the device's own log where there is none, or it names somebody else."""
        if frame.device_id in strangers:
            return frame.device_id
        return self._directory.session_at(frame.device_id, first_ms_of(frame)) or frame.device_id


def _numbered(frames: Sequence[types.Frame], numbers: Sequence[int]) -> list[types.Frame]:
    """The frames with the numbers that they were given when the message first came."""
    for frame, number in zip(frames, numbers, strict=False):
        frame.sequence = number
    return list(frames[: len(numbers)])


def _answers(header: Header, outcome: Outcome) -> Sequence[bytes]:
    try:
        codec = codec_of(header)
    except Hl7Error:
        codec = "latin-1"
    made = acknowledgements(header, outcome, datetime.now(UTC), (str(uuid4()), str(uuid4())))
    return tuple(text.encode(codec, "replace") for text in made)
