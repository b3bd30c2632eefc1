"""What others learn when a session is closed."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from treatment_plan.answers import OUTCOMES
from treatment_plan.domain.accounting import Delivered
from treatment_plan.domain.numbers import plain


def closed_event(
    uow: UnitOfWork, session: Any, order: Any, bag: Any, totals: Any, reported: Delivered, wasted_mg: Decimal
) -> events.SessionClosed:
    """The one from which the charge is made. `ordered_mg` is before rounding, as in the plan."""
    return events.SessionClosed(
        session_id=str(session.session_id),
        person_id=str(session.person_id),
        site_id=str(session.site_id),
        plan_id=str(session.plan_id),
        order_id=str(order.order_id),
        ordinal=session.ordinal,
        outcome=OUTCOMES[totals.outcome],
        ordered_mg=plain(order.ordered_mg),
        delivered_mg=plain(reported.delivered_mg),
        delivered_ml=plain(reported.delivered_ml),
        wasted_mg=plain(wasted_mg),
        ndc=bag.ndc,
        vial_concentration_mg_per_ml=plain(bag.vial_concentration_mg_per_ml),
        started_at=to_timestamp(totals.started_at) if totals.started_at is not None else None,
        stopped_at=to_timestamp(totals.stopped_at) if totals.stopped_at is not None else None,
        delivering_seconds=totals.delivering_seconds,
        paused_seconds=totals.paused_seconds,
        discrepancy=reported.discrepancy,
        closed_at=to_timestamp(uow.clinic_time),
    )


def wasted_event(uow: UnitOfWork, session: Any, ndc: str, wasted_mg: Decimal, witness: UUID) -> events.DrugWasted:
    """Waste of a Schedule III substance, with who wasted and who saw it."""
    return events.DrugWasted(
        session_id=str(session.session_id),
        person_id=str(session.person_id),
        site_id=str(session.site_id),
        ndc=ndc,
        wasted_mg=plain(wasted_mg),
        wasted_by=str(uow.context.actor_id),
        witnessed_by=str(witness),
        wasted_at=to_timestamp(uow.clinic_time),
    )
