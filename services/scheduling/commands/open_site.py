"""A site joins the network, with its own IANA zone."""

from uuid import UUID

from sqlalchemy import insert

from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.domain.site_time import is_zone
from scheduling.tables import site


def handle(uow: UnitOfWork, request: pb.OpenSiteRequest) -> Ids:
    """Keep the site. InvalidArgument for a zone that the IANA database does not have; a code or id is taken once."""
    asked = request.site
    if not is_zone(asked.time_zone):
        raise InvalidArgument("site.time_zone", "must be a zone of the IANA database such as America/Phoenix")
    uow.execute(
        insert(site).values(
            site_id=UUID(asked.site_id), site_code=asked.site_code, time_zone=asked.time_zone, opened_at=uow.clinic_time
        )
    )
    uow.emit(
        events.SiteOpened(
            site_id=asked.site_id,
            site_code=asked.site_code,
            time_zone=asked.time_zone,
            opened_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"site_id": asked.site_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.OpenSiteResponse:
    """The id of the site."""
    return pb.OpenSiteResponse(site_id=ids["site_id"])


COMMAND = Command("OpenSite", pb.OpenSiteRequest, handle, answer, roles=frozenset({"operator"}))
