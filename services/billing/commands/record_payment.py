"""Money came in for an invoice."""

from uuid import UUID

from sqlalchemy import func, insert, select

from billing.domain import words
from billing.domain.money import to_cents
from billing.domain.postings import payment_entries
from billing.ledger import post
from billing.tables import invoice, payment
from chassis.errors import InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RecordPaymentRequest) -> Ids:
    """Keeps the payment and posts it. InvalidArgument unless it is in whole cents, above zero and at most what is due."""
    amount_usd = to_cents(decimal_of(request.amount_usd, "amount_usd"))
    if amount_usd != decimal_of(request.amount_usd, "amount_usd"):
        raise InvalidArgument("amount_usd", "must be in whole cents")
    if amount_usd <= 0:
        raise InvalidArgument("amount_usd", "must be greater than zero")
    # Locked, so that two payments at once cannot both be the last.
    owed = uow.execute(
        select(invoice).where(invoice.c.invoice_id == UUID(request.invoice_id)).with_for_update()
    ).one_or_none()
    if owed is None:
        raise NotFound("invoice_id", "must be an issued invoice", invoice_id=request.invoice_id)
    paid = uow.execute(
        select(func.coalesce(func.sum(payment.c.amount_usd), 0)).where(payment.c.invoice_id == owed.invoice_id)
    ).scalar_one()
    if amount_usd > owed.total_usd - paid:
        raise InvalidArgument("amount_usd", "must not be more than what is due", invoice_id=request.invoice_id)
    payment_id, whose = uow.new_id(), {"person_id": owed.person_id, "site_id": owed.site_id}
    uow.execute(
        insert(payment).values(
            payment_id=payment_id,
            invoice_id=owed.invoice_id,
            amount_usd=amount_usd,
            method_code=request.method_code,
            received_at=uow.clinic_time,
            **whose,
        )
    )
    post(uow, words.PAYMENT, payment_id, whose, payment_entries(amount_usd))
    uow.emit(
        events.PaymentReceived(
            payment_id=str(payment_id),
            invoice_id=request.invoice_id,
            person_id=str(owed.person_id),
            site_id=str(owed.site_id),
            amount_usd=decimal_text(amount_usd),
            received_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"payment_id": str(payment_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordPaymentResponse:
    """The id of the payment."""
    return pb.RecordPaymentResponse(payment_id=ids["payment_id"])


COMMAND = Command("RecordPayment", pb.RecordPaymentRequest, handle, answer, roles=frozenset({"biller"}))
