"""Charge sets and their lines, as the contract writes them."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from billing.money_tables import package_draw
from billing.tables import charge_line, charge_review, charge_set
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import types_pb2 as types


def charge_set_message(uow: UnitOfWork, row: Row[Any]) -> types.ChargeSet:
    """A charge set with its lines, its package and its reviews."""
    package_id = uow.execute(
        select(package_draw.c.package_id).where(package_draw.c.charge_set_id == row.charge_set_id)
    ).scalar_one_or_none()
    return types.ChargeSet(
        charge_set_id=str(row.charge_set_id),
        session_id=id_text(row.session_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        service_date="" if row.service_date is None else row.service_date.isoformat(),
        state=row.state,
        hold_reason_code=row.hold_reason_code,
        lines=lines_of(uow, row.charge_set_id),
        total_usd=decimal_text(row.total_usd),
        kind=row.kind,
        source_id=str(row.source_id),
        note_code=row.note_code,
        package_id=id_text(package_id),
        invoice_id=id_text(row.invoice_id),
        reviews=_reviews(uow, row.charge_set_id),
    )


def set_row(uow: UnitOfWork, charge_set_id: UUID) -> Row[Any]:
    """A charge set that is known to be there."""
    return uow.execute(select(charge_set).where(charge_set.c.charge_set_id == charge_set_id)).one()


def lines_of(uow: UnitOfWork, charge_set_id: UUID) -> list[types.ChargeLine]:
    """The lines of a charge set in their order."""
    rows = uow.execute(
        select(charge_line).where(charge_line.c.charge_set_id == charge_set_id).order_by(charge_line.c.line_number)
    )
    return [line_message(row) for row in rows]


def line_message(row: Row[Any]) -> types.ChargeLine:
    """A line of a charge set or of an invoice."""
    return types.ChargeLine(
        code=row.code,
        units=decimal_text(row.units),
        unit_price_usd=decimal_text(row.unit_price_usd),
        amount_usd=decimal_text(row.amount_usd),
        ndc=row.ndc,
        product_ml=number_text(row.product_ml),
        modifier=row.modifier,
        note_code=row.note_code,
    )


def id_text(value: UUID | None) -> str:
    """An id, or nothing."""
    return "" if value is None else str(value)


def number_text(value: Decimal | None) -> str:
    """A decimal, or nothing."""
    return "" if value is None else decimal_text(value)


def _reviews(uow: UnitOfWork, charge_set_id: UUID) -> list[types.ChargeReview]:
    rows = uow.execute(
        select(charge_review)
        .where(charge_review.c.charge_set_id == charge_set_id)
        .order_by(charge_review.c.charge_review_id)
    )
    return [_review(row) for row in rows]


def _review(row: Row[Any]) -> types.ChargeReview:
    made = types.ChargeReview(
        decision=row.decision,
        reason_code=row.reason_code,
        hold_reason_code=row.hold_reason_code,
        reviewed_by=str(row.reviewed_by),
        reviewed_at=to_timestamp(row.reviewed_at),
    )
    if row.stopped_at is not None:
        made.reviewed_time.delivering_seconds = row.delivering_seconds
        made.reviewed_time.stopped_at.CopyFrom(to_timestamp(row.stopped_at))
        made.reviewed_time.source_code = row.source_code
    return made
