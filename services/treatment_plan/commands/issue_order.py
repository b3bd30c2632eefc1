"""One order for one infusion: it expires, is used once, and can be revoked until then."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import AlreadyExists, FailedPrecondition, Finding
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import programme_message, programme_of
from treatment_plan.changes import refuse_while_pending
from treatment_plan.domain.dose import KETAMINE
from treatment_plan.domain.numbers import plain
from treatment_plan.domain.privileges import SIGN
from treatment_plan.domain.session_state import BEFORE_START
from treatment_plan.dosing import dose_within_limits, numbers_of
from treatment_plan.holds import hold_findings
from treatment_plan.policy import order_expiry
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import (
    CONSENT_TOPIC,
    consent_findings,
    flag_findings,
    live_order,
    lock_person,
    plan_for_update,
    revoke_unused_orders,
    session_for_update,
    session_of,
    set_session_state,
)
from treatment_plan.tables import treatment_order

EXPIRED = "order.expired"


def handle(uow: UnitOfWork, request: pb.IssueOrderRequest) -> Ids:
    """Refuses, naming each: a session not planned, a plan not signed, a consent withdrawn, an open flag that blocks, a hold.

    PermissionDenied without the privilege to sign, of who orders and of who answers for the session. CHANGE_PENDING while the booking
    is being changed. AlreadyExists ORDER_LIVE while the session has an order in force.
    """
    known = session_of(uow, request.session_id)
    require_privilege(uow, known.site_id, SIGN)
    responsible = UUID(request.responsible_prescriber_id or str(uow.context.actor_id))
    require_privilege(uow, known.site_id, SIGN, responsible)
    uow.refuse_if_parked(CONSENT_TOPIC, str(known.person_id))
    lock_person(uow, known.person_id)
    plan = plan_for_update(uow, known.plan_id)
    session = session_for_update(uow, request.session_id)
    refuse_while_pending(uow, session.session_id)
    expires_at = session.starts_at + order_expiry(uow, str(session.site_id), uow.clinic_time)
    require_issuable(uow, session, plan, in_time=uow.clinic_time < expires_at)
    # The library may have changed since the signature: what is in force now decides.
    dose_within_limits(uow, plan.library_code, str(plan.site_id), numbers_of(plan))
    leave_room(uow, session.session_id)
    order_id = uow.new_id()
    uow.execute(
        insert(treatment_order).values(
            order_id=order_id,
            plan_id=plan.plan_id,
            plan_version=plan.version,
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            drug_code=KETAMINE,
            concentration_mg_per_ml=plan.concentration_mg_per_ml,
            rate_ml_per_h=plan.rate_ml_per_h,
            vtbi_ml=plan.vtbi_ml,
            ordered_mg=plan.ordered_mg,
            dose_mg=plan.dose_mg,
            duration_min=plan.programme_duration_min,
            weight_kg=plan.weight_kg,
            prescriber_id=uow.context.actor_id,
            issued_at=uow.clinic_time,
            expires_at=expires_at,
            measured_weight_kg=plan.measured_weight_kg,
            responsible_prescriber_id=responsible,
        )
    )
    set_session_state(uow, session.session_id, "planned")
    uow.emit(issued(order_row(uow, order_id)))
    return {"order_id": str(order_id)}


def require_issuable(uow: UnitOfWork, session: Any, plan: Any, *, in_time: bool) -> None:
    """FailedPrecondition ORDER_REFUSED with everything that stands against it."""
    found = []
    if session.state not in BEFORE_START:
        found.append(Finding("session_id", "the session must be planned"))
    if plan.state != "signed":
        found.append(Finding("session_id", "the session's plan must be signed"))
    if not in_time:
        found.append(Finding("session_id", "the session's start must not lie further back than an order lasts"))
    found += consent_findings(uow, session.person_id, uow.clinic_time)
    found += flag_findings(uow, session.person_id)
    found += hold_findings(uow, session.person_id)
    if found:
        raise FailedPrecondition(
            "ORDER_REFUSED",
            field=found[0].field,
            rule="; ".join(finding.rule for finding in found),
            findings=found,
            session_id=str(session.session_id),
        )


def leave_room(uow: UnitOfWork, session_id: UUID) -> None:
    """An order that ran out gives way. AlreadyExists ORDER_LIVE while one is in force."""
    before = live_order(uow, session_id)
    if before is None:
        return
    if before.used_at is None and before.expires_at <= uow.clinic_time:
        revoke_unused_orders(uow, treatment_order.c.order_id == before.order_id, EXPIRED)
        return
    raise AlreadyExists(
        "ORDER_LIVE",
        field="session_id",
        rule="a session has one order in force at a time",
        session_id=str(session_id),
        order_id=str(before.order_id),
    )


def order_row(uow: UnitOfWork, order_id: UUID) -> Any:
    """The order as it stands."""
    return uow.execute(select(treatment_order).where(treatment_order.c.order_id == order_id)).one()


def issued(order: Any) -> events.OrderIssued:
    """What others learn of an order."""
    return events.OrderIssued(
        order_id=str(order.order_id),
        plan_id=str(order.plan_id),
        session_id=str(order.session_id),
        person_id=str(order.person_id),
        site_id=str(order.site_id),
        programme=programme_message(programme_of(order)),
        dose_mg=plain(order.dose_mg),
        duration_min=plain(order.duration_min),
        weight_kg=plain(order.weight_kg),
        prescriber_id=str(order.prescriber_id),
        issued_at=to_timestamp(order.issued_at),
        expires_at=to_timestamp(order.expires_at),
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.IssueOrderResponse:
    """The order's programme and until when it holds."""
    order = order_row(uow, UUID(ids["order_id"]))
    return pb.IssueOrderResponse(
        order_id=ids["order_id"],
        programme=programme_message(programme_of(order)),
        dose_mg=plain(order.dose_mg),
        expires_at=to_timestamp(order.expires_at),
    )


COMMAND = Command("IssueOrder", pb.IssueOrderRequest, handle, answer, roles=frozenset({"prescriber"}))
