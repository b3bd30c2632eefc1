"""Packages of sessions: which one a session is drawn from, and how they are told."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select

from billing.domain import words
from billing.domain.packages import deferred_usd, earned_usd
from billing.domain.postings import package_draw_entries
from billing.ledger import post
from billing.money_tables import package, package_draw
from chassis.errors import NotFound
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import types_pb2 as types


def draw_for(uow: UnitOfWork, charged: Row[Any], total_usd: Decimal) -> None:
    """Takes the session from the person's package of the site that has one left on its day; of several, the one that ends first.

    The packages are locked, so that no two sessions take the same one.
    """
    found = _with_one_left(uow, charged.person_id, charged.site_id, charged.service_date)
    if found is None:
        return
    ordinal = drawn_count(uow, found.package_id) + 1
    earned = earned_usd(found.price_usd, found.session_count, ordinal)
    whose = {"person_id": charged.person_id, "site_id": charged.site_id}
    uow.execute(
        insert(package_draw).values(
            package_id=found.package_id,
            ordinal=ordinal,
            charge_set_id=charged.charge_set_id,
            earned_usd=earned,
            covered_usd=total_usd,
            drawn_at=uow.clinic_time,
            **whose,
        )
    )
    post(uow, words.PACKAGE_DRAW, charged.charge_set_id, whose, package_draw_entries(earned, total_usd))
    uow.emit(
        events.PackageDrawn(
            package_id=str(found.package_id),
            charge_set_id=str(charged.charge_set_id),
            session_id=str(charged.session_id),
            person_id=str(charged.person_id),
            site_id=str(charged.site_id),
            ordinal=ordinal,
            amount_usd=decimal_text(earned),
            drawn_at=to_timestamp(uow.clinic_time),
        )
    )


def _with_one_left(uow: UnitOfWork, person_id: UUID, site_id: UUID, day: date) -> Row[Any] | None:
    rows = uow.execute(
        select(package)
        .where(
            package.c.person_id == person_id,
            package.c.site_id == site_id,
            package.c.ended_at.is_(None),
            package.c.valid_from <= day,
            package.c.valid_until >= day,
        )
        .order_by(package.c.valid_until, package.c.package_id)
        .with_for_update()
    ).all()
    # Counted by a statement of its own: another session may have drawn while this one waited for the lock.
    return next((row for row in rows if drawn_count(uow, row.package_id) < row.session_count), None)


def drawn_count(uow: UnitOfWork, package_id: UUID) -> int:
    """How many sessions were drawn from a package."""
    count = uow.execute(select(func.count()).where(package_draw.c.package_id == package_id)).scalar_one()
    return int(count)


def package_row(uow: UnitOfWork, package_id: UUID) -> Row[Any]:
    """A package. NotFound for one that was never sold."""
    row = uow.execute(select(package).where(package.c.package_id == package_id)).one_or_none()
    if row is None:
        raise NotFound("package_id", "must be a package that was sold", package_id=str(package_id))
    return row


def package_message(uow: UnitOfWork, row: Row[Any]) -> types.Package:
    """A package as it stands."""
    drawn = drawn_count(uow, row.package_id)
    left = deferred_usd(row.price_usd, row.session_count, drawn)
    ended = row.ended_at is not None
    return types.Package(
        package_id=str(row.package_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        session_count=row.session_count,
        price_usd=decimal_text(row.price_usd),
        valid_from=row.valid_from.isoformat(),
        valid_until=row.valid_until.isoformat(),
        drawn_count=drawn,
        deferred_usd=decimal_text(Decimal("0.00") if ended else left),
        state="refunded" if ended else "used" if drawn == row.session_count else "open",
        refunded_usd=decimal_text(row.refunded_usd),
    )
