"""A site is opened: its zone says when a licence's last day is over."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from device_telemetry.care_tables import site
from saguaro.scheduling.v1 import events_pb2 as scheduling


def react(uow: UnitOfWork, event: scheduling.SiteOpened) -> None:
    """Keeps a copy."""
    uow.execute(
        insert(site)
        .values(site_id=UUID(event.site_id), time_zone=event.time_zone)
        .on_conflict_do_update(index_elements=["site_id"], set_={"time_zone": event.time_zone})
    )
