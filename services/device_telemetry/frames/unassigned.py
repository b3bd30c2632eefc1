"""Frames of devices that were attached to nothing: kept for an operator, never charted, never judged."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.alarm_kinds import UNASSIGNED
from device_telemetry.domain.sequences import Sequences
from device_telemetry.frames.decode import end_ms_of, first_ms_of
from device_telemetry.frames.kept_state import moment
from saguaro.device_telemetry.v1 import types_pb2 as types

if TYPE_CHECKING:
    from device_telemetry.frames.apply_batch import Incoming

_COPY = "COPY unassigned_frame (device_id, sequence, ends_at, received_day, payload) FROM STDIN (FORMAT BINARY)"
_TYPES = ("uuid", "int8", "timestamptz", "date", "bytea")
_FEED = """
INSERT INTO unassigned_feed (device_id, sequences, frames) VALUES (%s, %s, %s)
ON CONFLICT (device_id) DO UPDATE SET sequences = excluded.sequences, last_received_at = clock_timestamp(),
    frames = unassigned_feed.frames + excluded.frames
"""
# A frame that was measured before the device was attached, and comes after, raises nothing any more.
_ALARM = """
INSERT INTO device_alarm (device_alarm_id, device_id, site_id, kind_code, priority, first_at, last_at, frames)
SELECT %s, d.device_id, d.site_id, %s, %s, %s, %s, %s FROM device d
WHERE d.device_id = %s AND NOT EXISTS (SELECT 1 FROM attachment a WHERE a.device_id = d.device_id AND upper_inf(a.during))
ON CONFLICT (device_id, kind_code) WHERE cleared_at IS NULL
DO UPDATE SET last_at = greatest(device_alarm.last_at, excluded.last_at), frames = device_alarm.frames + excluded.frames
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
        if count:
            _alarm(uow, device_id, [item.frame for item in fresh if item.frame.device_id == device_id])


def _alarm(uow: UnitOfWork, device_id: str, frames: Sequence[types.Frame]) -> None:
    """House policy: a device that measures and is attached to nothing is a technical alarm, until it is attached."""
    first, last = moment(min(map(first_ms_of, frames))), moment(max(map(end_ms_of, frames)))
    uow.driver.execute(
        _ALARM, (uow.new_id(), UNASSIGNED.code, UNASSIGNED.priority, first, last, len(frames), UUID(device_id))
    )
