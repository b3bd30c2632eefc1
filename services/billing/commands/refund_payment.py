"""Money of a payment is given back, with a reason, and never more than is left of it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select

from billing.accounts import credit_usd, lock_account
from billing.domain import words
from billing.domain.owed import from_credit_usd, refundable_usd
from billing.domain.postings import refund_entries
from billing.invoices import money_of, whole_cents
from billing.ledger import post
from billing.money_tables import payment, refund
from billing.tables import invoice
from chassis.errors import InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RefundPaymentRequest) -> Ids:
    """Takes the person's credit at the site first; the rest makes the payment's invoice due again."""
    amount_usd = whole_cents(request.amount_usd)
    paid = _locked_payment(uow, request.payment_id)
    credit = credit_usd(uow, paid.person_id, paid.site_id)
    on_invoice = money_of(uow, uow.execute(select(invoice).where(invoice.c.invoice_id == paid.invoice_id)).one())
    if amount_usd > refundable_usd(_left_of(uow, paid), credit, on_invoice.paid_usd):
        raise InvalidArgument(
            "amount_usd", "must not be more than what is left of the payment", payment_id=request.payment_id
        )
    from_credit = from_credit_usd(amount_usd, credit)
    refund_id, whose = uow.new_id(), {"person_id": paid.person_id, "site_id": paid.site_id}
    uow.execute(
        insert(refund).values(
            refund_id=refund_id,
            payment_id=paid.payment_id,
            amount_usd=amount_usd,
            from_credit_usd=from_credit,
            method_code=request.method_code,
            reason_code=request.reason_code,
            refunded_at=uow.clinic_time,
            **whose,
        )
    )
    post(uow, words.REFUND, refund_id, whose, refund_entries(amount_usd, from_credit))
    uow.emit(
        events.RefundIssued(
            refund_id=str(refund_id),
            payment_id=request.payment_id,
            person_id=str(paid.person_id),
            site_id=str(paid.site_id),
            amount_usd=decimal_text(amount_usd),
            reason_code=request.reason_code,
            refunded_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"refund_id": str(refund_id)}


def _locked_payment(uow: UnitOfWork, payment_id: str) -> Row[Any]:
    row = uow.execute(select(payment).where(payment.c.payment_id == UUID(payment_id))).one_or_none()
    if row is None:
        raise NotFound("payment_id", "must be a payment that was received", payment_id=payment_id)
    lock_account(uow, row.person_id)
    return row


def _left_of(uow: UnitOfWork, paid: Row[Any]) -> Decimal:
    given_back = uow.execute(
        select(func.coalesce(func.sum(refund.c.amount_usd), 0)).where(refund.c.payment_id == paid.payment_id)
    ).scalar_one()
    return Decimal(paid.amount_usd - given_back)


def answer(uow: UnitOfWork, ids: Ids) -> pb.RefundPaymentResponse:
    """The id of the refund."""
    return pb.RefundPaymentResponse(refund_id=ids["refund_id"])


COMMAND = Command("RefundPayment", pb.RefundPaymentRequest, handle, answer, roles=frozenset({"biller"}))
