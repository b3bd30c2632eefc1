"""A site joined the network: its zone says on which day its sessions are."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from billing.tables import site
from chassis.unit_of_work import UnitOfWork
from saguaro.scheduling.v1 import events_pb2 as scheduling_events


def react(uow: UnitOfWork, event: scheduling_events.SiteOpened) -> None:
    """Keeps the zone, and lets go on what waited for the site."""
    uow.execute(insert(site).values(site_id=UUID(event.site_id), time_zone=event.time_zone).on_conflict_do_nothing())
    uow.arrived(f"site:{event.site_id}")
