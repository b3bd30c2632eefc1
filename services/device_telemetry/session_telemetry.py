"""One session as a console shows it: where the infusion stands, the latest values with their age, and what it is judged by."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.index import Query
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from device_telemetry.attachments import KINDS
from device_telemetry.commands.resume_infusion import privilege_needed
from device_telemetry.domain import delivery, flow, silence
from device_telemetry.domain.codes import CHANNEL_OF_METRIC
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.programme import Programme
from device_telemetry.domain.pump_state import LIVE, PumpState
from device_telemetry.domain.session_state import SessionState, from_json
from device_telemetry.frames.kept_state import baseline_of, moment
from device_telemetry.frames.policy_cache import policies_in_force, policy_for
from device_telemetry.records import programme_of, session_of
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types

_STATE = """
SELECT t.state::text AS state, p.reason_code, a.authorisation_id, a.drug_code, a.concentration_mg_per_ml, a.rate_ml_per_h, a.vtbi_ml
FROM infusion_session s LEFT JOIN session_state t USING (session_id) LEFT JOIN authorisation a USING (session_id)
LEFT JOIN infusion_stop p USING (session_id) WHERE s.session_id = :session_id
"""
_ECHO = """
SELECT e.reported_at, e.report FROM pump_echo e WHERE e.session_id = :session_id
ORDER BY EXISTS (SELECT 1 FROM attachment a WHERE a.session_id = e.session_id AND a.device_id = e.device_id AND upper_inf(a.during)) DESC,
         e.reported_at DESC LIMIT 1
"""
_ATTACHED = """
SELECT device_id, kind, attached_by, lower(during) AS attached_at, upper(during) AS detached_at FROM attachment
WHERE session_id = :session_id ORDER BY lower(during), device_id
"""
_UNITS = {"sbp": "mm[Hg]", "dbp": "mm[Hg]", "map": "mm[Hg]", "hr": "/min", "rr": "/min", "spo2": "%"}
_MILLION = 1_000_000


def get_session_telemetry(uow: UnitOfWork, request: pb.GetSessionTelemetryRequest) -> pb.GetSessionTelemetryResponse:
    """State of the infusion by the pumps' own reports, latest values, limits in force. NotFound for an unknown session."""
    session = session_of(uow, request.session_id)
    parameters = {"session_id": UUID(request.session_id)}
    row = uow.execute(text(_STATE), parameters).one()
    kept = None if row.state is None else json.loads(row.state)
    state = SessionState(request.session_id) if kept is None else from_json(kept)
    response = pb.GetSessionTelemetryResponse(
        session_id=request.session_id,
        devices=[
            pb.DeviceProgress(device_id=device_id, last_sequence=sequences.last)
            for device_id, sequences in sorted(state.devices.items())
        ],
        stop_reason_code=row.reason_code or "",
    )
    if state.log_ms:
        response.log_at.CopyFrom(to_timestamp(moment(state.log_ms)))
    day = session.booked_at.replace(hour=0, minute=0, second=0, microsecond=0)
    measured = [getattr(session, f"baseline_{metric}") for metric in ("sbp", "dbp", "hr", "spo2", "rr")]
    policies_in_force(uow, [(session.site_id, day)])
    policy = policy_for(uow, session.site_id, day, baseline_of(measured))
    _infusion(response, state.pump, row, policy)
    if state.pump.phase == "paused":
        response.resume_privilege = privilege_needed(uow, session.site_id, state.pump, uow.clinic_time)
    _readings(response, state, policy)
    _limits(response, policy)
    for attached in uow.execute(text(_ATTACHED), parameters):
        response.attached.append(_attached(attached))
    echo = uow.execute(text(_ECHO), parameters).one_or_none()
    if echo is not None:
        response.pump_report.CopyFrom(types.PumpReport.FromString(bytes(echo.report)))
        response.pump_report_at.CopyFrom(to_timestamp(echo.reported_at))
    return response


