"""One HL7 message: read, kept, its samples into the frame log, and only then acknowledged."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from chassis.database import Database
from chassis.errors import Unavailable
from chassis.records import plumbing_context
from device_telemetry.domain import codes, columns, pcd01
from device_telemetry.domain.hl7_ack import acknowledgement
from device_telemetry.domain.hl7_header import Header, Hl7Error, codec_of, decode, moment_of, read_header
from device_telemetry.domain.pcd01 import Observation
from device_telemetry.frames.decode import first_ms_of
from device_telemetry.ingest import clock_ahead, hl7_kept
from device_telemetry.ingest.directory import Directory
from device_telemetry.ingest.frame_log import FrameLog
from device_telemetry.ingest.quarantine import keep_aside
from saguaro.device_telemetry.v1 import types_pb2 as types

# House defaults: a monitor that speaks HL7 promises a report a minute (IHE PCD: typically 1/min); clocks may differ by 5 s.
PERIOD_MS: Final = 60_000
TOLERANCE: Final = timedelta(seconds=5)


class Receiver:
    """Takes messages of any number of connections."""

    def __init__(self, database: Database, directory: Directory, log: FrameLog) -> None:
        self._database, self._directory, self._log = database, directory, log
        # Frames of one device go into the log in the order of their numbers.
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def torn(self, content: bytes, rule: str) -> None:
        """Keeps bytes that were no whole message."""
        keep_aside(self._database, "hl7", "unknown", rule, content)

    def receive(self, content: bytes) -> bytes | None:
        """The acknowledgement for a message; None where none may be given (no readable MSH-10) or none is wanted (MSH-15)."""
        header = read_header(content)
        if header is None:
            self.torn(content, "MSH-10: must be readable")
            return None
        error: Hl7Error | None = None
        try:
            self._take(content, header)
        except Hl7Error as refused:
            keep_aside(self._database, "hl7", "unknown", str(refused), content)
            error = refused
        except Unavailable:
            error = Hl7Error("MSH", "207", "could not be kept now; send it again")
        answer = acknowledgement(header, error, datetime.now(UTC), str(uuid4()))
        return None if answer is None else answer.encode(_codec(header), "replace")

    def _take(self, content: bytes, header: Header) -> None:
        observations = pcd01.read(decode(content, header), header, TOLERANCE)
        with self._database.unit_of_work(plumbing_context()) as uow:
            known = hl7_kept.devices_of(uow, observations)
        of_device: defaultdict[str, list[Observation]] = defaultdict(list)
        for observation in observations:
            device_id = next((known[name] for name in observation.equipment if name in known), None)
            if device_id is not None:
                of_device[device_id].append(observation)
        turns = [self._turns[device_id] for device_id in sorted(of_device)]
        for turn in turns:
            turn.acquire()
        try:
            self._keep(content, header, of_device, observations)
        finally:
            for turn in turns:
                turn.release()

    def _keep(
        self,
        content: bytes,
        header: Header,
        of_device: dict[str, list[Observation]],
        observations: Sequence[Observation],
    ) -> None:
        """Record, frames, and the mark that they are durable: a message that comes again after a kill goes on where it was."""
        usable = sum(item.usable for found in of_device.values() for item in found)
        with self._database.unit_of_work(plumbing_context()) as uow:
            kept = hl7_kept.keep(uow, content, sorted(of_device), usable)
            if not of_device and kept.durable and observations:
                uow.quarantine("hl7", "unknown", "OBX-18: must name a registered device", content)
        if kept.durable:
            return
        entries = []
        for device_id, sequence in kept.sequences.items():
            frame = _frame(device_id, sequence, of_device[device_id])
            log_id = self._directory.session_at(device_id, first_ms_of(frame)) or device_id
            entries.append(self._log.append(log_id, frame, frame.SerializeToString(), "hl7"))
        for entry in entries:
            entry.wait()
        with self._database.unit_of_work(plumbing_context()) as uow:
            hl7_kept.mark_durable(uow, kept.message_id)
            sent = moment_of(header.field(7), timedelta(0))
            sent_ms = int(sent[0].timestamp() * 1000) if sent is not None else 0
            for device_id in kept.sequences:
                session_id = self._directory.session_at(device_id, sent_ms)
                if session_id is not None:
                    clock_ahead.judge(
                        uow, session_id, device_id, sent_ms, any(item.in_future for item in of_device[device_id])
                    )


def _frame(device_id: str, sequence: int, observations: Sequence[Observation]) -> types.Frame:
    first, delta_ms, channel, value_e6, quality = columns.write(
        [
            (item.at_ms, item.channel, item.value_e6, codes.USABLE if item.usable else codes.UNUSABLE)
            for item in observations
        ]
    )
    frame = types.Frame(
        device_id=device_id, sequence=sequence, declared_period_ms=PERIOD_MS,
        delta_ms=delta_ms, channel=channel, value_e6=value_e6, quality=quality,
    )  # fmt: skip
    frame.first_sample_at.FromMilliseconds(first)
    return frame


def _codec(header: Header) -> str:
    try:
        return codec_of(header)
    except Hl7Error:
        return "latin-1"
