"""Everything that must be there before a start is there."""

from uuid import UUID

from sqlalchemy import update

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.tables import infusion_session
from saguaro.treatment_plan.v1 import events_pb2 as plan


def react(uow: UnitOfWork, event: plan.SessionReady) -> None:
    """Marks the copy for those who watch; the start itself asks treatment-plan. Early while the booking is not known."""
    changed = uow.execute(
        update(infusion_session)
        .where(infusion_session.c.session_id == UUID(event.session_id))
        .values(ready_at=from_timestamp(event.ready_at))
    )
    if changed.rowcount == 0:
        raise Early(f"session:{event.session_id}")
