"""A credit note, a write-off or a discount, with its reason."""

from uuid import UUID

from sqlalchemy import insert

from billing.domain import words
from billing.domain.owed import excess_usd
from billing.domain.postings import adjustment_entries
from billing.invoices import invoice_message, locked_invoice, money_of, whole_cents
from billing.ledger import post
from billing.money_tables import adjustment
from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.AdjustInvoiceRequest) -> Ids:
    """Takes the amount off. A credit note may take off what is paid already, which becomes credit; the others only what is due."""
    amount_usd = whole_cents(request.amount_usd)
    owed = locked_invoice(uow, request.invoice_id)
    money = money_of(uow, owed)
    to_credit = excess_usd(amount_usd, money.due_usd)
    if to_credit and request.kind_code != words.CREDIT_NOTE:
        raise InvalidArgument("amount_usd", "must not be more than what is due", invoice_id=request.invoice_id)
    if amount_usd > money.total_usd - money.adjusted_usd:
        raise InvalidArgument(
            "amount_usd", "must not be more than the invoice without its adjustments", invoice_id=request.invoice_id
        )
    adjustment_id, whose = uow.new_id(), {"person_id": owed.person_id, "site_id": owed.site_id}
    uow.execute(
        insert(adjustment).values(
            adjustment_id=adjustment_id,
            invoice_id=owed.invoice_id,
            kind_code=request.kind_code,
            amount_usd=amount_usd,
            to_credit_usd=to_credit,
            reason_code=request.reason_code,
            adjusted_at=uow.clinic_time,
            **whose,
        )
    )
    entries = adjustment_entries(request.kind_code, amount_usd, to_credit)
    post(uow, words.ADJUSTMENT, adjustment_id, whose, entries)
    uow.emit(
        events.InvoiceAdjusted(
            adjustment_id=str(adjustment_id),
            invoice_id=request.invoice_id,
            person_id=str(owed.person_id),
            site_id=str(owed.site_id),
            kind_code=request.kind_code,
            amount_usd=decimal_text(amount_usd),
            reason_code=request.reason_code,
            adjusted_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"adjustment_id": str(adjustment_id), "invoice_id": request.invoice_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.AdjustInvoiceResponse:
    """The id of the adjustment and the invoice as it stands."""
    return pb.AdjustInvoiceResponse(
        adjustment_id=ids["adjustment_id"], invoice=invoice_message(uow, UUID(ids["invoice_id"]))
    )


COMMAND = Command("AdjustInvoice", pb.AdjustInvoiceRequest, handle, answer, roles=frozenset({"biller"}))
