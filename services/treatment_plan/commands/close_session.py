"""The session is reconciled with the pump's totals and closed, once. The drug is accounted for to the last decimal."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import OUTCOMES
from treatment_plan.closing import closed_event, wasted_event
from treatment_plan.commands.issue_order import order_row
from treatment_plan.domain.accounting import Delivered, PumpTotals, delivered, require_balance
from treatment_plan.domain.numbers import ZERO, multiply, number_of, plain
from treatment_plan.domain.session_state import CLOSED, DISCHARGED, ENDED
from treatment_plan.policy import discrepancy_policy
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import (
    plan_for_update,
    session_for_update,
    session_of,
    sessions_accounted,
    set_session_state,
)
from treatment_plan.revising import complete
from treatment_plan.session_facts import one_row
from treatment_plan.tables import pump_totals, session_closure, session_readiness


@dataclass(frozen=True)
class Account:
    """What the nurse counted, in milligrams."""

    opened_mg: Decimal
    returned_mg: Decimal
    wasted_mg: Decimal


def handle(uow: UnitOfWork, request: pb.CloseSessionRequest) -> Ids:
    """FailedPrecondition PUMP_TOTALS_MISSING, SESSION_STATE; PermissionDenied without the privilege to administer.

    InvalidArgument when the account does not balance or has no witness.
    """
    account = Account(
        number_of(request.opened_mg, "opened_mg"),
        number_of(request.returned_mg, "returned_mg"),
        number_of(request.wasted_mg, "wasted_mg"),
    )
    if account.wasted_mg > ZERO and UUID(request.witnessed_by) == uow.context.actor_id:
        raise InvalidArgument("witnessed_by", "waste must be witnessed by somebody else than who closes the session")
    of_plan = plan_for_update(uow, session_of(uow, request.session_id).plan_id)
    session = session_for_update(uow, request.session_id)
    # A controlled drug is accounted for by somebody who may give it (21 CFR 1304.22(c): who administered is on the record).
    require_privilege(uow, session.site_id, "administer")
    totals = totals_of(uow, session)
    order = order_row(uow, totals.order_id)
    pump_mg = multiply(totals.delivered_ml, order.concentration_mg_per_ml)
    require_balance(account.opened_mg, pump_mg, account.returned_mg, account.wasted_mg)
    reported = delivered(
        PumpTotals(totals.delivered_ml, totals.keep_vein_open_ml, totals.expected_ml),
        order.concentration_mg_per_ml,
        discrepancy_policy(uow, str(session.site_id), uow.clinic_time),
    )
    keep(uow, session, account, pump_mg, reported, UUID(request.witnessed_by))
    bag = uow.execute(select(session_readiness).where(session_readiness.c.order_id == order.order_id)).one()
    uow.emit(closed_event(uow, session, order, bag, totals, reported, account.wasted_mg))
    if account.wasted_mg > ZERO:
        uow.emit(wasted_event(uow, session, bag.ndc, account.wasted_mg, UUID(request.witnessed_by)))
    complete_plan(uow, of_plan)
    return {"session_id": str(session.session_id)}


def totals_of(uow: UnitOfWork, session: Any) -> Any:
    """The pump's final totals of a session whose drug is not accounted for."""
    if session.state == CLOSED or one_row(uow, session_closure, session.session_id) is not None:
        raise FailedPrecondition(
            "SESSION_STATE",
            field="session_id",
            rule=f"the session is {session.state}: its drug is accounted for once",
            session_id=str(session.session_id),
        )
    totals = uow.execute(select(pump_totals).where(pump_totals.c.session_id == session.session_id)).one_or_none()
    if totals is None:
        raise FailedPrecondition(
            "PUMP_TOTALS_MISSING",
            field="session_id",
            rule="the pump's final totals must have arrived; repeat the call with the same request_id",
            session_id=str(session.session_id),
        )
    return totals


def keep(uow: UnitOfWork, session: Any, account: Account, pump_mg: Decimal, reported: Delivered, witness: UUID) -> None:
    """The account goes on record; with it a session that was discharged is closed."""
    uow.execute(
        insert(session_closure).values(
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            opened_mg=account.opened_mg,
            returned_mg=account.returned_mg,
            wasted_mg=account.wasted_mg,
            pump_mg=pump_mg,
            delivered_ml=reported.delivered_ml,
            delivered_mg=reported.delivered_mg,
            discrepancy=reported.discrepancy,
            closed_by=uow.context.actor_id,
            witnessed_by=witness,
            closed_at=uow.clinic_time,
        )
    )
    # Discharge and account come in either order; a session of the first release has no discharge.
    if session.state in (DISCHARGED, ENDED):
        set_session_state(uow, session.session_id, CLOSED)


def complete_plan(uow: UnitOfWork, of_plan: Any) -> None:
    """A plan is completed when as many sessions are accounted for as it planned. A suspended one stays suspended."""
    if of_plan.state == "signed" and sessions_accounted(uow, of_plan.plan_id) >= of_plan.sessions_planned:
        complete(uow, of_plan)


def answer(uow: UnitOfWork, ids: Ids) -> pb.CloseSessionResponse:
    """The session's account as it was closed."""
    session_id = UUID(ids["session_id"])
    closure = uow.execute(select(session_closure).where(session_closure.c.session_id == session_id)).one()
    totals = uow.execute(select(pump_totals).where(pump_totals.c.session_id == session_id)).one()
    return pb.CloseSessionResponse(
        session_id=ids["session_id"],
        outcome=OUTCOMES[totals.outcome],
        ordered_mg=plain(order_row(uow, totals.order_id).ordered_mg),
        delivered_mg=plain(closure.delivered_mg),
        wasted_mg=plain(closure.wasted_mg),
        delivering_seconds=totals.delivering_seconds,
    )


COMMAND = Command("CloseSession", pb.CloseSessionRequest, handle, answer, roles=frozenset({"nurse"}))
