"""A pump began to deliver: what was answered before the first infusion of a plan is its baseline."""

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from intake.series import take_down_infusion
from saguaro.device_telemetry.v1 import events_pb2 as infusion_events


def react(uow: UnitOfWork, event: infusion_events.InfusionStarted) -> None:
    """Results that were completed since are judged anew."""
    take_down_infusion(
        uow,
        session_id=event.session_id,
        person_id=event.person_id,
        site_id=event.site_id,
        started_at=from_timestamp(event.started_at),
    )
