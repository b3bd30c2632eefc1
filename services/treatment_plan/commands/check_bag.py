"""A second person, different from the first, checks vial, volumes and label. With it the session is prepared."""

from uuid import UUID

from sqlalchemy import update

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.commands.prepare_bag import order_of_bag, refuse_bad
from treatment_plan.domain.session_state import BEFORE_READY, PREPARED, require_state
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import session_for_update, set_session_state
from treatment_plan.session_facts import bag_of, bag_row
from treatment_plan.session_tables import bag


def handle(uow: UnitOfWork, request: pb.CheckBagRequest) -> Ids:
    """FailedPrecondition BAG_NOT_PREPARED, BAG_CHECKED, BAG_SAME_PERSON, or BAG_REFUSED when it does not fit the order any more."""
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    require_state(session.state, BEFORE_READY, "the check of a bag", session_id=request.session_id)
    prepared = bag_row(uow, session.session_id)
    if prepared is None or prepared.bag_id != UUID(request.bag_id):
        raise refusal("BAG_NOT_PREPARED", "must be the bag that was prepared last for this session", request)
    if prepared.checked_by is not None:
        raise refusal("BAG_CHECKED", "the bag was checked before", request)
    if prepared.prepared_by == uow.context.actor_id:
        raise refusal("BAG_SAME_PERSON", "the bag must be prepared and checked by two different people", request)
    refuse_bad(uow, session, order_of_bag(uow, session), bag_of(prepared))
    uow.execute(
        update(bag)
        .where(bag.c.bag_id == prepared.bag_id)
        .values(checked_by=uow.context.actor_id, checked_at=uow.clinic_time)
    )
    set_session_state(uow, session.session_id, PREPARED)
    return {"session_id": str(session.session_id)}


def refusal(reason: str, rule: str, request: pb.CheckBagRequest) -> FailedPrecondition:
    """A refusal about the bag."""
    return FailedPrecondition(reason, field="bag_id", rule=rule, session_id=request.session_id, bag_id=request.bag_id)


def answer(_uow: UnitOfWork, ids: Ids) -> pb.CheckBagResponse:
    """Prepared, as this call made it."""
    return pb.CheckBagResponse(session_id=ids["session_id"], state=types.SESSION_STATE_PREPARED)


COMMAND = Command("CheckBag", pb.CheckBagRequest, handle, answer, roles=frozenset({"nurse", "prescriber"}))
