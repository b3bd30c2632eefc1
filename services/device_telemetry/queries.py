"""Reads: a session's alarms, those of devices that belong to nobody, what was kept aside."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types

_ALARMS = """
SELECT * FROM alarm WHERE session_id = :session_id AND (CAST(:at AS timestamptz) IS NULL OR (measured_at, alarm_id) > (:at, :id))
ORDER BY measured_at, alarm_id LIMIT :size
"""
_DEVICE_ALARMS = """
SELECT * FROM device_alarm
WHERE site_id = :site_id AND (CAST(:at AS timestamptz) IS NULL OR (first_at, device_alarm_id) > (:at, :id))
ORDER BY first_at, device_alarm_id LIMIT :size
"""
# What could not be used, and devices whose frames belong to no session.
_QUARANTINE = """
SELECT * FROM (
    SELECT quarantine_id, source, source_id, rule, received_at FROM quarantine
    UNION ALL
    SELECT device_id, 'frame', device_id::text, 'device_id: must be attached to a session', last_received_at FROM unassigned_feed
) AS kept
WHERE CAST(:at AS timestamptz) IS NULL OR (received_at, quarantine_id) < (:at, :id)
ORDER BY received_at DESC, quarantine_id DESC LIMIT :size
"""


def list_alarms(uow: UnitOfWork, request: pb.ListAlarmsRequest) -> pb.ListAlarmsResponse:
    """Alarms of a session in the order of measurement."""
    page = read_token(request)
    at, after_id = page.after or (None, None)
    rows = uow.execute(
        text(_ALARMS), {"session_id": UUID(request.session_id), "at": at, "id": after_id, "size": page.size + 1}
    ).all()
    shown = rows[: page.size]
    last = (shown[-1].measured_at.isoformat(), shown[-1].alarm_id) if len(rows) > page.size else None
    return pb.ListAlarmsResponse(alarms=[_alarm(row) for row in shown], next_page_token=make_token(page, last))


def list_quarantine(uow: UnitOfWork, request: pb.ListQuarantineRequest) -> pb.ListQuarantineResponse:
    """Newest first: ids and rules, never content."""
    page = read_token(request)
    at, after_id = page.after or (None, None)
    rows = uow.execute(text(_QUARANTINE), {"at": at, "id": after_id, "size": page.size + 1}).all()
    shown = rows[: page.size]
    last = (shown[-1].received_at.isoformat(), shown[-1].quarantine_id) if len(rows) > page.size else None
    items = [
        pb.QuarantinedItem(
            quarantine_id=str(row.quarantine_id),
            source=row.source,
            device_id=row.source_id,
            rule=row.rule,
            received_at=to_timestamp(row.received_at),
        )
        for row in shown
    ]
    return pb.ListQuarantineResponse(items=items, next_page_token=make_token(page, last))


def list_device_alarms(uow: UnitOfWork, request: pb.ListDeviceAlarmsRequest) -> pb.ListDeviceAlarmsResponse:
    """Technical alarms of a site's devices that measure and belong to no session, in the order in which they began."""
    page = read_token(request)
    at, after_id = page.after or (None, None)
    rows = uow.execute(
        text(_DEVICE_ALARMS), {"site_id": UUID(request.site_id), "at": at, "id": after_id, "size": page.size + 1}
    ).all()
    shown = rows[: page.size]
    last = (shown[-1].first_at.isoformat(), shown[-1].device_alarm_id) if len(rows) > page.size else None
    alarms = [
        pb.DeviceAlarm(
            device_alarm_id=str(row.device_alarm_id),
            device_id=str(row.device_id),
            kind_code=row.kind_code,
            priority=row.priority,
            first_at=to_timestamp(row.first_at),
            last_at=to_timestamp(row.last_at),
            active=row.cleared_at is None,
            frames=row.frames,
        )
        for row in shown
    ]
    return pb.ListDeviceAlarmsResponse(alarms=alarms, next_page_token=make_token(page, last))


def alarm_state(row: Any) -> str:
    """IEC 60601-1-8: active, acknowledged while the condition lasts, latched when it is over unacknowledged, inactive."""
    if row.cleared_at is None:
        return "active" if row.acknowledged_at is None else "acknowledged"
    return "latched" if row.latching and row.acknowledged_at is None else "inactive"


def _alarm(row: Any) -> types.Alarm:
    made = types.Alarm(
        alarm_id=str(row.alarm_id),
        session_id=str(row.session_id),
        device_id=str(row.device_id) if row.device_id is not None else "",
        kind_code=row.kind_code,
        priority=row.priority,
        category=row.category,
        measured_at=to_timestamp(row.measured_at),
        detected_at=to_timestamp(row.detected_at),
        active=row.cleared_at is None,
        acknowledged=row.acknowledged_at is not None,
        state=alarm_state(row),
        acknowledged_by=str(row.acknowledged_by or ""),
        repetitions=row.repetitions,
        escalated_to=row.escalated_to or "",
    )
    if row.cleared_at is not None:
        made.cleared_at.CopyFrom(to_timestamp(row.cleared_at))
    if row.acknowledged_at is not None:
        made.acknowledged_at.CopyFrom(to_timestamp(row.acknowledged_at))
    return made


LIST_ALARMS = Query("ListAlarms", pb.ListAlarmsRequest, list_alarms)
LIST_QUARANTINE = Query("ListQuarantine", pb.ListQuarantineRequest, list_quarantine, roles=frozenset({"operator"}))
LIST_DEVICE_ALARMS = Query(
    "ListDeviceAlarms", pb.ListDeviceAlarmsRequest, list_device_alarms, roles=frozenset({"nurse", "operator"})
)
