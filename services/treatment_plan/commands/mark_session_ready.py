"""Closes the gate before a start: everything is there, or the refusal names each item that is missing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from chassis.errors import FailedPrecondition, Finding, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.commands.record_arrival_assessment import keep_answers
from treatment_plan.domain.ndc import normalised
from treatment_plan.domain.numbers import ZERO, number_of
from treatment_plan.domain.ready import Arrival, Missing
from treatment_plan.domain.session_state import BEFORE_READY, READY, require_state
from treatment_plan.practitioners import require_privilege
from treatment_plan.records import live_order, lock_person, session_for_update, session_of, set_session_state
from treatment_plan.session_events import ready_event
from treatment_plan.session_facts import bag_row, latest_cadss
from treatment_plan.session_gate import Given, Standing, standing
from treatment_plan.session_tables import identity_check
from treatment_plan.tables import session_readiness

# What a caller says was compared who gives the check at once.
AT_ONCE = ["full_name", "date_of_birth"]


def handle(uow: UnitOfWork, request: pb.MarkSessionReadyRequest) -> Ids:
    """FailedPrecondition NOT_READY with a finding for each missing item, in its metadata `missing` and (of those) `soft`."""
    arrival = arrival_given(request)
    lock_person(uow, session_of(uow, request.session_id).person_id)
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    require_state(session.state, BEFORE_READY, "making it ready", session_id=request.session_id)
    given = Given(
        arrival=arrival,
        identity_checked=request.identity_checked_twice,
        bag_agrees=bag_agrees(request, bag_row(uow, session.session_id)),
        prescriber_id=request.responsible_prescriber_id,
        clinician_id=request.administering_clinician_id,
    )
    order = live_order(uow, session.session_id)
    at_gate = standing(uow, session, order, given)
    if at_gate.missing:
        raise not_ready(at_gate.missing, request.session_id)
    keep_given(uow, session, given)
    keep_ready(uow, session, order, request, at_gate)
    set_session_state(uow, session.session_id, READY)
    uow.emit(ready_event(uow, session, order.order_id))
    return {"session_id": str(session.session_id)}


def arrival_given(request: pb.MarkSessionReadyRequest) -> Arrival:
    """The items that the call gives at once."""
    given = Arrival(
        fasting_confirmed=request.fasting_confirmed or None, driver_confirmed=request.driver_confirmed or None
    )
    if not request.arrival_weight_kg:
        return given
    weight_kg = number_of(request.arrival_weight_kg, "arrival_weight_kg")
    if weight_kg == ZERO:
        raise InvalidArgument("arrival_weight_kg", "must be greater than 0")
    return replace(given, weight_kg=weight_kg)


def bag_agrees(request: pb.MarkSessionReadyRequest, prepared: Any) -> bool:
    """Whether what the call says of the bag is what stands on record. A bag that is not there is an item of its own."""
    if prepared is None:
        return True
    for given, kept in (
        (request.bag_prepared_by, prepared.prepared_by),
        (request.bag_checked_by, prepared.checked_by),
    ):
        if given and given.lower() != str(kept):
            return False
    for field, kept_ml in (
        ("vial_concentration_mg_per_ml", prepared.vial_concentration_mg_per_ml),
        ("drawn_ml", prepared.drawn_ml),
        ("bag_volume_ml", prepared.final_ml),
    ):
        text = getattr(request, field)
        if text and number_of(text, field) != kept_ml:
            return False
    return not request.ndc or normalised(request.ndc) == prepared.ndc


def not_ready(missing: Sequence[Missing], session_id: str) -> FailedPrecondition:
    """Every missing item, by its code."""
    return FailedPrecondition(
        "NOT_READY",
        field=missing[0].item_code,
        rule="; ".join(f"{item.item_code}: {item.rule}" for item in missing),
        findings=[Finding(item.item_code, item.rule) for item in missing],
        session_id=session_id,
        missing=",".join(item.item_code for item in missing),
        soft=",".join(item.item_code for item in missing if item.soft),
    )


def keep_given(uow: UnitOfWork, session: Any, given: Given) -> None:
    """What was given at once goes on record like what was recorded before."""
    if given.arrival != Arrival():
        keep_answers(uow, session, given.arrival)
    if given.identity_checked:
        uow.execute(
            insert(identity_check).values(
                check_id=uow.new_id(),
                session_id=session.session_id,
                person_id=session.person_id,
                site_id=session.site_id,
                identifier_kinds=AT_ONCE,
                checked_by=uow.context.actor_id,
                checked_at=uow.clinic_time,
            )
        )


def keep_ready(
    uow: UnitOfWork, session: Any, order: Any, request: pb.MarkSessionReadyRequest, at_gate: Standing
) -> None:
    """What the start rests on: the bag, the baseline, the people."""
    cadss = latest_cadss(at_gate.baseline)
    baseline = {f"baseline_{name}": value for name, value in at_gate.gate.baseline.items() if name != "moaas"}
    uow.execute(
        insert(session_readiness).values(
            session_id=session.session_id,
            order_id=order.order_id,
            person_id=session.person_id,
            site_id=session.site_id,
            arrival_weight_kg=at_gate.gate.arrival.weight_kg,
            bag_id=at_gate.bag.bag_id,
            bag_prepared_by=at_gate.bag.prepared_by,
            bag_checked_by=at_gate.bag.checked_by,
            ndc=at_gate.bag.ndc,
            vial_concentration_mg_per_ml=at_gate.bag.vial_concentration_mg_per_ml,
            drawn_ml=at_gate.bag.drawn_ml,
            bag_volume_ml=at_gate.bag.final_ml,
            recorded_by=uow.context.actor_id,
            ready_at=uow.clinic_time,
            responsible_prescriber_id=UUID(request.responsible_prescriber_id),
            administering_clinician_id=UUID(request.administering_clinician_id),
            baseline_cadss_form=None if cadss is None else cadss.form,
            baseline_cadss_total=None if cadss is None else cadss.total,
            **baseline,
        )
    )


def answer(_uow: UnitOfWork, ids: Ids) -> pb.MarkSessionReadyResponse:
    """Ready, as this call made it."""
    return pb.MarkSessionReadyResponse(session_id=ids["session_id"], state=types.SESSION_STATE_READY)


COMMAND = Command("MarkSessionReady", pb.MarkSessionReadyRequest, handle, answer, roles=frozenset({"nurse"}))
