"""A package ends before it is used up, and what is unused is given back by the policy."""

from uuid import UUID

from sqlalchemy import update

from billing.accounts import lock_account, require_zone
from billing.domain import words
from billing.domain.packages import deferred_usd, refund_usd
from billing.domain.postings import package_refund_entries
from billing.ledger import post
from billing.money_tables import package
from billing.packages import drawn_count, package_message, package_row
from billing.policy_tables import policy_number
from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.policy import number
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, site_date, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RefundPackageRequest) -> Ids:
    """Ends the package. FailedPrecondition PACKAGE_ENDED when nothing of it is left or it was given back already."""
    lock_account(uow, package_row(uow, UUID(request.package_id)).person_id)
    row = package_row(uow, UUID(request.package_id))
    left = deferred_usd(row.price_usd, row.session_count, drawn_count(uow, row.package_id))
    if row.ended_at is not None or not left:
        raise FailedPrecondition(
            "PACKAGE_ENDED", field="package_id", rule="must have sessions left", package_id=request.package_id
        )
    expired = site_date(uow.clinic_time, require_zone(uow, row.site_id)) > row.valid_until
    code = words.PACKAGE_EXPIRED_REFUND_SHARE if expired else words.PACKAGE_REFUND_SHARE
    amount_usd = refund_usd(left, number(uow, policy_number, code, row.site_id))
    uow.execute(
        update(package)
        .where(package.c.package_id == row.package_id)
        .values(
            ended_at=uow.clinic_time,
            refunded_usd=amount_usd,
            refund_method_code=request.method_code,
            refund_reason_code=request.reason_code,
        )
    )
    whose = {"person_id": row.person_id, "site_id": row.site_id}
    post(uow, words.PACKAGE_REFUND, row.package_id, whose, package_refund_entries(left, amount_usd))
    uow.emit(
        events.PackageRefunded(
            package_id=request.package_id,
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            amount_usd=decimal_text(amount_usd),
            reason_code=request.reason_code,
            refunded_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"package_id": request.package_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RefundPackageResponse:
    """The package as it stands."""
    return pb.RefundPackageResponse(package=package_message(uow, package_row(uow, UUID(ids["package_id"]))))


COMMAND = Command("RefundPackage", pb.RefundPackageRequest, handle, answer, roles=frozenset({"biller"}))
