"""An invoice is taken back: its charges can be invoiced again, what was paid of it is the person's credit."""

from uuid import UUID

from sqlalchemy import update

from billing.domain import words
from billing.domain.postings import void_entries
from billing.invoices import adjusted_by_kind, invoice_message, locked_invoice, money_of
from billing.ledger import post
from billing.tables import charge_set, invoice
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.VoidInvoiceRequest) -> Ids:
    """Undoes payments on it (to credit) and adjustments of it; the charges themselves stay owed, on no invoice."""
    row = locked_invoice(uow, request.invoice_id)
    paid_usd, adjusted = money_of(uow, row).paid_usd, adjusted_by_kind(uow, row.invoice_id)
    uow.execute(
        update(invoice)
        .where(invoice.c.invoice_id == row.invoice_id)
        .values(voided_at=uow.clinic_time, void_reason_code=request.reason_code)
    )
    uow.execute(update(charge_set).where(charge_set.c.invoice_id == row.invoice_id).values(invoice_id=None))
    whose = {"person_id": row.person_id, "site_id": row.site_id}
    post(uow, words.VOID, row.invoice_id, whose, void_entries(paid_usd, adjusted))
    uow.emit(
        events.InvoiceVoided(
            invoice_id=request.invoice_id,
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            reason_code=request.reason_code,
            voided_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"invoice_id": request.invoice_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.VoidInvoiceResponse:
    """The invoice as it stands: void, with the lines that it had."""
    return pb.VoidInvoiceResponse(invoice=invoice_message(uow, UUID(ids["invoice_id"])))


COMMAND = Command("VoidInvoice", pb.VoidInvoiceRequest, handle, answer, roles=frozenset({"biller"}))
