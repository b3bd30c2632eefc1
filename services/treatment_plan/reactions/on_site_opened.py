"""A site was opened: its time zone, by which the day of a licence or registration is read."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from treatment_plan.practitioner_tables import site


def react(uow: UnitOfWork, event: scheduling_events.SiteOpened) -> None:
    """Keeps the zone."""
    uow.execute(insert(site).values(site_id=UUID(event.site_id), time_zone=event.time_zone).on_conflict_do_nothing())
