"""An order that was not used is taken back."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.records import revoke_unused_orders, session_for_update
from treatment_plan.tables import treatment_order


def handle(uow: UnitOfWork, request: pb.RevokeOrderRequest) -> Ids:
    """NotFound; FailedPrecondition ORDER_USED or ORDER_REVOKED."""
    chosen = select(treatment_order).where(treatment_order.c.order_id == UUID(request.order_id))
    known = uow.execute(chosen).one_or_none()
    if known is None:
        raise NotFound("order_id", "no such order")
    # A start takes the session's lock first, so that an order is either used or revoked.
    session_for_update(uow, str(known.session_id))
    order = uow.execute(chosen.with_for_update()).one()
    if order.used_at is not None:
        raise FailedPrecondition(
            "ORDER_USED", field="order_id", rule="an order that was used cannot be revoked", order_id=request.order_id
        )
    if order.revoked_at is not None:
        raise FailedPrecondition(
            "ORDER_REVOKED", field="order_id", rule="the order was revoked before", order_id=request.order_id
        )
    revoke_unused_orders(uow, treatment_order.c.order_id == order.order_id, request.reason_code)
    return {"order_id": str(order.order_id)}


def answer(_uow: UnitOfWork, ids: Ids) -> pb.RevokeOrderResponse:
    """The order's id."""
    return pb.RevokeOrderResponse(order_id=ids["order_id"])


COMMAND = Command(
    "RevokeOrder",
    pb.RevokeOrderRequest,
    handle,
    answer,
    roles=frozenset({"prescriber", "clinician", "medical_director"}),
)
