"""Reads: a dose worked out, protocols, plans (paged) and sessions."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import (
    dose_message,
    hold_message,
    plan_message,
    protocol_message,
    session_message,
    suggestion_message,
)
from treatment_plan.domain.dose import compute
from treatment_plan.domain.limits import findings
from treatment_plan.domain.numbers import number_of
from treatment_plan.dosing import asked_dose
from treatment_plan.hold_tables import prescriber_hold
from treatment_plan.policy import library_in_force, protocol_in_force
from treatment_plan.records import plan_row, plans
from treatment_plan.series_tables import suggestion
from treatment_plan.tables import plan, session_record, treatment_order

CARE = frozenset({"prescriber", "nurse", "clinician", "medical_director", "service"})


def preview_dose(uow: UnitOfWork, request: pb.PreviewDoseRequest) -> pb.PreviewDoseResponse:
    """The dose with every limit that it passes, hard ones too: it is a preview, nothing is refused for a limit."""
    asked = request.dose_request
    order = asked_dose(asked, "dose_request.").order(
        number_of(asked.weight_kg, "dose_request.weight_kg"),
        asked.duration_min,
        number_of(asked.concentration_mg_per_ml, "dose_request.concentration_mg_per_ml"),
    )
    dose = compute(order)
    library = library_in_force(uow, asked.library_code, request.site_id, uow.clinic_time)
    return pb.PreviewDoseResponse(dose=dose_message(dose, findings(library, order, dose)))


def get_protocol(uow: UnitOfWork, request: pb.GetProtocolRequest) -> pb.GetProtocolResponse:
    """The version in force at a time, or the latest. NotFound (protocol_code)."""
    at = from_timestamp(request.at) if request.HasField("at") else None
    return pb.GetProtocolResponse(protocol=protocol_message(protocol_in_force(uow, request.protocol_code, at)))


def get_plan(uow: UnitOfWork, request: pb.GetPlanRequest) -> pb.GetPlanResponse:
    """A plan with its newest numbers. NotFound (plan_id)."""
    return pb.GetPlanResponse(plan=plan_message(plan_row(uow, request.plan_id)))


def list_plans(uow: UnitOfWork, request: pb.ListPlansRequest) -> pb.ListPlansResponse:
    """A person's plans, oldest first: ids sort by time."""
    page = read_token(request)
    chosen = plans().where(plan.c.person_id == UUID(request.person_id))
    if page.after is not None:
        chosen = chosen.where(plan.c.plan_id > UUID(page.after[0]))
    rows = uow.execute(chosen.order_by(plan.c.plan_id).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = [shown[-1].plan_id] if len(rows) > page.size else None
    return pb.ListPlansResponse(plans=[plan_message(row) for row in shown], next_page_token=make_token(page, last))


def get_session(uow: UnitOfWork, request: pb.GetSessionRequest) -> pb.GetSessionResponse:
    """A session and the order in force for it. NotFound (session_id)."""
    session_id = UUID(request.session_id)
    row = uow.execute(select(session_record).where(session_record.c.session_id == session_id)).one_or_none()
    if row is None:
        raise NotFound("session_id", "no such session")
    order = uow.execute(
        select(treatment_order.c.order_id, treatment_order.c.responsible_prescriber_id).where(
            treatment_order.c.session_id == session_id, treatment_order.c.revoked_at.is_(None)
        )
    ).one_or_none()
    ids = ("", "") if order is None else (str(order.order_id), str(order.responsible_prescriber_id))
    return pb.GetSessionResponse(session=session_message(row, *ids))


def list_holds(uow: UnitOfWork, request: pb.ListHoldsRequest) -> pb.ListHoldsResponse:
    """A person's holds, oldest first; only those that wait unless `released_too`."""
    page = read_token(request)
    chosen = select(prescriber_hold).where(prescriber_hold.c.person_id == UUID(request.person_id))
    if not request.released_too:
        chosen = chosen.where(prescriber_hold.c.released_at.is_(None))
    if page.after is not None:
        chosen = chosen.where(prescriber_hold.c.hold_id > UUID(page.after[0]))
    rows = uow.execute(chosen.order_by(prescriber_hold.c.hold_id).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = [shown[-1].hold_id] if len(rows) > page.size else None
    return pb.ListHoldsResponse(holds=[hold_message(row) for row in shown], next_page_token=make_token(page, last))


def list_suggestions(uow: UnitOfWork, request: pb.ListSuggestionsRequest) -> pb.ListSuggestionsResponse:
    """What a person's response suggested, oldest first; only what is open unless `decided_too`."""
    page = read_token(request)
    chosen = select(suggestion).where(suggestion.c.person_id == UUID(request.person_id))
    if not request.decided_too:
        chosen = chosen.where(suggestion.c.state == "open")
    if page.after is not None:
        chosen = chosen.where(suggestion.c.suggestion_id > UUID(page.after[0]))
    rows = uow.execute(chosen.order_by(suggestion.c.suggestion_id).limit(page.size + 1)).all()
    shown = rows[: page.size]
    last = [shown[-1].suggestion_id] if len(rows) > page.size else None
    return pb.ListSuggestionsResponse(
        suggestions=[suggestion_message(row) for row in shown], next_page_token=make_token(page, last)
    )


QUERIES = (
    Query("PreviewDose", pb.PreviewDoseRequest, preview_dose, roles=CARE),
    Query("GetProtocol", pb.GetProtocolRequest, get_protocol),
    Query("GetPlan", pb.GetPlanRequest, get_plan, roles=CARE),
    Query("ListPlans", pb.ListPlansRequest, list_plans, roles=CARE),
    Query("ListHolds", pb.ListHoldsRequest, list_holds, roles=CARE),
    Query("ListSuggestions", pb.ListSuggestionsRequest, list_suggestions, roles=CARE),
    Query("GetSession", pb.GetSessionRequest, get_session, roles=CARE),
)
