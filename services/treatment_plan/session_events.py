"""What others learn of a session before and after its infusion."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from treatment_plan.domain.numbers import plain
from treatment_plan.session_facts import readiness_of


def ready_event(uow: UnitOfWork, session: Any, order_id: UUID) -> events.SessionReady:
    """Ready for this order, with the baseline that relative limits are judged by and who answers for what."""
    row = readiness_of(uow, order_id)
    return events.SessionReady(
        session_id=str(session.session_id),
        person_id=str(session.person_id),
        site_id=str(session.site_id),
        order_id=str(order_id),
        arrival_weight_kg=plain(row.arrival_weight_kg),
        ready_at=to_timestamp(row.ready_at),
        baseline_systolic_mmhg=plain(row.baseline_systolic_mmhg),
        baseline_diastolic_mmhg=plain(row.baseline_diastolic_mmhg),
        baseline_heart_rate_per_min=plain(row.baseline_heart_rate_per_min),
        baseline_spo2_percent=plain(row.baseline_spo2_percent),
        baseline_respiratory_rate_per_min=plain(row.baseline_respiratory_rate_per_min),
        responsible_prescriber_id=str(row.responsible_prescriber_id),
        administering_clinician_id=str(row.administering_clinician_id),
    )


def discharged_event(uow: UnitOfWork, session: Any, follow_up_due_at: datetime) -> events.SessionDischarged:
    """The caller let the person go."""
    return events.SessionDischarged(
        session_id=str(session.session_id),
        person_id=str(session.person_id),
        site_id=str(session.site_id),
        discharged_by=str(uow.context.actor_id),
        discharged_at=to_timestamp(uow.clinic_time),
        follow_up_due_at=to_timestamp(follow_up_due_at),
    )
