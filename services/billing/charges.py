"""Keeps what a service came to: the charge set, its lines, its posting to the ledger, and the events about it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from billing.accounts import lock_account
from billing.charge_messages import lines_of
from billing.domain import words
from billing.domain.charging import Outcome, PricedLine
from billing.domain.money import ZERO_USD
from billing.domain.postings import charge_entries
from billing.ledger import post
from billing.packages import draw_for
from billing.pricing import last_review, outcome_of
from billing.tables import charge_line, charge_set
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import events_pb2 as events

# The facts of a session, as they are where there is none.
_NO_SESSION = {"stopped": True, "delivering_seconds": 0, "ndc": ""}


def keep_source(
    uow: UnitOfWork,
    kind: str,
    source_id: UUID,
    whose: dict[str, UUID],
    served: tuple[datetime | None, date | None],
    **facts: Any,
) -> Row[Any] | None:
    """A new charge set that is nothing yet, or None where there is one of this source: the insert alone decides which of two was first.

    `whose` is person_id and site_id; `served` the start of the service and its day at the site.
    """
    values = _NO_SESSION | facts
    return uow.execute(
        insert_or_not(charge_set)
        .values(
            charge_set_id=uow.new_id(),
            session_id=source_id if kind == words.SESSION else None,
            kind=kind,
            source_id=source_id,
            served_at=served[0],
            service_date=served[1],
            state=words.NOTHING,
            hold_reason_code="",
            total_usd=ZERO_USD,
            captured_at=uow.clinic_time,
            **whose,
            **values,
        )
        .on_conflict_do_nothing()
        .returning(charge_set)
    ).one_or_none()


def keep_outcome(uow: UnitOfWork, kept: Row[Any], outcome: Outcome) -> None:
    """Writes the outcome of a charge set that has neither lines nor postings yet (a new one, or a held one)."""
    uow.execute(
        update(charge_set)
        .where(charge_set.c.charge_set_id == kept.charge_set_id)
        .values(
            state=outcome.state,
            hold_reason_code=outcome.hold_reason_code,
            note_code=outcome.note_code,
            total_usd=outcome.total_usd,
        )
    )
    if outcome.state == words.HELD and kept.hold_reason_code != outcome.hold_reason_code:
        uow.emit(
            events.ChargeHeld(
                **named(kept), hold_reason_code=outcome.hold_reason_code, held_at=to_timestamp(uow.clinic_time)
            )
        )
    if outcome.state != words.CHARGED:
        return
    uow.execute(insert(charge_line), [_line(kept, n, priced) for n, priced in enumerate(outcome.lines, start=1)])
    whose = {"person_id": kept.person_id, "site_id": kept.site_id}
    post(uow, words.CHARGE, kept.charge_set_id, whose, charge_entries(outcome.lines))
    uow.emit(
        events.ChargeCaptured(
            **named(kept),
            session_id="" if kept.session_id is None else str(kept.session_id),
            lines=lines_of(uow, kept.charge_set_id),
            total_usd=decimal_text(outcome.total_usd),
            service_date=kept.service_date.isoformat(),
            captured_at=to_timestamp(uow.clinic_time),
        )
    )
    if kept.kind == words.SESSION and outcome.total_usd > 0:
        draw_for(uow, kept, outcome.total_usd)


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
        .order_by(charge_set.c.person_id, charge_set.c.charge_set_id)
    ).all()
    for found in held:
        lock_account(uow, found.person_id)
        row = locked_set(uow, found.charge_set_id)
        if row is None or row.state != words.HELD:
            continue
        outcome = outcome_of(uow, row, last_review(uow, row.charge_set_id))
        if outcome.state != words.HELD:
            announce_release(uow, row, "price.published", "")
        keep_outcome(uow, row, outcome)


def locked_set(uow: UnitOfWork, charge_set_id: UUID) -> Row[Any] | None:
    """The charge set as it stands, held until the transaction ends."""
    return uow.execute(
        select(charge_set).where(charge_set.c.charge_set_id == charge_set_id).with_for_update()
    ).one_or_none()


def announce_release(uow: UnitOfWork, row: Row[Any], reason_code: str, reviewed_by: str) -> None:
    """Says that a held set is charged now. `reviewed_by` is empty where a price list brought what was missing."""
    uow.emit(
        events.ChargeReleased(
            **named(row),
            hold_reason_code=row.hold_reason_code,
            reason_code=reason_code,
            reviewed_by=reviewed_by,
            released_at=to_timestamp(uow.clinic_time),
        )
    )


def named(row: Row[Any]) -> dict[str, str]:
    """What every event about a charge set says of it."""
    ids = ("charge_set_id", "person_id", "site_id", "source_id")
    return {name: str(row._mapping[name]) for name in ids} | {"kind": row.kind}


def _line(kept: Row[Any], number: int, priced: PricedLine) -> dict[str, int | str | Decimal | UUID | None]:
    line = priced.line
    return {
        "charge_set_id": kept.charge_set_id,
        "line_number": number,
        "code": line.code,
        "modifier": line.modifier,
        "units": line.units,
        "ndc": line.ndc,
        "product_ml": line.product_ml,
        "unit_price_usd": priced.unit_price_usd,
        "amount_usd": priced.amount_usd,
        "note_code": priced.note_code,
    }
