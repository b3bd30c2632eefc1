"""An order is issued: the pump's echo is compared with it before a start."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, from_timestamp
from device_telemetry.tables import infusion_order
from saguaro.treatment_plan.v1 import events_pb2 as plan


def react(uow: UnitOfWork, event: plan.OrderIssued) -> None:
    """Keeps a copy of the programme; lets go on what waited for the order."""
    programme = event.programme
    uow.execute(
        insert(infusion_order)
        .values(
            order_id=UUID(event.order_id),
            session_id=UUID(event.session_id),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            drug_code=programme.drug_code,
            concentration_mg_per_ml=decimal_of(programme.concentration_mg_per_ml, "programme.concentration_mg_per_ml"),
            rate_ml_per_h=decimal_of(programme.rate_ml_per_h, "programme.rate_ml_per_h"),
            vtbi_ml=decimal_of(programme.vtbi_ml, "programme.vtbi_ml"),
            weight_kg=decimal_of(event.weight_kg, "weight_kg") if event.weight_kg else None,
            issued_at=from_timestamp(event.issued_at),
            expires_at=from_timestamp(event.expires_at),
        )
        .on_conflict_do_nothing(index_elements=["order_id"])
    )
    uow.arrived(f"order:{event.order_id}")
