"""A person gets an invoice for every charge of a site that is on none yet and that no package covers."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, insert, select, update

from billing.accounts import lock_account
from billing.domain import words
from billing.domain.money import total
from billing.domain.visits import evaluation_modifier
from billing.invoices import invoice_message
from billing.money_tables import package_draw
from billing.tables import charge_line, charge_set, invoice, invoice_line
from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb

_COPIED = ("charge_set_id", "code", "units", "unit_price_usd", "amount_usd", "ndc", "product_ml", "note_code")


def handle(uow: UnitOfWork, request: pb.IssueInvoiceRequest) -> Ids:
    """Puts the charged sets on a new invoice. FailedPrecondition NOTHING_TO_INVOICE when there is none."""
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    lock_account(uow, person_id)
    found = _uninvoiced(uow, person_id, site_id)
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
    uow.execute(insert(invoice_line), _lines(uow, invoice_id, found))
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


def _uninvoiced(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> Sequence[Row[Any]]:
    covered = exists().where(package_draw.c.charge_set_id == charge_set.c.charge_set_id)
    return uow.execute(
        select(charge_set)
        .where(
            charge_set.c.person_id == person_id,
            charge_set.c.site_id == site_id,
            charge_set.c.state == words.CHARGED,
            charge_set.c.invoice_id.is_(None),
            ~covered,
        )
        .order_by(charge_set.c.charge_set_id)
        .with_for_update(of=charge_set)
    ).all()


def _lines(uow: UnitOfWork, invoice_id: UUID, found: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """The charges' lines as they are now; the modifier of an evaluation is decided here."""
    days = _days_of_infusions(uow, found[0].person_id, found[0].site_id)
    lines = []
    for row in found:
        own = uow.execute(
            select(charge_line)
            .where(charge_line.c.charge_set_id == row.charge_set_id)
            .order_by(charge_line.c.line_number)
        )
        modifier = evaluation_modifier(row.service_date in days) if row.kind == words.EVALUATION else ""
        lines += [
            {name: line._mapping[name] for name in _COPIED} | {"modifier": modifier or line.modifier} for line in own
        ]
    return [line | {"invoice_id": invoice_id, "line_number": n} for n, line in enumerate(lines, start=1)]


def _days_of_infusions(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> set[date]:
    """Days at the site on which the person had an infusion, whatever became of its charge."""
    rows = uow.execute(
        select(charge_set.c.service_date)
        .where(
            charge_set.c.person_id == person_id,
            charge_set.c.site_id == site_id,
            charge_set.c.kind == words.SESSION,
            charge_set.c.state != words.NOTHING,
        )
        .distinct()
    )
    return {row.service_date for row in rows}


def answer(uow: UnitOfWork, ids: Ids) -> pb.IssueInvoiceResponse:
    """The invoice as it stands."""
    return pb.IssueInvoiceResponse(invoice=invoice_message(uow, UUID(ids["invoice_id"])))


COMMAND = Command("IssueInvoice", pb.IssueInvoiceRequest, handle, answer, roles=frozenset({"biller"}))
