"""What a biller decides about a held charge is kept with who, when and why; nobody changes it later."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from billing.accounts import lock_account
from billing.charges import locked_set
from billing.domain import words
from billing.tables import charge_review, charge_set
from chassis.errors import FailedPrecondition, NotFound
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.billing.v1 import types_pb2 as types


def held_set(uow: UnitOfWork, charge_set_id: str) -> Row[Any]:
    """The held charge set, with the person's account held. NotFound; FailedPrecondition CHARGE_NOT_HELD."""
    person_id = uow.execute(
        select(charge_set.c.person_id).where(charge_set.c.charge_set_id == UUID(charge_set_id))
    ).scalar_one_or_none()
    if person_id is None:
        raise NotFound("charge_set_id", "must be a charge on record", charge_set_id=charge_set_id)
    lock_account(uow, person_id)
    row = locked_set(uow, UUID(charge_set_id))
    if row is None or row.state != words.HELD:
        raise FailedPrecondition(
            "CHARGE_NOT_HELD", field="charge_set_id", rule="must be held for review", charge_set_id=charge_set_id
        )
    return row


def keep_review(
    uow: UnitOfWork, row: Row[Any], decision: str, reason_code: str, time: types.ReviewedTime | None = None
) -> Row[Any]:
    """Keeps the decision; `time` is what was established about the delivery, if anything."""
    return uow.execute(
        insert(charge_review)
        .values(
            charge_review_id=uow.new_id(),
            charge_set_id=row.charge_set_id,
            person_id=row.person_id,
            site_id=row.site_id,
            decision=decision,
            hold_reason_code=row.hold_reason_code,
            reason_code=reason_code,
            reviewed_by=uow.context.actor_id,
            reviewed_at=uow.clinic_time,
            delivering_seconds=None if time is None else time.delivering_seconds,
            stopped_at=None if time is None else from_timestamp(time.stopped_at),
            source_code=None if time is None else time.source_code,
        )
        .returning(charge_review)
    ).one()
