"""An order is used: it authorises no second start."""

from uuid import UUID

from sqlalchemy import update

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from device_telemetry.tables import infusion_order
from saguaro.treatment_plan.v1 import events_pb2 as plan


def react(uow: UnitOfWork, event: plan.OrderUsed) -> None:
    """Marks the copy. Early while the order itself is not known."""
    changed = uow.execute(
        update(infusion_order)
        .where(infusion_order.c.order_id == UUID(event.order_id))
        .values(used_at=from_timestamp(event.used_at))
    )
    if changed.rowcount == 0:
        raise Early(f"order:{event.order_id}")
