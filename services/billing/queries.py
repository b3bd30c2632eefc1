"""Reads of charges, invoices and the ledger."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from billing.charges import lines_of
from billing.domain.money import to_cents, total
from billing.ledger import balances
from billing.tables import charge_set, invoice, payment
from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types


def get_charge_set(uow: UnitOfWork, request: pb.GetChargeSetRequest) -> pb.GetChargeSetResponse:
    """The charge set of a session. NotFound until the session is closed and charged, held or found to cost nothing."""
    row = uow.execute(select(charge_set).where(charge_set.c.session_id == UUID(request.session_id))).one_or_none()
    if row is None:
        raise NotFound("session_id", "must be a closed session", session_id=request.session_id)
    return pb.GetChargeSetResponse(charge_set=_charge_set(uow, row))


def list_charge_sets(uow: UnitOfWork, request: pb.ListChargeSetsRequest) -> pb.ListChargeSetsResponse:
    """The charge sets of a person at every site, oldest first."""
    page = read_token(request)
    statement = (
        select(charge_set)
        .where(charge_set.c.person_id == UUID(request.person_id))
        .order_by(charge_set.c.charge_set_id)
        .limit(page.size + 1)
    )
    if page.after is not None:
        statement = statement.where(charge_set.c.charge_set_id > UUID(page.after[0]))
    rows = uow.execute(statement).all()
    shown = rows[: page.size]
    last = (shown[-1].charge_set_id,) if len(rows) > page.size else None
    return pb.ListChargeSetsResponse(
        charge_sets=[_charge_set(uow, row) for row in shown], next_page_token=make_token(page, last)
    )


def get_invoice(uow: UnitOfWork, request: pb.GetInvoiceRequest) -> pb.GetInvoiceResponse:
    """An invoice with what was paid of it. NotFound for one that was never issued."""
    return pb.GetInvoiceResponse(invoice=invoice_message(uow, UUID(request.invoice_id)))


def get_ledger_balance(uow: UnitOfWork, request: pb.GetLedgerBalanceRequest) -> pb.GetLedgerBalanceResponse:
    """The sum of each account of a site; together they are 0.00. A site without postings has no accounts."""
    found = balances(uow, UUID(request.site_id))
    return pb.GetLedgerBalanceResponse(
        accounts=[
            pb.LedgerAccount(account_code=account, balance_usd=decimal_text(amount))
            for account, amount in found.items()
        ],
        sum_usd=decimal_text(total(found.values())),
    )


def invoice_message(uow: UnitOfWork, invoice_id: UUID) -> types.Invoice:
    """The invoice as the contract writes it. NotFound for one that was never issued."""
    row = uow.execute(select(invoice).where(invoice.c.invoice_id == invoice_id)).one_or_none()
    if row is None:
        raise NotFound("invoice_id", "must be an issued invoice", invoice_id=str(invoice_id))
    paid = uow.execute(
        select(func.coalesce(func.sum(payment.c.amount_usd), 0)).where(payment.c.invoice_id == invoice_id)
    ).scalar_one()
    sets = uow.execute(
        select(charge_set.c.charge_set_id)
        .where(charge_set.c.invoice_id == invoice_id)
        .order_by(charge_set.c.charge_set_id)
    ).scalars()
    return types.Invoice(
        invoice_id=str(row.invoice_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        charge_set_ids=[str(one) for one in sets],
        total_usd=decimal_text(row.total_usd),
        paid_usd=decimal_text(to_cents(paid)),
        state=types.INVOICE_STATE_PAID if paid >= row.total_usd else types.INVOICE_STATE_ISSUED,
    )


def _charge_set(uow: UnitOfWork, row: Row[Any]) -> types.ChargeSet:
    return types.ChargeSet(
        charge_set_id=str(row.charge_set_id),
        session_id=str(row.session_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        service_date="" if row.service_date is None else row.service_date.isoformat(),
        state=row.state,
        hold_reason_code=row.hold_reason_code,
        lines=lines_of(uow, row.charge_set_id),
        total_usd=decimal_text(row.total_usd),
    )


GET_CHARGE_SET = Query("GetChargeSet", pb.GetChargeSetRequest, get_charge_set)
LIST_CHARGE_SETS = Query("ListChargeSets", pb.ListChargeSetsRequest, list_charge_sets)
GET_INVOICE = Query("GetInvoice", pb.GetInvoiceRequest, get_invoice)
GET_LEDGER_BALANCE = Query("GetLedgerBalance", pb.GetLedgerBalanceRequest, get_ledger_balance)
