"""The first person draws the drug and mixes the bag. What is wrong with it is named at once."""

from datetime import date
from typing import Any

from sqlalchemy import insert

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.domain.bag import Bag, bag_findings
from treatment_plan.domain.ndc import normalised
from treatment_plan.domain.numbers import ZERO, number_of
from treatment_plan.domain.session_state import BEFORE_READY, PLANNED, require_state
from treatment_plan.practitioners import require_privilege, site_day
from treatment_plan.records import live_order, session_for_update, set_session_state
from treatment_plan.session_policy import dilution_rule, vial_products
from treatment_plan.session_tables import bag


def handle(uow: UnitOfWork, request: pb.PrepareBagRequest) -> Ids:
    """FailedPrecondition BAG_REFUSED with a finding for each thing that is wrong with it. A new bag takes the place of one before."""
    made = bag_asked(request.bag)
    session = session_for_update(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    require_state(session.state, BEFORE_READY, "the preparation of a bag", session_id=request.session_id)
    order = order_of_bag(uow, session)
    refuse_bad(uow, session, order, made)
    bag_id = uow.new_id()
    uow.execute(
        insert(bag).values(
            bag_id=bag_id,
            session_id=session.session_id,
            order_id=order.order_id,
            person_id=session.person_id,
            site_id=session.site_id,
            **vars(made),
            prepared_by=uow.context.actor_id,
            prepared_at=uow.clinic_time,
        )
    )
    set_session_state(uow, session.session_id, PLANNED)
    return {"bag_id": str(bag_id)}


def bag_asked(message: types.Bag) -> Bag:
    """The request's bag. InvalidArgument names the field."""
    try:
        expires_on = date.fromisoformat(message.expires_on)
    except ValueError:
        raise InvalidArgument("bag.expires_on", "must be a day of the calendar, YYYY-MM-DD") from None
    made = Bag(
        ndc=normalised(message.ndc, "bag.ndc"),
        lot=message.lot,
        expires_on=expires_on,
        vial_concentration_mg_per_ml=number_of(
            message.vial_concentration_mg_per_ml, "bag.vial_concentration_mg_per_ml"
        ),
        drawn_ml=number_of(message.drawn_ml, "bag.drawn_ml"),
        final_ml=number_of(message.final_ml, "bag.final_ml"),
    )
    for field in ("vial_concentration_mg_per_ml", "drawn_ml", "final_ml"):
        if getattr(made, field) == ZERO:
            raise InvalidArgument(f"bag.{field}", "must be greater than 0")
    return made


def order_of_bag(uow: UnitOfWork, session: Any) -> Any:
    """The order in force that a bag is made for."""
    order = live_order(uow, session.session_id)
    if order is None or order.expires_at <= uow.clinic_time:
        raise FailedPrecondition(
            "NO_ORDER",
            field="session_id",
            rule="a bag is prepared for an order in force",
            session_id=str(session.session_id),
        )
    return order


def refuse_bad(uow: UnitOfWork, session: Any, order: Any, made: Bag) -> None:
    """FailedPrecondition BAG_REFUSED naming everything that is wrong."""
    site_id = str(session.site_id)
    found = bag_findings(
        made,
        order.concentration_mg_per_ml,
        order.vtbi_ml,
        vial_products(uow, site_id),
        dilution_rule(uow, site_id),
        site_day(uow, session.site_id),
    )
    if found:
        raise FailedPrecondition(
            "BAG_REFUSED",
            field=found[0].field,
            rule="; ".join(f"{finding.field}: {finding.rule}" for finding in found),
            findings=found,
            session_id=str(session.session_id),
            missing=",".join(finding.field for finding in found),
        )


def answer(_uow: UnitOfWork, ids: Ids) -> pb.PrepareBagResponse:
    """The bag's id, for the second person."""
    return pb.PrepareBagResponse(bag_id=ids["bag_id"])


COMMAND = Command("PrepareBag", pb.PrepareBagRequest, handle, answer, roles=frozenset({"nurse", "prescriber"}))
