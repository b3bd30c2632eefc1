"""A prescriber lets an item of the gate pass that the policy calls soft, with a reason."""

from sqlalchemy import insert

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.domain.ready import ITEM_CODES, is_soft
from treatment_plan.domain.session_state import BEFORE_READY, require_state
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import session_for_update
from treatment_plan.session_policy import item_severities
from treatment_plan.session_tables import ready_override


def handle(uow: UnitOfWork, request: pb.OverrideReadyItemRequest) -> Ids:
    """InvalidArgument for an item that there is not; FailedPrecondition ITEM_NOT_SOFT for one that nobody lets pass."""
    if request.item_code not in ITEM_CODES:
        raise InvalidArgument("item_code", "must be an item of the gate")
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "sign")
    require_state(session.state, BEFORE_READY, "an override", session_id=request.session_id)
    if not is_soft(request.item_code, item_severities(uow, str(session.site_id))):
        raise FailedPrecondition(
            "ITEM_NOT_SOFT",
            field="item_code",
            rule="only an item that the policy calls soft can be let pass",
            session_id=request.session_id,
        )
    uow.execute(
        insert(ready_override).values(
            override_id=uow.new_id(),
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            item_code=request.item_code,
            reason_code=request.reason_code,
            overridden_by=uow.context.actor_id,
            overridden_at=uow.clinic_time,
        )
    )
    return {"session_id": str(session.session_id)}


def answer(_uow: UnitOfWork, ids: Ids) -> pb.OverrideReadyItemResponse:
    """The session's id."""
    return pb.OverrideReadyItemResponse(session_id=ids["session_id"])


COMMAND = Command("OverrideReadyItem", pb.OverrideReadyItemRequest, handle, answer, roles=frozenset({"prescriber"}))
