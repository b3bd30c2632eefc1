"""Rows of the session record as messages of the contract."""

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.answers import OUTCOMES
from treatment_plan.domain.numbers import plain
from treatment_plan.domain.ready import Arrival, Missing
from treatment_plan.session_facts import aldrete_of

UNKNOWN = "unknown"


def stamp(moment: datetime | None) -> Timestamp | None:
    """A time, or none."""
    return None if moment is None else to_timestamp(moment)


def text_of(value: Any) -> str:
    """An exact number or an id as text; empty for none."""
    if value is None:
        return ""
    return plain(value) if hasattr(value, "as_tuple") else str(value)


def arrival_message(held: Arrival) -> types.ArrivalAssessment:
    """What holds of all answers. That fasting was confirmed without times is told by neither time."""
    return types.ArrivalAssessment(
        weight_kg=text_of(held.weight_kg),
        pregnancy_code=held.pregnancy_code or "",
        last_food_at=stamp(held.last_food_at),
        last_liquids_at=stamp(held.last_liquids_at),
        driver_confirmed=held.driver_confirmed,
        medications_reconciled=held.medications_reconciled,
    )


def observation_message(row: Any) -> types.RecordedObservation:
    """An observation with its bands and sums."""
    aldrete = aldrete_of(row)
    seen = types.Observation(
        phase=row.phase,
        taken_at=to_timestamp(row.taken_at),
        systolic_mmhg=text_of(row.systolic_mmhg),
        diastolic_mmhg=text_of(row.diastolic_mmhg),
        heart_rate_per_min=text_of(row.heart_rate_per_min),
        spo2_percent=text_of(row.spo2_percent),
        respiratory_rate_per_min=text_of(row.respiratory_rate_per_min),
        side_effects=[types.GradedCode(**effect) for effect in row.side_effects],
        steady_gait=row.steady_gait,
        nausea_controlled=row.nausea_controlled,
        iv_out=row.iv_out,
        on_oxygen=row.on_oxygen,
    )
    if row.moaas is not None:
        seen.moaas.CopyFrom(types.MoaasScore(value=row.moaas, variant=row.moaas_variant))
    if row.cadss_total is not None:
        seen.cadss.CopyFrom(types.CadssScore(form=row.cadss_form, total=row.cadss_total, items=row.cadss_items or []))
    if aldrete is not None:
        seen.aldrete.CopyFrom(types.AldreteScore(**vars(aldrete)))
    return types.RecordedObservation(
        observation_id=str(row.observation_id),
        observation=seen,
        cadss_band=row.cadss_band or "",
        aldrete_total=None if aldrete is None else aldrete.total,
        recorded_by=str(row.recorded_by),
        recorded_at=to_timestamp(row.recorded_at),
    )


def bag_message(row: Any) -> types.RecordedBag:
    """A bag with who prepared and who checked it."""
    return types.RecordedBag(
        bag_id=str(row.bag_id),
        bag=types.Bag(
            ndc=row.ndc,
            lot=row.lot,
            expires_on=row.expires_on.isoformat(),
            vial_concentration_mg_per_ml=plain(row.vial_concentration_mg_per_ml),
            drawn_ml=plain(row.drawn_ml),
            final_ml=plain(row.final_ml),
        ),
        prepared_by=str(row.prepared_by),
        prepared_at=to_timestamp(row.prepared_at),
        checked_by=text_of(row.checked_by),
        checked_at=stamp(row.checked_at),
    )


def infusion_message(progress: Any, totals: Any, reason_code: str) -> types.InfusionOnRecord:
    """The pump's part; `totals` is None while it runs."""
    message = types.InfusionOnRecord(
        started_at=stamp(progress.started_at),
        last_paused_at=stamp(progress.last_paused_at),
        last_resumed_at=stamp(progress.last_resumed_at),
        stopped_at=stamp(progress.ended_at),
        abort_reason_code=reason_code,
    )
    if totals is not None:
        message.outcome = OUTCOMES[totals.outcome]
        message.delivered_ml = plain(totals.delivered_ml)
        message.delivering_seconds = totals.delivering_seconds
        message.paused_seconds = totals.paused_seconds
    return message


def adverse_event_message(row: Any) -> types.AdverseEvent:
    """What went wrong, what was done, how it ended."""
    return types.AdverseEvent(
        adverse_event_id=str(row.adverse_event_id),
        kind_code=row.kind_code,
        severity_code=row.severity_code,
        occurred_at=to_timestamp(row.occurred_at),
        action_codes=row.action_codes or [],
        outcome_code=row.outcome_code or UNKNOWN,
        recorded_by=str(row.recorded_by),
    )


def follow_up_message(row: Any) -> types.FollowUp:
    """The check of the next day."""
    return types.FollowUp(
        session_id=str(row.session_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        status_code=row.status_code,
        due_at=to_timestamp(row.due_at),
        given_at=stamp(row.given_at),
        recorded_by=text_of(row.recorded_by),
        outcome_codes=row.outcome_codes,
        attempts=row.attempts,
    )


def missing_message(item: Missing) -> types.MissingItem:
    """An item that a gate lacks."""
    return types.MissingItem(item_code=item.item_code, rule=item.rule, soft=item.soft)
