"""Asked at the moment of a start: the order is marked used, once, or the start is refused and everything against it named."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from chassis.errors import FailedPrecondition, Finding
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import programme_message, programme_of
from treatment_plan.changes import refuse_while_pending
from treatment_plan.commands.issue_order import order_row
from treatment_plan.domain.dose_mode import DoseMode, dose_mode_findings
from treatment_plan.domain.numbers import plain
from treatment_plan.domain.session_state import AUTHORISED, READY
from treatment_plan.domain.start import Echo, OrderState, echo_findings, order_findings
from treatment_plan.holds import hold_findings
from treatment_plan.policy import echo_policy
from treatment_plan.records import (
    CONSENT_TOPIC,
    consent_findings,
    flag_findings,
    lock_person,
    session_for_update,
    session_of,
    set_session_state,
)
from treatment_plan.tables import session_readiness, treatment_order


def handle(uow: UnitOfWork, request: pb.AuthoriseStartRequest) -> Ids:
    """FailedPrecondition START_REFUSED with a finding for each thing that stands against it; CHANGE_PENDING."""
    # A flag or a withdrawal that is being applied for this person is waited for.
    lock_person(uow, session_of(uow, request.session_id).person_id)
    # Locked before the order, so that of two starts at once one sees the order used.
    session = session_for_update(uow, request.session_id)
    refuse_while_pending(uow, session.session_id)
    # A withdrawal that could not be applied would have revoked the order.
    uow.refuse_if_parked(CONSENT_TOPIC, str(session.person_id))
    chosen = select(treatment_order).where(treatment_order.c.order_id == UUID(request.order_id)).with_for_update()
    order: Any = uow.execute(chosen).one_or_none()
    found = against(uow, request, session, order)
    if found:
        raise FailedPrecondition(
            "START_REFUSED",
            field=found[0].field,
            rule="; ".join(f"{finding.field}: {finding.rule}" for finding in found),
            findings=found,
            session_id=request.session_id,
            order_id=request.order_id,
        )
    uow.execute(
        update(treatment_order)
        .where(treatment_order.c.order_id == order.order_id)
        .values(used_at=uow.clinic_time, pump_id=UUID(request.pump_id), authorisation_id=uow.new_id())
    )
    set_session_state(uow, session.session_id, AUTHORISED)
    uow.emit(
        events.OrderUsed(
            order_id=str(order.order_id),
            session_id=str(order.session_id),
            person_id=str(order.person_id),
            site_id=str(order.site_id),
            pump_id=str(UUID(request.pump_id)),
            used_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"order_id": str(order.order_id)}


def against(uow: UnitOfWork, request: pb.AuthoriseStartRequest, session: Any, order: Any) -> list[Finding]:
    """Everything that stands against the start: the order, the gate, the person, the echo."""
    if order is None:
        return [Finding("order_id", "the order must be on record")]
    state = OrderState(str(order.session_id), order.expires_at, order.used_at is not None, order.revoked_at is not None)
    found = order_findings(state, str(session.session_id), uow.clinic_time)
    ready = uow.execute(
        select(session_readiness.c.order_id).where(session_readiness.c.order_id == order.order_id)
    ).one_or_none()
    if session.state != READY or ready is None:
        found.append(Finding("session_id", "the session must be ready with this order"))
    found += flag_findings(uow, session.person_id)
    found += consent_findings(uow, session.person_id, uow.clinic_time)
    found += hold_findings(uow, session.person_id)
    echoed = request.echoed_programme
    echo = Echo(
        echoed.drug_code,
        echoed.concentration_mg_per_ml,
        echoed.rate_ml_per_h,
        echoed.vtbi_ml,
        from_timestamp(request.echoed_at),
        request.echoed_weight_kg,
        request.echoed_dose_rate,
        request.echoed_dose_rate_unit,
    )
    dose_mode = DoseMode(order.weight_kg, order.concentration_mg_per_ml, order.rate_ml_per_h)
    policy = echo_policy(uow, str(session.site_id), uow.clinic_time)
    found += echo_findings(echo, programme_of(order), uow.clinic_time, policy)
    return found + dose_mode_findings(echo, dose_mode)


def answer(uow: UnitOfWork, ids: Ids) -> pb.AuthoriseStartResponse:
    """The authorisation and what the pump has to run."""
    order = order_row(uow, UUID(ids["order_id"]))
    return pb.AuthoriseStartResponse(
        authorisation_id=str(order.authorisation_id),
        programme=programme_message(programme_of(order)),
        dose_mg=plain(order.dose_mg),
    )


COMMAND = Command("AuthoriseStart", pb.AuthoriseStartRequest, handle, answer, roles=frozenset({"service", "nurse"}))
