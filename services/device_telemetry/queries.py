"""Reads: where a session stands, its alarms, what was kept aside."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from device_telemetry.domain.pump_state import LIVE
from device_telemetry.domain.session_state import SessionState, from_json
from device_telemetry.frames.kept_state import moment
from device_telemetry.records import session_of
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types

_STATE = """
SELECT t.state, a.authorisation_id FROM infusion_session s
LEFT JOIN session_state t USING (session_id) LEFT JOIN authorisation a USING (session_id) WHERE s.session_id = :session_id
"""
_ECHO = "SELECT reported_at, report FROM pump_echo WHERE session_id = :session_id ORDER BY reported_at DESC LIMIT 1"
_ALARMS = """
SELECT * FROM alarm WHERE session_id = :session_id AND (CAST(:at AS timestamptz) IS NULL OR (measured_at, alarm_id) > (:at, :id))
ORDER BY measured_at, alarm_id LIMIT :size
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


def get_session_telemetry(uow: UnitOfWork, request: pb.GetSessionTelemetryRequest) -> pb.GetSessionTelemetryResponse:
    """State of the infusion by the pump's own reports, frames applied, last echo. NotFound for an unknown session."""
    session_of(uow, request.session_id)
    parameters = {"session_id": UUID(request.session_id)}
    row = uow.execute(text(_STATE), parameters).one()
    state = SessionState(request.session_id) if row.state is None else from_json(row.state)
    pump = state.pump
    phase: str = pump.phase
    if phase == "waiting" and row.authorisation_id is not None:
        phase = "authorised"
    response = pb.GetSessionTelemetryResponse(
        session_id=request.session_id,
        state=phase,
        delivered_ml=decimal_text(pump.delivered_ml) if pump.started_ms is not None else "",
        devices=[
            pb.DeviceProgress(device_id=device_id, last_sequence=sequences.last)
            for device_id, sequences in sorted(state.devices.items())
        ],
    )
    if pump.started_ms is not None:
        response.started_at.CopyFrom(to_timestamp(moment(pump.started_ms)))
    # A pump that keeps the vein open has ended its infusion, though it is not at rest.
    stopped_ms = pump.ended_ms if pump.phase in LIVE else pump.stopped_ms
    if stopped_ms is not None:
        response.stopped_at.CopyFrom(to_timestamp(moment(stopped_ms)))
    echo = uow.execute(text(_ECHO), parameters).one_or_none()
    if echo is not None:
        response.pump_report.CopyFrom(types.PumpReport.FromString(bytes(echo.report)))
        response.pump_report_at.CopyFrom(to_timestamp(echo.reported_at))
    return response


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


def _alarm(row: Any) -> types.Alarm:
    return types.Alarm(
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
    )


GET_SESSION_TELEMETRY = Query("GetSessionTelemetry", pb.GetSessionTelemetryRequest, get_session_telemetry)
LIST_ALARMS = Query("ListAlarms", pb.ListAlarmsRequest, list_alarms)
LIST_QUARANTINE = Query("ListQuarantine", pb.ListQuarantineRequest, list_quarantine, roles=frozenset({"operator"}))
