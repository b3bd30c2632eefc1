"""A held charge is never charged."""

from uuid import UUID

from sqlalchemy import update

from billing.charge_messages import charge_set_message, set_row
from billing.charges import named
from billing.domain import words
from billing.domain.postings import rejection_entries
from billing.ledger import post
from billing.pricing import outcome_of
from billing.reviews import held_set, keep_review
from billing.tables import charge_set
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.billing.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RejectChargeRequest) -> Ids:
    """Ends the hold. What the charge would have come to, where that is certain, is posted as revenue and adjusted away at once."""
    row = held_set(uow, request.charge_set_id)
    review = keep_review(uow, row, words.REJECTED, request.reason_code)
    would_be = outcome_of(uow, row, review)
    uow.execute(
        update(charge_set)
        .where(charge_set.c.charge_set_id == row.charge_set_id)
        .values(state=words.REJECTED, hold_reason_code="")
    )
    whose = {"person_id": row.person_id, "site_id": row.site_id}
    post(uow, words.REJECTION, row.charge_set_id, whose, rejection_entries(would_be.lines))
    uow.emit(
        events.ChargeRejected(
            **named(row),
            hold_reason_code=row.hold_reason_code,
            reason_code=request.reason_code,
            reviewed_by=str(uow.context.actor_id),
            rejected_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"charge_set_id": request.charge_set_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RejectChargeResponse:
    """The charge set as it stands."""
    row = set_row(uow, UUID(ids["charge_set_id"]))
    return pb.RejectChargeResponse(charge_set=charge_set_message(uow, row))


COMMAND = Command("RejectCharge", pb.RejectChargeRequest, handle, answer, roles=frozenset({"biller"}))
