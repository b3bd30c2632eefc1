"""Frames of devices that were attached to nothing: kept for an operator, never charted, never judged."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.sequences import Sequences
from device_telemetry.frames.decode import end_ms_of
from device_telemetry.frames.kept_state import moment

if TYPE_CHECKING:
    from device_telemetry.frames.apply_batch import Incoming

_COPY = "COPY unassigned_frame (device_id, sequence, ends_at, received_day, payload) FROM STDIN (FORMAT BINARY)"
_TYPES = ("uuid", "int8", "timestamptz", "date", "bytea")
_FEED = """
INSERT INTO unassigned_feed (device_id, sequences, frames) VALUES (%s, %s, %s)
ON CONFLICT (device_id) DO UPDATE SET sequences = excluded.sequences, last_received_at = clock_timestamp(),
    frames = unassigned_feed.frames + excluded.frames
"""


def keep(uow: UnitOfWork, frames: Sequence["Incoming"]) -> None:
    """Stores each once, and counts them for each device."""
    if not frames:
        return
    devices = sorted({item.frame.device_id for item in frames})
    rows = uow.driver.execute(
        "SELECT device_id::text, sequences FROM unassigned_feed WHERE device_id = ANY(%s) ORDER BY device_id FOR UPDATE",
        ([UUID(device_id) for device_id in devices],),
    ).fetchall()
    known = {device_id: Sequences(**kept) for device_id, kept in rows}
    fresh = [item for item in frames if known.setdefault(item.frame.device_id, Sequences()).take(item.frame.sequence)]
    with uow.driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for item in fresh:
            frame = item.frame
            copy.write_row(
                (UUID(frame.device_id), frame.sequence, moment(end_ms_of(frame)), item.received_day, item.raw)
            )
    for device_id in devices:
        count = sum(item.frame.device_id == device_id for item in fresh)
        uow.driver.execute(_FEED, (UUID(device_id), json.dumps(asdict(known[device_id])), count))
