"""A biller has looked at a held charge, and it is charged."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from billing.charge_messages import charge_set_message, set_row
from billing.charges import announce_release, keep_outcome
from billing.domain import words
from billing.pricing import outcome_of
from billing.reviews import held_set, keep_review
from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.ReleaseChargeRequest) -> Ids:
    """Charges it by its own day's prices. FailedPrecondition CHARGE_STILL_HELD names what is still missing; nothing is kept then."""
    row = held_set(uow, request.charge_set_id)
    time = _reviewed_time(row, request)
    review = keep_review(uow, row, words.RELEASED, request.reason_code, time)
    outcome = outcome_of(uow, row, review)
    if outcome.state == words.HELD:
        raise FailedPrecondition(
            "CHARGE_STILL_HELD",
            field="charge_set_id",
            rule=f"the hold {outcome.hold_reason_code} must be resolved first",
            charge_set_id=request.charge_set_id,
        )
    announce_release(uow, row, request.reason_code, str(uow.context.actor_id))
    keep_outcome(uow, row, outcome)
    return {"charge_set_id": request.charge_set_id}


def _reviewed_time(row: Row[Any], request: pb.ReleaseChargeRequest) -> Any:
    """The time that a person established. InvalidArgument when it is missing, not asked for, or cannot be."""
    needed = row.hold_reason_code in words.TIME_TO_ESTABLISH
    if needed != request.HasField("reviewed_time"):
        rule = "must be given for this hold" if needed else "must not be given for this hold"
        raise InvalidArgument("reviewed_time", rule, charge_set_id=request.charge_set_id)
    if not needed:
        return None
    if row.served_at is not None:
        length = (from_timestamp(request.reviewed_time.stopped_at) - row.served_at).total_seconds()
        if length < request.reviewed_time.delivering_seconds:
            raise InvalidArgument(
                "reviewed_time.delivering_seconds", "must fit between the device's start and the reviewed stop"
            )
    return request.reviewed_time


def answer(uow: UnitOfWork, ids: Ids) -> pb.ReleaseChargeResponse:
    """The charge set as it stands."""
    row = set_row(uow, UUID(ids["charge_set_id"]))
    return pb.ReleaseChargeResponse(charge_set=charge_set_message(uow, row))


COMMAND = Command("ReleaseCharge", pb.ReleaseChargeRequest, handle, answer, roles=frozenset({"biller"}))