def _infusion(response: pb.GetSessionTelemetryResponse, pump: PumpState, row: Any, policy: Policy) -> None:
    response.state = pump.phase
    if pump.phase == "waiting" and row.authorisation_id is not None:
        response.state = "authorised"
    if pump.started_ms is None or row.authorisation_id is None:
        return
    response.started_at.CopyFrom(to_timestamp(moment(pump.started_ms)))
    # A pump that keeps the vein open has ended its infusion, though it is not at rest.
    stopped_ms = pump.ended_ms if pump.phase in LIVE else pump.stopped_ms
    if stopped_ms is not None:
        response.stopped_at.CopyFrom(to_timestamp(moment(stopped_ms)))
    if pump.phase == "paused" and pump.paused_ms is not None:
        response.paused_at.CopyFrom(to_timestamp(moment(pump.paused_ms)))
    _volumes(response, pump, programme_of(row), policy)


def _volumes(response: pb.GetSessionTelemetryResponse, pump: PumpState, ordered: Programme, policy: Policy) -> None:
    delivered_ml, vtbi_ml = pump.delivered_ml, ordered.vtbi_ml or delivery.ZERO
    expected_ml = delivery.expected_ml(ordered.rate_ml_per_h or delivery.ZERO, pump.delivering_ms)
    given_ml = min(delivered_ml, vtbi_ml)
    response.delivered_ml = decimal_text(delivered_ml)
    response.remaining_ml = decimal_text(max(vtbi_ml - delivered_ml, delivery.ZERO))
    response.expected_ml = decimal_text(expected_ml)
    apart = policy.pump is not None and flow.discrepancy(given_ml, expected_ml, policy.pump)
    response.volume_discrepancy = apart
    # House policy: where they do not agree, the larger one is shown.
    response.shown_ml = decimal_text(max(delivered_ml, expected_ml) if apart else delivered_ml)


def _readings(response: pb.GetSessionTelemetryResponse, state: SessionState, policy: Policy) -> None:
    """By the session's own clock; fresh as the silence limits have it, those of one metric alone."""
    limits = {metric: limit for limit in policy.silences if len(limit.metrics) == 1 for metric in limit.metrics}
    for metric, channel in CHANNEL_OF_METRIC.items():
        known = state.metrics.get(metric)
        if known is None:
            continue
        age_ms = max(state.log_ms - known.last_ms, 0)
        # The cuff measures all its pressures at once.
        limit = limits.get(metric) or limits.get("sbp" if metric in ("dbp", "map") else "hr")
        bound_ms = 0 if limit is None else silence.bound_ms(limit, known.period_ms, policy.feed_slack_ms)
        reading = pb.MetricReading(
            metric=metric,
            channel=channel,
            value=_number(Decimal(known.value_e6) / _MILLION) if known.value_e6 else "",
            unit=_UNITS[metric],
            fresh=age_ms <= bound_ms,
            age_seconds=age_ms // 1000,
            device_id=known.device_id,
        )
        reading.measured_at.CopyFrom(to_timestamp(moment(known.last_ms)))
        response.readings.append(reading)


def _limits(response: pb.GetSessionTelemetryResponse, policy: Policy) -> None:
    for limit in policy.limits:
        response.limits.append(
            pb.LimitInForce(
                kind_code=limit.kind,
                metric=limit.metric,
                side=limit.side.value,
                bound=_number(Decimal(limit.bound_e6) / _MILLION),
                inclusive=limit.inclusive,
                priority=limit.priority,  # type: ignore[arg-type]
                duration_seconds=limit.duration_ms // 1000,
                confirm_seconds=limit.confirm_ms // 1000,
                percent_of_baseline=_number(Decimal(limit.percent_e6) / _MILLION) if limit.percent_e6 else "",
            )
        )
    for silent in (*policy.silences, *((policy.pump_silence,) if policy.pump_silence is not None else ())):
        response.silences.append(
            pb.SilenceInForce(
                kind_code=silent.kind,
                metrics=silent.metrics,
                after_seconds=silent.after_ms // 1000,
                priority=silent.priority,
            )
        )


def _attached(row: Any) -> pb.AttachedDevice:
    made = pb.AttachedDevice(device_id=str(row.device_id), kind=KINDS[row.kind], attached_by=str(row.attached_by))
    made.attached_at.CopyFrom(to_timestamp(row.attached_at))
    if isinstance(row.detached_at, datetime):
        made.detached_at.CopyFrom(to_timestamp(row.detached_at))
    return made


def _number(value: Decimal) -> str:
    """Without zeros that say nothing."""
    plain = decimal_text(value)
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


QUERY = Query("GetSessionTelemetry", pb.GetSessionTelemetryRequest, get_session_telemetry)
