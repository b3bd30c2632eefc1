"""The end of an attachment: by a nurse, or because the session was moved or cancelled."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from device_telemetry.infusion_acts import pump_taken_off
from device_telemetry.tables import attachment, attachment_version
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import types_pb2 as types

KINDS = {"pump": types.DEVICE_KIND_PUMP, "monitor": types.DEVICE_KIND_MONITOR}


def open_attachments(*conditions: Any) -> Any:
    """A statement for what is attached now, locked; `attached_at` is when it began."""
    return (
        select(attachment, func.lower(attachment.c.during).label("attached_at"))
        .where(func.upper_inf(attachment.c.during), *conditions)
        .order_by(attachment.c.attachment_id)
        .with_for_update()
    )


def close(uow: UnitOfWork, row: Any, at: datetime) -> None:
    """Closes it at this time, tells it, and lets the infusion wait if its pump ran."""
    # An attachment holds for a moment at least, whatever the clocks say.
    at = max(at, row.attached_at + timedelta(milliseconds=1))
    uow.execute(
        update(attachment)
        .where(attachment.c.attachment_id == row.attachment_id)
        .values(during=Range(row.attached_at, at, bounds="[)"), detached_by=uow.context.actor_id)
    )
    uow.execute(update(attachment_version).values(version=attachment_version.c.version + 1))
    uow.emit(
        events.DeviceDetached(
            session_id=str(row.session_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            device_id=str(row.device_id),
            kind=KINDS[row.kind],
            detached_at=to_timestamp(at),
        )
    )
    if row.kind == "pump":
        pump_taken_off(uow, row.session_id, row.device_id, int(at.timestamp() * 1000))
