"""An invoice as it stands: its lines, what is due, and the lock under which it changes."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from billing.accounts import lock_account
from billing.charge_messages import line_message
from billing.domain.money import ZERO_USD, to_cents
from billing.domain.owed import InvoiceMoney
from billing.money_tables import adjustment, credit_use, payment, refund
from billing.tables import charge_set, invoice, invoice_line
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, decimal_text
from saguaro.billing.v1 import types_pb2 as types


def locked_invoice(uow: UnitOfWork, invoice_id: str) -> Row[Any]:
    """The invoice, with the person's account held. NotFound; FailedPrecondition INVOICE_VOID for one that was taken back."""
    person_id = uow.execute(
        select(invoice.c.person_id).where(invoice.c.invoice_id == UUID(invoice_id))
    ).scalar_one_or_none()
    if person_id is None:
        raise NotFound("invoice_id", "must be an issued invoice", invoice_id=invoice_id)
    lock_account(uow, person_id)
    row = uow.execute(select(invoice).where(invoice.c.invoice_id == UUID(invoice_id)).with_for_update()).one()
    if row.voided_at is not None:
        raise FailedPrecondition(
            "INVOICE_VOID", field="invoice_id", rule="must not have been taken back", invoice_id=invoice_id
        )
    return row


def whole_cents(text: str, field: str = "amount_usd") -> Decimal:
    """An amount in whole cents above zero. InvalidArgument naming the field."""
    written = decimal_of(text, field)
    amount_usd = to_cents(written)
    if amount_usd != written:
        raise InvalidArgument(field, "must be in whole cents")
    if amount_usd <= 0:
        raise InvalidArgument(field, "must be greater than zero")
    return amount_usd


def money_of(uow: UnitOfWork, row: Row[Any]) -> InvoiceMoney:
    """The amounts of an invoice. Nothing is paid or adjusted of one that was taken back: that became credit."""
    if row.voided_at is not None:
        return InvoiceMoney(row.total_usd)
    adjusted = adjusted_by_kind(uow, row.invoice_id)
    paid = (
        _sum(uow, payment.c.amount_usd - payment.c.credit_usd, payment.c.invoice_id == row.invoice_id)
        + _sum(uow, credit_use.c.amount_usd, credit_use.c.invoice_id == row.invoice_id)
        - _sum(uow, adjustment.c.to_credit_usd, adjustment.c.invoice_id == row.invoice_id)
        - _reopened(uow, row.invoice_id)
    )
    return InvoiceMoney(row.total_usd, sum(adjusted.values(), ZERO_USD), to_cents(paid))


def adjusted_by_kind(uow: UnitOfWork, invoice_id: UUID) -> dict[str, Decimal]:
    """What credit notes, write-offs and discounts took off, by kind."""
    rows = uow.execute(
        select(adjustment.c.kind_code, func.sum(adjustment.c.amount_usd).label("amount_usd"))
        .where(adjustment.c.invoice_id == invoice_id)
        .group_by(adjustment.c.kind_code)
    )
    return {row.kind_code: row.amount_usd for row in rows}


def invoice_message(uow: UnitOfWork, invoice_id: UUID) -> types.Invoice:
    """The invoice as the contract writes it. NotFound for one that was never issued."""
    row = uow.execute(select(invoice).where(invoice.c.invoice_id == invoice_id)).one_or_none()
    if row is None:
        raise NotFound("invoice_id", "must be an issued invoice", invoice_id=str(invoice_id))
    money = money_of(uow, row)
    lines = _lines(uow, invoice_id)
    return types.Invoice(
        invoice_id=str(row.invoice_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        charge_set_ids=list(dict.fromkeys(line.charge_set_id for line in lines)),
        total_usd=decimal_text(row.total_usd),
        paid_usd=decimal_text(money.paid_usd),
        adjusted_usd=decimal_text(money.adjusted_usd),
        due_usd=decimal_text(ZERO_USD if row.voided_at is not None else money.due_usd),
        state=_state(row, money),
        lines=lines,
    )


def _state(row: Row[Any], money: InvoiceMoney) -> types.InvoiceState.ValueType:
    if row.voided_at is not None:
        return types.INVOICE_STATE_VOID
    return types.INVOICE_STATE_ISSUED if money.due_usd > 0 else types.INVOICE_STATE_PAID


def _lines(uow: UnitOfWork, invoice_id: UUID) -> list[types.InvoiceLine]:
    rows = uow.execute(
        select(invoice_line, charge_set.c.kind, charge_set.c.service_date)
        .join(charge_set, charge_set.c.charge_set_id == invoice_line.c.charge_set_id)
        .where(invoice_line.c.invoice_id == invoice_id)
        .order_by(invoice_line.c.line_number)
    )
    return [
        types.InvoiceLine(
            charge_set_id=str(row.charge_set_id),
            kind=row.kind,
            service_date=row.service_date.isoformat(),
            line=line_message(row),
        )
        for row in rows
    ]


def _reopened(uow: UnitOfWork, invoice_id: UUID) -> Decimal:
    """What refunds made due again."""
    query = (
        select(func.coalesce(func.sum(refund.c.amount_usd - refund.c.from_credit_usd), 0))
        .join(payment, payment.c.payment_id == refund.c.payment_id)
        .where(payment.c.invoice_id == invoice_id)
    )
    return Decimal(uow.execute(query).scalar_one())


def _sum(uow: UnitOfWork, amount: Any, where: Any) -> Decimal:
    return Decimal(uow.execute(select(func.coalesce(func.sum(amount), 0)).where(where)).scalar_one())
