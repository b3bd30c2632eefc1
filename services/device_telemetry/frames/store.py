"""Frames into PostgreSQL by COPY, as they came, and the last echo of each pump."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.frames.decode import end_ms_of
from device_telemetry.frames.kept_state import Session, moment
from saguaro.device_telemetry.v1 import types_pb2 as types

if TYPE_CHECKING:
    from device_telemetry.frames.apply_batch import Incoming

_COPY = """
COPY frame (received_day, session_id, person_id, site_id, device_id, sequence, ends_at, samples, payload)
FROM STDIN (FORMAT BINARY)
"""
_TYPES = ("date", "uuid", "uuid", "uuid", "uuid", "int8", "timestamptz", "int4", "bytea")
_ECHO = """
INSERT INTO pump_echo (session_id, device_id, person_id, site_id, reported_at, report) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (session_id, device_id) DO UPDATE SET reported_at = excluded.reported_at, report = excluded.report
WHERE pump_echo.reported_at <= excluded.reported_at
"""


def copy_frames(uow: UnitOfWork, frames: Sequence[tuple[Session, "Incoming"]]) -> None:
    """Stores the frames of sessions."""
    if not frames:
        return
    with uow.driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for session, item in frames:
            frame = item.frame
            copy.write_row(
                (
                    item.received_day,
                    UUID(session.session_id),
                    session.person_id,
                    session.site_id,
                    UUID(frame.device_id),
                    frame.sequence,
                    moment(end_ms_of(frame)),
                    len(frame.quality),
                    item.raw,
                )
            )


def keep_echoes(uow: UnitOfWork, echoes: Sequence[tuple[Session, types.Frame]]) -> None:
    """Keeps the last report of each pump, for the next start to compare with."""
    for session, frame in echoes:
        uow.driver.execute(
            _ECHO,
            (
                UUID(session.session_id),
                UUID(frame.device_id),
                session.person_id,
                session.site_id,
                moment(end_ms_of(frame)),
                frame.pump_report.SerializeToString(),
            ),
        )
