"""Money came in for an invoice."""

from sqlalchemy import insert

from billing.domain import words
from billing.domain.owed import excess_usd
from billing.domain.postings import payment_entries
from billing.invoices import locked_invoice, money_of, whole_cents
from billing.ledger import post
from billing.money_tables import payment
from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RecordPaymentRequest) -> Ids:
    """Keeps the payment and posts it. InvalidArgument unless it is in whole cents, above zero and at most what is due.

    With `keep_excess_as_credit` what is beyond becomes the person's credit at the site.
    """
    amount_usd = whole_cents(request.amount_usd)
    owed = locked_invoice(uow, request.invoice_id)
    credit_usd = excess_usd(amount_usd, money_of(uow, owed).due_usd)
    if credit_usd and not request.keep_excess_as_credit:
        raise InvalidArgument("amount_usd", "must not be more than what is due", invoice_id=request.invoice_id)
    payment_id, whose = uow.new_id(), {"person_id": owed.person_id, "site_id": owed.site_id}
    uow.execute(
        insert(payment).values(
            payment_id=payment_id,
            invoice_id=owed.invoice_id,
            amount_usd=amount_usd,
            credit_usd=credit_usd,
            method_code=request.method_code,
            received_at=uow.clinic_time,
            **whose,
        )
    )
    post(uow, words.PAYMENT, payment_id, whose, payment_entries(amount_usd, credit_usd))
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
    return {"payment_id": str(payment_id), "credit_usd": decimal_text(credit_usd)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordPaymentResponse:
    """The id of the payment, and what of it became credit."""
    return pb.RecordPaymentResponse(payment_id=ids["payment_id"], credit_usd=ids["credit_usd"])


COMMAND = Command("RecordPayment", pb.RecordPaymentRequest, handle, answer, roles=frozenset({"biller"}))
