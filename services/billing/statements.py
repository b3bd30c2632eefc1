"""A person's statement of a period, read from the ledger, so that it cannot say anything else than the ledger does."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, func, select

from billing.charge_messages import lines_of
from billing.domain import words
from billing.domain.money import ZERO_USD, total
from billing.domain.statement import THEIRS, UNTOLD, sums_of
from billing.estimates import day_of
from billing.money_tables import adjustment, ledger_entry, ledger_transaction, package, refund
from billing.packages import package_message
from billing.tables import account, charge_set, invoice, site
from chassis.errors import InvalidArgument, NotFound
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, site_date
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types


class Posting(NamedTuple):
    """A ledger transaction as the person sees it."""

    kind: str
    source_id: UUID
    site_id: UUID
    posted_on: date
    effect_usd: Decimal


def statement_message(uow: UnitOfWork, request: pb.GetStatementRequest | pb.PrintStatementRequest) -> types.Statement:
    """The statement. InvalidArgument for a period that ends before it begins; NotFound for an unknown person."""
    first, last = day_of(request.from_date, "from_date"), day_of(request.until_date, "until_date")
    if last < first:
        raise InvalidArgument("until_date", "must not be before from_date")
    person_id = UUID(request.person_id)
    if uow.execute(select(account.c.person_id).where(account.c.person_id == person_id)).one_or_none() is None:
        raise NotFound("person_id", "must be a person on record", person_id=request.person_id)
    postings = _postings(uow, person_id, UUID(request.site_id) if request.site_id else None)
    opening = total(one.effect_usd for one in postings if one.posted_on < first)
    shown = [one for one in postings if first <= one.posted_on <= last and one.kind not in UNTOLD]
    sums = sums_of((one.kind, one.effect_usd) for one in shown)
    return types.Statement(
        person_id=request.person_id,
        site_id=request.site_id,
        from_date=request.from_date,
        until_date=request.until_date,
        opening_usd=decimal_text(opening),
        lines=_lines(uow, shown, opening),
        charges_usd=decimal_text(sums.charges_usd),
        payments_usd=decimal_text(sums.payments_usd),
        refunds_usd=decimal_text(sums.refunds_usd),
        adjustments_usd=decimal_text(sums.adjustments_usd),
        closing_usd=decimal_text(opening + total(one.effect_usd for one in shown)),
        packages=[package_message(uow, row) for row in _packages(uow, person_id, request.site_id, last)],
    )


def _postings(uow: UnitOfWork, person_id: UUID, site_id: UUID | None) -> list[Posting]:
    """Every transaction of the person, oldest first, on the day of its own site."""
    transaction, entry = ledger_transaction.c, ledger_entry.c
    query = (
        select(
            transaction.kind,
            transaction.source_id,
            transaction.site_id,
            transaction.posted_at,
            func.coalesce(func.sum(entry.amount_usd).filter(entry.account_code.in_(THEIRS)), ZERO_USD).label(
                "effect_usd"
            ),
            site.c.time_zone,
        )
        .join(ledger_entry, entry.transaction_id == transaction.transaction_id)
        .join(site, site.c.site_id == transaction.site_id)
        .where(transaction.person_id == person_id)
        .group_by(transaction.transaction_id, site.c.time_zone)
        .order_by(transaction.posted_at, transaction.transaction_id)
    )
    if site_id is not None:
        query = query.where(transaction.site_id == site_id)
    return [
        Posting(row.kind, row.source_id, row.site_id, site_date(row.posted_at, row.time_zone), row.effect_usd)
        for row in uow.execute(query)
    ]


def _lines(uow: UnitOfWork, shown: Sequence[Posting], opening: Decimal) -> list[types.StatementLine]:
    lines, balance = [], opening
    # By day: two sites' clocks may differ from the order of posting.
    for one in sorted(shown, key=lambda posting: posting.posted_on):
        balance += one.effect_usd
        line = types.StatementLine(
            posted_on=one.posted_on.isoformat(),
            kind=one.kind,
            source_id=str(one.source_id),
            reason_code=_reason(uow, one),
            amount_usd=decimal_text(total([one.effect_usd])),
            balance_usd=decimal_text(total([balance])),
            site_id=str(one.site_id),
        )
        if one.kind in (words.CHARGE, words.PACKAGE_DRAW):
            line.service_date = _service_date(uow, one.source_id)
        if one.kind == words.CHARGE:
            line.lines.extend(lines_of(uow, one.source_id))
        lines.append(line)
    return lines


def _service_date(uow: UnitOfWork, charge_set_id: UUID) -> str:
    day: date = uow.execute(
        select(charge_set.c.service_date).where(charge_set.c.charge_set_id == charge_set_id)
    ).scalar_one()
    return day.isoformat()


def _reason(uow: UnitOfWork, one: Posting) -> str:
    columns = {
        words.REFUND: (refund.c.reason_code, refund.c.refund_id),
        words.ADJUSTMENT: (adjustment.c.reason_code, adjustment.c.adjustment_id),
        words.VOID: (invoice.c.void_reason_code, invoice.c.invoice_id),
        words.PACKAGE_REFUND: (package.c.refund_reason_code, package.c.package_id),
    }
    if one.kind not in columns:
        return ""
    reason, key = columns[one.kind]
    return str(uow.execute(select(reason).where(key == one.source_id)).scalar_one())


def _packages(uow: UnitOfWork, person_id: UUID, site_id: str, last: date) -> Sequence[Row[Any]]:
    query = select(package).where(package.c.person_id == person_id, package.c.valid_from <= last)
    if site_id:
        query = query.where(package.c.site_id == UUID(site_id))
    return uow.execute(query.order_by(package.c.package_id)).all()
