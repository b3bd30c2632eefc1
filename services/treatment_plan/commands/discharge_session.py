"""The person goes home: every criterion is met and a named clinician says so, or each that is not met is named."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import FailedPrecondition, Finding
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import SESSION_STATES
from treatment_plan.domain.session_state import CLOSED, DISCHARGED, IN_RECOVERY, require_state
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import lock_person, session_for_update, session_of, set_session_state
from treatment_plan.session_events import discharged_event
from treatment_plan.session_facts import one_row
from treatment_plan.session_policy import hours
from treatment_plan.session_recovery import Leaving, unmet
from treatment_plan.session_tables import follow_up, session_discharge
from treatment_plan.tables import session_closure, session_record


def handle(uow: UnitOfWork, request: pb.DischargeSessionRequest) -> Ids:
    """FailedPrecondition NOT_DISCHARGEABLE with a finding for each criterion that is not met, all in its metadata `missing`."""
    # A flag that is being raised for this person is waited for.
    lock_person(uow, session_of(uow, request.session_id).person_id)
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    require_state(session.state, IN_RECOVERY, "a discharge", session_id=request.session_id)
    named = bool(request.clinician_id) and UUID(request.clinician_id) == uow.context.actor_id
    refuse_unmet(uow, session, Leaving(clinician_named=named, driver_present=request.driver_present))
    of_session = {"session_id": session.session_id, "person_id": session.person_id, "site_id": session.site_id}
    uow.execute(
        insert(session_discharge).values(
            **of_session, discharged_by=uow.context.actor_id, discharged_at=uow.clinic_time
        )
    )
    due_at = uow.clinic_time + hours(uow, "follow_up_due_h", str(session.site_id))
    uow.execute(insert(follow_up).values(**of_session, status_code="due", due_at=due_at, outcome_codes=[], attempts=0))
    reconciled = one_row(uow, session_closure, session.session_id) is not None
    set_session_state(uow, session.session_id, CLOSED if reconciled else DISCHARGED)
    uow.emit(discharged_event(uow, session, due_at))
    return {"session_id": str(session.session_id)}


def refuse_unmet(uow: UnitOfWork, session: Any, leaving: Leaving) -> None:
    """Refuses while a criterion is not met."""
    found = unmet(uow, session, leaving)
    if found:
        raise FailedPrecondition(
            "NOT_DISCHARGEABLE",
            field=found[0].item_code,
            rule="; ".join(f"{item.item_code}: {item.rule}" for item in found),
            findings=[Finding(item.item_code, item.rule) for item in found],
            session_id=str(session.session_id),
            missing=",".join(item.item_code for item in found),
        )


def answer(uow: UnitOfWork, ids: Ids) -> pb.DischargeSessionResponse:
    """When the person went, and when the check of the next day is due."""
    session_id = UUID(ids["session_id"])
    state = uow.execute(select(session_record.c.state).where(session_record.c.session_id == session_id)).scalar_one()
    return pb.DischargeSessionResponse(
        session_id=ids["session_id"],
        state=SESSION_STATES[state],
        discharged_at=to_timestamp(one_row(uow, session_discharge, session_id).discharged_at),
        follow_up_due_at=to_timestamp(one_row(uow, follow_up, session_id).due_at),
    )


COMMAND = Command(
    "DischargeSession",
    pb.DischargeSessionRequest,
    handle,
    answer,
    roles=frozenset({"nurse", "prescriber", "clinician"}),
)
