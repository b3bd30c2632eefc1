"""Everything that must be there before a start is there."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import update

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, from_timestamp
from device_telemetry.tables import infusion_session
from saguaro.treatment_plan.v1 import events_pb2 as plan


def react(uow: UnitOfWork, event: plan.SessionReady) -> None:
    """Keeps when, by whom and against which baseline; the start itself asks treatment-plan. Early while the booking is not known."""
    changed = uow.execute(
        update(infusion_session)
        .where(infusion_session.c.session_id == UUID(event.session_id))
        .values(
            ready_at=from_timestamp(event.ready_at),
            baseline_sbp=_number(event.baseline_systolic_mmhg, "baseline_systolic_mmhg"),
            baseline_dbp=_number(event.baseline_diastolic_mmhg, "baseline_diastolic_mmhg"),
            baseline_hr=_number(event.baseline_heart_rate_per_min, "baseline_heart_rate_per_min"),
            baseline_spo2=_number(event.baseline_spo2_percent, "baseline_spo2_percent"),
            baseline_rr=_number(event.baseline_respiratory_rate_per_min, "baseline_respiratory_rate_per_min"),
            responsible_prescriber_id=_id(event.responsible_prescriber_id),
            administering_clinician_id=_id(event.administering_clinician_id),
        )
    )
    if changed.rowcount == 0:
        raise Early(f"session:{event.session_id}")


def _number(text: str, field: str) -> Decimal | None:
    return decimal_of(text, field) if text else None


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None
