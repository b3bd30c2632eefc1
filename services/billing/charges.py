"""Keeps what a session came to: the charge set, its lines, its posting to the ledger, and the event about it."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from billing.domain import words
from billing.domain.charging import Outcome, SessionFacts, charge
from billing.domain.coding import CodingPolicy
from billing.domain.postings import charge_entries
from billing.ledger import post
from billing.tables import charge_line, charge_set, coding_policy, price_item, price_list
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import types_pb2 as types


def outcome_of(uow: UnitOfWork, site_id: UUID, facts: SessionFacts) -> Outcome:
    """What the session comes to by the policy and the prices of its day."""
    if facts.service_date is None:
        return charge(facts, None, None)
    return charge(facts, _policy_on(uow, facts.service_date), _prices_on(uow, site_id, facts.service_date))


def keep_outcome(uow: UnitOfWork, kept: Row[Any], outcome: Outcome) -> None:
    """Writes the outcome of a charge set that has neither lines nor postings yet (a new one, or a held one)."""
    uow.execute(
        update(charge_set)
        .where(charge_set.c.charge_set_id == kept.charge_set_id)
        .values(state=outcome.state, hold_reason_code=outcome.hold_reason_code, total_usd=outcome.total_usd)
    )
    if outcome.state != words.CHARGED:
        return
    uow.execute(
        insert(charge_line),
        [
            {
                "charge_set_id": kept.charge_set_id,
                "line_number": number,
                **asdict(priced.line),
                "unit_price_usd": priced.unit_price_usd,
                "amount_usd": priced.amount_usd,
            }
            for number, priced in enumerate(outcome.lines, start=1)
        ],
    )
    whose = {"person_id": kept.person_id, "site_id": kept.site_id}
    post(uow, words.CHARGE, kept.charge_set_id, whose, charge_entries(outcome.lines))
    uow.emit(
        events.ChargeCaptured(
            charge_set_id=str(kept.charge_set_id),
            session_id=str(kept.session_id),
            person_id=str(kept.person_id),
            site_id=str(kept.site_id),
            lines=lines_of(uow, kept.charge_set_id),
            total_usd=decimal_text(outcome.total_usd),
            service_date=kept.service_date.isoformat(),
            captured_at=to_timestamp(uow.clinic_time),
        )
    )


def release_held(uow: UnitOfWork, site_id: UUID, effective_from: date) -> None:
    """Charges the sets of the site that were held for want of a price, from this day on, where there is one now."""
    held = uow.execute(
        select(charge_set)
        .where(
            charge_set.c.site_id == site_id,
            charge_set.c.state == words.HELD,
            charge_set.c.service_date >= effective_from,
            charge_set.c.hold_reason_code.in_((words.NO_PRICE_LIST, words.NO_PRICE)),
        )
        .order_by(charge_set.c.charge_set_id)
        .with_for_update()
    ).all()
    for row in held:
        facts = SessionFacts(
            row.service_date,
            row.stopped,
            row.delivering_seconds,
            _text(row.delivered_mg),
            _text(row.vial_mg_per_ml),
            row.ndc,
        )
        keep_outcome(uow, row, outcome_of(uow, site_id, facts))


def lines_of(uow: UnitOfWork, charge_set_id: UUID) -> list[types.ChargeLine]:
    """The lines of a charge set in their order, as the contract writes them."""
    rows = uow.execute(
        select(charge_line).where(charge_line.c.charge_set_id == charge_set_id).order_by(charge_line.c.line_number)
    )
    return [
        types.ChargeLine(
            code=row.code,
            units=decimal_text(row.units),
            unit_price_usd=decimal_text(row.unit_price_usd),
            amount_usd=decimal_text(row.amount_usd),
            ndc=row.ndc,
            product_ml=_text(row.product_ml),
        )
        for row in rows
    ]


def _policy_on(uow: UnitOfWork, day: date) -> CodingPolicy | None:
    columns = [column for column in coding_policy.c if column.name not in ("effective_from", "review_state")]
    row = uow.execute(
        select(*columns)
        .where(coding_policy.c.effective_from <= day)
        .order_by(coding_policy.c.effective_from.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else CodingPolicy(**row._mapping)


def _prices_on(uow: UnitOfWork, site_id: UUID, day: date) -> dict[str, Decimal] | None:
    price_list_id = uow.execute(
        select(price_list.c.price_list_id)
        .where(price_list.c.site_id == site_id, price_list.c.effective_from <= day)
        .order_by(price_list.c.effective_from.desc())
        .limit(1)
    ).scalar_one_or_none()
    if price_list_id is None:
        return None
    items = uow.execute(
        select(price_item.c.code, price_item.c.unit_price_usd).where(price_item.c.price_list_id == price_list_id)
    )
    return {row.code: row.unit_price_usd for row in items}


def _text(value: Decimal | None) -> str:
    return "" if value is None else decimal_text(value)
