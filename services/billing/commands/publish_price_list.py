"""A site has new prices from a day on; earlier lists stay as they were."""

from datetime import date
from uuid import UUID

from sqlalchemy import insert, select

from billing.charges import release_held
from billing.tables import price_item, price_list, site
from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.PublishPriceListRequest) -> Ids:
    """Keeps the list (one a site and day), and charges what was held for want of a price.

    The site need not be known here yet: its event may still be on the way.
    """
    effective_from = _day(request.effective_from)
    codes = [item.code for item in request.items]
    if len(set(codes)) != len(codes):
        raise InvalidArgument("items.code", "must occur once in a price list")
    price_list_id, site_id = uow.new_id(), UUID(request.site_id)
    # Waits for charges of the site that are being priced by the list before, so that none is held and then forgotten.
    uow.execute(select(site.c.site_id).where(site.c.site_id == site_id).with_for_update())
    uow.execute(
        insert(price_list).values(
            price_list_id=price_list_id, site_id=site_id, effective_from=effective_from, published_at=uow.clinic_time
        )
    )
    uow.execute(
        insert(price_item),
        [
            {
                "price_list_id": price_list_id,
                "code": item.code,
                "unit_price_usd": decimal_of(item.unit_price_usd, "items.unit_price_usd"),
            }
            for item in request.items
        ],
    )
    release_held(uow, site_id, effective_from)
    return {"price_list_id": str(price_list_id)}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidArgument("effective_from", "must be a day of the calendar, YYYY-MM-DD") from None


def answer(uow: UnitOfWork, ids: Ids) -> pb.PublishPriceListResponse:
    """The id of the list."""
    return pb.PublishPriceListResponse(price_list_id=ids["price_list_id"])


COMMAND = Command("PublishPriceList", pb.PublishPriceListRequest, handle, answer, roles=frozenset({"billing_admin"}))
