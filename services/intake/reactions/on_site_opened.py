"""Scheduling opened a site: intake keeps its zone, in which ages and due times are told."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from intake.tables import site
from saguaro.scheduling.v1 import events_pb2 as scheduling_events


def react(uow: UnitOfWork, event: scheduling_events.SiteOpened) -> None:
    """The latest word holds: the events of one site arrive in order."""
    values = {"site_code": event.site_code, "time_zone": event.time_zone, "opened_at": from_timestamp(event.opened_at)}
    uow.execute(
        insert(site)
        .values(site_id=UUID(event.site_id), **values)
        .on_conflict_do_update(index_elements=["site_id"], set_=values)
    )
    uow.arrived(f"site:{event.site_id}")
