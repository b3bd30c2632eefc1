"""Everything that must be there before a start is there: the nurse says so, and the numbers are checked."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert

from chassis.errors import FailedPrecondition, Finding
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.domain.ndc import normalised
from treatment_plan.domain.numbers import number_of, plain
from treatment_plan.domain.ready import Bag, Gate, missing_items
from treatment_plan.policy import number_in_force
from treatment_plan.records import live_order, session_for_update, set_session_state
from treatment_plan.tables import session_readiness


def handle(uow: UnitOfWork, request: pb.MarkSessionReadyRequest) -> Ids:
    """FailedPrecondition NOT_READY names each missing item; an order in force is one of them."""
    gate, ndc = gate_of(request), normalised(request.ndc)
    session = session_for_update(uow, request.session_id)
    if session.state != "planned":
        raise FailedPrecondition(
            "SESSION_STATE",
            field="session_id",
            rule="only a planned session can be made ready",
            session_id=request.session_id,
        )
    order = live_order(uow, session.session_id)
    missing = what_is_missing(uow, gate, session, order)
    if missing:
        raise FailedPrecondition(
            "NOT_READY",
            field=missing[0].field,
            rule="; ".join(f"{finding.field}: {finding.rule}" for finding in missing),
            findings=missing,
            session_id=request.session_id,
        )
    uow.execute(
        insert(session_readiness).values(
            session_id=session.session_id,
            order_id=order.order_id,
            person_id=session.person_id,
            site_id=session.site_id,
            arrival_weight_kg=gate.arrival_weight_kg,
            bag_prepared_by=UUID(gate.bag.prepared_by),
            bag_checked_by=UUID(gate.bag.checked_by),
            ndc=ndc,
            vial_concentration_mg_per_ml=gate.bag.vial_concentration_mg_per_ml,
            drawn_ml=gate.bag.drawn_ml,
            bag_volume_ml=gate.bag.bag_volume_ml,
            recorded_by=uow.context.actor_id,
            ready_at=uow.clinic_time,
        )
    )
    set_session_state(uow, session.session_id, "ready")
    uow.emit(
        events.SessionReady(
            session_id=str(session.session_id),
            person_id=str(session.person_id),
            site_id=str(session.site_id),
            order_id=str(order.order_id),
            arrival_weight_kg=plain(gate.arrival_weight_kg),
            ready_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"session_id": str(session.session_id)}


def gate_of(request: pb.MarkSessionReadyRequest) -> Gate:
    """What the request says was found."""
    bag = Bag(
        prepared_by=request.bag_prepared_by,
        checked_by=request.bag_checked_by,
        vial_concentration_mg_per_ml=number_of(request.vial_concentration_mg_per_ml, "vial_concentration_mg_per_ml"),
        drawn_ml=number_of(request.drawn_ml, "drawn_ml"),
        bag_volume_ml=number_of(request.bag_volume_ml, "bag_volume_ml"),
    )
    return Gate(
        arrival_weight_kg=number_of(request.arrival_weight_kg, "arrival_weight_kg"),
        bag=bag,
        identity_checked_twice=request.identity_checked_twice,
        fasting_confirmed=request.fasting_confirmed,
        driver_confirmed=request.driver_confirmed,
    )


def what_is_missing(uow: UnitOfWork, gate: Gate, session: Any, order: Any) -> list[Finding]:
    """Every missing item. Without an order in force the weight and the bag have nothing to be held against."""
    if order is None or order.expires_at <= uow.clinic_time:
        return [Finding("session_id", "the session must have an order in force")]
    tolerance = number_in_force(uow, "weight_tolerance_fraction", str(session.site_id), uow.clinic_time)
    return missing_items(gate, order.weight_kg, order.concentration_mg_per_ml, tolerance)


def answer(_uow: UnitOfWork, ids: Ids) -> pb.MarkSessionReadyResponse:
    """Ready, as this call made it."""
    return pb.MarkSessionReadyResponse(session_id=ids["session_id"], state=types.SESSION_STATE_READY)


COMMAND = Command("MarkSessionReady", pb.MarkSessionReadyRequest, handle, answer, roles=frozenset({"nurse"}))
