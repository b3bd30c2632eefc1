"""Reads of charges, invoices, estimates, packages, statements and the ledger."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from billing.charge_messages import charge_set_message
from billing.domain import words
from billing.domain.money import total
from billing.estimates import estimate_message, estimate_row
from billing.invoices import invoice_message
from billing.ledger import balances
from billing.packages import package_message, package_row
from billing.statements import statement_message
from billing.tables import charge_set
from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import Page, make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text
from saguaro.billing.v1 import service_pb2 as pb

_EVERY_KIND = "all"


def get_charge_set(uow: UnitOfWork, request: pb.GetChargeSetRequest) -> pb.GetChargeSetResponse:
    """The charge set of a session. NotFound until the session is closed and charged, held or found to cost nothing."""
    row = uow.execute(select(charge_set).where(charge_set.c.session_id == UUID(request.session_id))).one_or_none()
    if row is None:
        raise NotFound("session_id", "must be a closed session", session_id=request.session_id)
    return pb.GetChargeSetResponse(charge_set=charge_set_message(uow, row))


def list_charge_sets(uow: UnitOfWork, request: pb.ListChargeSetsRequest) -> pb.ListChargeSetsResponse:
    """The charge sets of a person at every site, oldest first; of sessions unless another kind is asked for."""
    page, kind = read_token(request), request.kind or words.SESSION
    statement = select(charge_set).where(charge_set.c.person_id == UUID(request.person_id))
    if kind != _EVERY_KIND:
        statement = statement.where(charge_set.c.kind == kind)
    shown, last = _page(uow, statement, page)
    return pb.ListChargeSetsResponse(
        charge_sets=[charge_set_message(uow, row) for row in shown], next_page_token=make_token(page, last)
    )


def list_held_charges(uow: UnitOfWork, request: pb.ListHeldChargesRequest) -> pb.ListHeldChargesResponse:
    """The held charge sets of a site, oldest first."""
    page = read_token(request)
    statement = select(charge_set).where(
        charge_set.c.site_id == UUID(request.site_id), charge_set.c.state == words.HELD
    )
    if request.hold_reason_code:
        statement = statement.where(charge_set.c.hold_reason_code == request.hold_reason_code)
    shown, last = _page(uow, statement, page)
    return pb.ListHeldChargesResponse(
        charge_sets=[charge_set_message(uow, row) for row in shown], next_page_token=make_token(page, last)
    )


def _page(uow: UnitOfWork, statement: Select[Any], page: Page) -> tuple[list[Row[Any]], tuple[UUID] | None]:
    """The rows of one page, and the key of its last where there are more."""
    statement = statement.order_by(charge_set.c.charge_set_id).limit(page.size + 1)
    if page.after is not None:
        statement = statement.where(charge_set.c.charge_set_id > UUID(page.after[0]))
    rows = list(uow.execute(statement).all())
    shown = rows[: page.size]
    return shown, (shown[-1].charge_set_id,) if len(rows) > page.size else None


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


def get_estimate(uow: UnitOfWork, request: pb.GetEstimateRequest) -> pb.GetEstimateResponse:
    """An estimate as it was made."""
    return pb.GetEstimateResponse(estimate=estimate_message(uow, estimate_row(uow, UUID(request.estimate_id))))


def get_package(uow: UnitOfWork, request: pb.GetPackageRequest) -> pb.GetPackageResponse:
    """A package as it stands."""
    return pb.GetPackageResponse(package=package_message(uow, package_row(uow, UUID(request.package_id))))


def get_statement(uow: UnitOfWork, request: pb.GetStatementRequest) -> pb.GetStatementResponse:
    """A person's statement of a period, without who they are."""
    return pb.GetStatementResponse(statement=statement_message(uow, request))


GET_CHARGE_SET = Query("GetChargeSet", pb.GetChargeSetRequest, get_charge_set)
LIST_CHARGE_SETS = Query("ListChargeSets", pb.ListChargeSetsRequest, list_charge_sets)
LIST_HELD_CHARGES = Query("ListHeldCharges", pb.ListHeldChargesRequest, list_held_charges)
GET_INVOICE = Query("GetInvoice", pb.GetInvoiceRequest, get_invoice)
GET_LEDGER_BALANCE = Query("GetLedgerBalance", pb.GetLedgerBalanceRequest, get_ledger_balance)
GET_ESTIMATE = Query("GetEstimate", pb.GetEstimateRequest, get_estimate)
GET_PACKAGE = Query("GetPackage", pb.GetPackageRequest, get_package)
GET_STATEMENT = Query("GetStatement", pb.GetStatementRequest, get_statement)
