"""A polled batch of the frame log, in one transaction with its offset: state of each session, alarms, events, stored frames.

Set-wise: one read of all states, one COPY of all frames, one write of all states. A batch that is done again after a kill finds the
state as it was before, so it finds the same alarms; a repeated frame is dropped by its sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from chassis.records import Record
from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain import session_log
from device_telemetry.domain.findings import Finding
from device_telemetry.frames import kept_state, store, unassigned
from device_telemetry.frames.decode import RECEIVED_HEADER, TYPE, received_frame
from device_telemetry.frames.kept_state import Session
from device_telemetry.frames.report_findings import report_findings
from saguaro.device_telemetry.v1 import types_pb2 as types


@dataclass(frozen=True)
class Incoming:
    """A frame of the batch with what came around it. `log_id` is the session, or the device where it belonged to none."""

    log_id: str
    frame: types.Frame
    raw: bytes
    received_day: date


@dataclass
class Outcome:
    """What a batch brought to light in one session."""

    session: Session
    findings: list[Finding] = field(default_factory=list)
    echo: types.Frame | None = None


def handle_batch(uow: UnitOfWork, records: Sequence[Record]) -> None:
    """Applies the records in their order. Anything that raises gives the whole batch back."""
    incoming = [_incoming(record) for record in records if _is_frame(record)]
    assigned = [item for item in incoming if item.log_id != item.frame.device_id]
    sessions = kept_state.load(uow, sorted({item.log_id for item in assigned}))
    outcomes: dict[str, Outcome] = {}
    stored: list[tuple[Session, Incoming]] = []
    for item in assigned:
        session = sessions[item.log_id]
        outcome = outcomes.setdefault(item.log_id, Outcome(session))
        frame = received_frame(item.frame)
        found = session_log.apply(session.state, frame, session.facts)
        if found is None:
            continue
        stored.append((session, item))
        outcome.findings.extend(found)
        if item.frame.HasField("pump_report") and frame.end_ms >= session.state.pump_seen_ms:
            session.state.pump_seen_ms = frame.end_ms
            outcome.echo = item.frame
    unassigned.keep(uow, [item for item in incoming if item.log_id == item.frame.device_id])
    store.copy_frames(uow, stored)
    kept_state.save(uow, [outcome.session for outcome in outcomes.values()])
    for outcome in outcomes.values():
        report_findings(uow, outcome.session, outcome.findings)
    store.keep_echoes(
        uow, [(outcome.session, outcome.echo) for outcome in outcomes.values() if outcome.echo is not None]
    )


def _is_frame(record: Record) -> bool:
    """Watermarks and what is no frame at all are passed over; the api lets nothing else in."""
    if record.key is None or record.value is None:
        return False
    return any(name == "ce_type" and value == TYPE.encode() for name, value in record.headers)


def _incoming(record: Record) -> Incoming:
    raw = bytes(record.value or b"")
    return Incoming((record.key or b"").decode(), types.Frame.FromString(raw), raw, _received_day(record))


def _received_day(record: Record) -> date:
    """The day of the api's clock, so that a batch which is done again goes to the same partition."""
    for name, value in record.headers:
        if name == RECEIVED_HEADER:
            return datetime.fromisoformat(value.decode()).astimezone(UTC).date()
    return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC).date()
