"""When an appointment is to start: a moment, or the wall time of its site."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import InvalidArgument, NotFound
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from scheduling.domain.site_time import moment_of_wall
from scheduling.tables import site


def start_of(uow: UnitOfWork, request: Any, site_id: UUID) -> datetime:
    """`starts_at` or `starts_at_wall` of the request as a moment (UTC). InvalidArgument unless it has exactly one.

    A wall time that the site's clocks skip is refused, one that they repeat needs its offset.
    """
    has_wall = request.HasField("starts_at_wall")
    if request.HasField("starts_at"):
        if has_wall:
            raise InvalidArgument("starts_at_wall", "must be left out where starts_at is given")
        return from_timestamp(request.starts_at)
    if not has_wall:
        raise InvalidArgument("starts_at", "must be given, or starts_at_wall")
    zone = zone_of(uow, site_id)
    return moment_of_wall(request.starts_at_wall.wall, request.starts_at_wall.offset, zone, "starts_at_wall")


def zone_of(uow: UnitOfWork, site_id: UUID) -> str:
    """The IANA zone of the site. NotFound for one that nobody opened."""
    zone = uow.execute(select(site.c.time_zone).where(site.c.site_id == site_id)).scalar_one_or_none()
    if zone is None:
        raise NotFound("site_id", "must be an opened site", site_id=str(site_id))
    return str(zone)
