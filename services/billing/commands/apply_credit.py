"""A person's credit goes to an invoice of the same site."""

from uuid import UUID

from sqlalchemy import insert

from billing.accounts import credit_usd
from billing.domain import words
from billing.domain.postings import credit_use_entries
from billing.invoices import invoice_message, locked_invoice, money_of, whole_cents
from billing.ledger import post
from billing.money_tables import credit_use
from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.ApplyCreditRequest) -> Ids:
    """Moves the credit. InvalidArgument when it is more than the person has or than the invoice needs."""
    amount_usd = whole_cents(request.amount_usd)
    owed = locked_invoice(uow, request.invoice_id)
    if amount_usd > money_of(uow, owed).due_usd:
        raise InvalidArgument("amount_usd", "must not be more than what is due", invoice_id=request.invoice_id)
    if amount_usd > credit_usd(uow, owed.person_id, owed.site_id):
        raise InvalidArgument("amount_usd", "must not be more than the person's credit at the site")
    credit_use_id, whose = uow.new_id(), {"person_id": owed.person_id, "site_id": owed.site_id}
    uow.execute(
        insert(credit_use).values(
            credit_use_id=credit_use_id,
            invoice_id=owed.invoice_id,
            amount_usd=amount_usd,
            applied_at=uow.clinic_time,
            **whose,
        )
    )
    post(uow, words.CREDIT_USE, credit_use_id, whose, credit_use_entries(amount_usd))
    uow.emit(
        events.CreditApplied(
            credit_use_id=str(credit_use_id),
            invoice_id=request.invoice_id,
            person_id=str(owed.person_id),
            site_id=str(owed.site_id),
            amount_usd=decimal_text(amount_usd),
            applied_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"invoice_id": request.invoice_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.ApplyCreditResponse:
    """The invoice as it stands."""
    return pb.ApplyCreditResponse(invoice=invoice_message(uow, UUID(ids["invoice_id"])))


COMMAND = Command("ApplyCredit", pb.ApplyCreditRequest, handle, answer, roles=frozenset({"biller"}))
