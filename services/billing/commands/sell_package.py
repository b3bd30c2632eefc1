"""Sessions are paid in advance."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, insert, select

from billing.accounts import require_account, require_zone
from billing.domain import words
from billing.domain.postings import package_sale_entries
from billing.invoices import whole_cents
from billing.ledger import post
from billing.money_tables import package, package_draw
from billing.packages import draw_for, package_message, package_row
from billing.policy_tables import policy_number
from billing.tables import charge_set
from chassis.index import Command, Ids
from chassis.policy import number
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, site_date, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.SellPackageRequest) -> Ids:
    """Keeps the package and its money as revenue that is not earned yet. It holds from today as long as the policy says.

    Sessions since then that are charged and on no invoice are drawn at once: it does not matter which news came first.
    """
    price_usd = whole_cents(request.price_usd, "price_usd")
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    today = site_date(uow.clinic_time, require_zone(uow, site_id))
    require_account(uow, person_id)
    valid_until = today + timedelta(days=int(number(uow, policy_number, words.PACKAGE_VALID, site_id)))
    package_id, whose = uow.new_id(), {"person_id": person_id, "site_id": site_id}
    uow.execute(
        insert(package).values(
            package_id=package_id,
            session_count=request.session_count,
            price_usd=price_usd,
            method_code=request.method_code,
            valid_from=today,
            valid_until=valid_until,
            sold_at=uow.clinic_time,
            **whose,
        )
    )
    post(uow, words.PACKAGE_SALE, package_id, whose, package_sale_entries(price_usd))
    uow.emit(
        events.PackageSold(
            package_id=str(package_id),
            person_id=request.person_id,
            site_id=request.site_id,
            session_count=request.session_count,
            price_usd=decimal_text(price_usd),
            valid_until=valid_until.isoformat(),
            sold_at=to_timestamp(uow.clinic_time),
        )
    )
    _draw_what_was_first(uow, package_row(uow, package_id).valid_from, whose)
    return {"package_id": str(package_id)}


def _draw_what_was_first(uow: UnitOfWork, valid_from: object, whose: dict[str, UUID]) -> None:
    drawn = exists().where(package_draw.c.charge_set_id == charge_set.c.charge_set_id)
    rows = uow.execute(
        select(charge_set)
        .where(
            charge_set.c.person_id == whose["person_id"],
            charge_set.c.site_id == whose["site_id"],
            charge_set.c.kind == words.SESSION,
            charge_set.c.state == words.CHARGED,
            charge_set.c.total_usd > 0,
            charge_set.c.invoice_id.is_(None),
            charge_set.c.service_date >= valid_from,
            ~drawn,
        )
        .order_by(charge_set.c.service_date, charge_set.c.charge_set_id)
    ).all()
    for row in rows:
        draw_for(uow, row, row.total_usd)


def answer(uow: UnitOfWork, ids: Ids) -> pb.SellPackageResponse:
    """The package as it stands."""
    return pb.SellPackageResponse(package=package_message(uow, package_row(uow, UUID(ids["package_id"]))))


COMMAND = Command("SellPackage", pb.SellPackageRequest, handle, answer, roles=frozenset({"biller"}))
