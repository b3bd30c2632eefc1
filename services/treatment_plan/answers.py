"""Rows as messages of the contract."""

from typing import Any

from chassis.values import decimal_text, to_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.domain.dose import KETAMINE, Dose, Programme
from treatment_plan.domain.limits import LimitFinding
from treatment_plan.domain.numbers import plain, rounded

SEVERITIES = {"soft": types.LIMIT_SEVERITY_SOFT, "hard": types.LIMIT_SEVERITY_HARD}
PLAN_STATES = {
    "draft": types.PLAN_STATE_DRAFT,
    "signed": types.PLAN_STATE_SIGNED,
    "suspended": types.PLAN_STATE_SUSPENDED,
    "completed": types.PLAN_STATE_COMPLETED,
}
SESSION_STATES = {
    "planned": types.SESSION_STATE_PLANNED,
    "prepared": types.SESSION_STATE_PREPARED,
    "ready": types.SESSION_STATE_READY,
    "authorised": types.SESSION_STATE_AUTHORISED,
    "infusing": types.SESSION_STATE_INFUSING,
    "paused": types.SESSION_STATE_PAUSED,
    "ended": types.SESSION_STATE_ENDED,
    "recovering": types.SESSION_STATE_RECOVERING,
    "discharged": types.SESSION_STATE_DISCHARGED,
    "closed": types.SESSION_STATE_CLOSED,
    "cancelled": types.SESSION_STATE_CANCELLED,
}
OUTCOMES = {"completed": types.SESSION_OUTCOME_COMPLETED, "aborted": types.SESSION_OUTCOME_ABORTED}


def programme_message(programme: Programme) -> types.PumpProgramme:
    """Rate and volume keep their one decimal."""
    return types.PumpProgramme(
        drug_code=programme.drug_code,
        concentration_mg_per_ml=plain(programme.concentration_mg_per_ml),
        rate_ml_per_h=decimal_text(programme.rate_ml_per_h),
        vtbi_ml=decimal_text(programme.vtbi_ml),
    )


def programme_of(order: Any) -> Programme:
    """The programme of an order's row."""
    return Programme(order.drug_code, order.concentration_mg_per_ml, order.rate_ml_per_h, order.vtbi_ml)


def dose_message(dose: Dose, found: list[LimitFinding]) -> types.ComputedDose:
    """A dose with the limits that it passes."""
    return types.ComputedDose(
        ordered_mg=plain(dose.ordered_mg),
        dose_mg=plain(dose.dose_mg),
        programme=programme_message(dose.programme),
        duration_min=decimal_text(dose.duration_min),
        limits=[
            types.LimitFinding(
                limit_code=item.limit_code, severity=SEVERITIES[item.severity], value=item.value, bound=item.bound
            )
            for item in found
        ],
    )


def plan_message(row: Any) -> types.Plan:
    """A plan with its newest numbers (records.plans)."""
    programme = Programme(KETAMINE, row.concentration_mg_per_ml, row.rate_ml_per_h, row.vtbi_ml)
    dose = Dose(row.ordered_mg, row.dose_mg, programme, row.programme_duration_min)
    return types.Plan(
        plan_id=str(row.plan_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        protocol_code=row.protocol_code,
        protocol_version=row.protocol_version,
        indication=row.indication,
        state=PLAN_STATES[row.state],
        sessions_planned=row.sessions_planned,
        dose_request=types.DoseRequest(
            library_code=row.library_code,
            weight_kg=plain(row.weight_kg),
            dose_mg_per_kg=plain(rounded(row.dose_mg_per_kg, 6)),
            duration_min=row.duration_min,
            concentration_mg_per_ml=plain(row.concentration_mg_per_ml),
            dose_rate="" if row.dose_rate is None else plain(row.dose_rate),
            dose_rate_unit=row.dose_rate_unit or "",
        ),
        dose=dose_message(dose, [LimitFinding(**item) for item in row.limits]),
        signed_at=to_timestamp(row.signed_at) if row.signed_at is not None else None,
        version=row.version,
        interval_days=row.interval_days or 0,
        phase=row.phase,
        measured_weight_kg=plain(row.measured_weight_kg),
        weight_rule=row.weight_rule,
    )


def hold_message(row: Any) -> types.Hold:
    """A hold; what is empty did not happen yet."""
    return types.Hold(
        hold_id=str(row.hold_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        plan_id=str(row.plan_id),
        session_id=str(row.session_id),
        reason_code=row.reason_code,
        placed_at=to_timestamp(row.placed_at),
        released_by=str(row.released_by or ""),
        released_reason_code=row.released_reason_code or "",
        released_at=to_timestamp(row.released_at) if row.released_at is not None else None,
    )


def suggestion_message(row: Any) -> types.Suggestion:
    """What a person's response suggested, and what a prescriber decided."""
    dose = row.suggested_dose_mg_per_kg
    return types.Suggestion(
        suggestion_id=str(row.suggestion_id),
        plan_id=str(row.plan_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        kind_code=row.kind_code,
        state=row.state,
        suggested_dose_mg_per_kg="" if dose is None else plain(dose),
        suggested_interval_days=row.suggested_interval_days or 0,
        after_sessions=row.after_sessions,
        result_id=str(row.result_id),
        suggested_at=to_timestamp(row.suggested_at),
        decided_by=str(row.decided_by or ""),
        reason_code=row.reason_code or "",
        decided_at=to_timestamp(row.decided_at) if row.decided_at is not None else None,
    )


def session_message(row: Any, order_id: str, responsible_prescriber_id: str = "") -> types.Session:
    """A session; `order_id` is that of its order in force, or empty, and so is who answers for it."""
    return types.Session(
        session_id=str(row.session_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        plan_id=str(row.plan_id),
        ordinal=row.ordinal,
        state=SESSION_STATES[row.state],
        order_id=order_id,
        starts_at=to_timestamp(row.starts_at),
        responsible_prescriber_id=responsible_prescriber_id,
    )


def protocol_message(row: Any) -> pb.Protocol:
    """A version of a protocol."""
    return pb.Protocol(
        protocol_code=row.protocol_code,
        version=row.version,
        library_code=row.library_code,
        indications=row.indications,
        dose_mg_per_kg=plain(row.dose_mg_per_kg),
        duration_min=row.duration_min,
        sessions_planned=row.sessions_planned,
        effective_from=to_timestamp(row.effective_from),
        review_state=row.review_state,
        signed_by="" if row.signed_by is None else str(row.signed_by),
        signed_at=to_timestamp(row.signed_at) if row.signed_at is not None else None,
        source=row.source,
        phase=row.phase,
        interval_days=row.interval_days or 0,
        dose_rate="" if row.dose_rate is None else plain(row.dose_rate),
        dose_rate_unit=row.dose_rate_unit or "",
    )
