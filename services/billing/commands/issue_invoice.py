"""A person gets an invoice for every charge of a site that is on none yet."""

from uuid import UUID

from sqlalchemy import insert, select, update

from billing.domain import words
from billing.domain.money import total
from billing.queries import invoice_message
from billing.tables import charge_set, invoice
from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.IssueInvoiceRequest) -> Ids:
    """Puts the charged sets on a new invoice. FailedPrecondition NOTHING_TO_INVOICE when there is none."""
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    found = uow.execute(
        select(charge_set.c.charge_set_id, charge_set.c.total_usd)
        .where(
            charge_set.c.person_id == person_id,
            charge_set.c.site_id == site_id,
            charge_set.c.state == words.CHARGED,
            charge_set.c.invoice_id.is_(None),
        )
        .order_by(charge_set.c.charge_set_id)
        .with_for_update()
    ).all()
    if not found:
        raise FailedPrecondition(
            "NOTHING_TO_INVOICE", field="person_id", rule="must have a charge at the site that is on no invoice yet"
        )
    invoice_id, total_usd = uow.new_id(), total(row.total_usd for row in found)
    uow.execute(
        insert(invoice).values(
            invoice_id=invoice_id, person_id=person_id, site_id=site_id, total_usd=total_usd, issued_at=uow.clinic_time
        )
    )
    uow.execute(
        update(charge_set)
        .where(charge_set.c.charge_set_id.in_([row.charge_set_id for row in found]))
        .values(invoice_id=invoice_id)
    )
    uow.emit(
        events.InvoiceIssued(
            invoice_id=str(invoice_id),
            person_id=request.person_id,
            site_id=request.site_id,
            total_usd=decimal_text(total_usd),
            issued_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"invoice_id": str(invoice_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.IssueInvoiceResponse:
    """The invoice as it stands."""
    return pb.IssueInvoiceResponse(invoice=invoice_message(uow, UUID(ids["invoice_id"])))


COMMAND = Command("IssueInvoice", pb.IssueInvoiceRequest, handle, answer, roles=frozenset({"biller"}))
