"""Reads: a dose worked out, protocols, plans (paged) and sessions."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.answers import dose_message, plan_message, protocol_message, session_message
from treatment_plan.domain.dose import DoseOrder, compute
from treatment_plan.domain.limits import findings
from treatment_plan.domain.numbers import number_of
from treatment_plan.policy import library_in_force, protocol_in_force
from treatment_plan.records import plan_row, plans
from treatment_plan.tables import plan, session_record, treatment_order

CARE = frozenset({"prescriber", "nurse", "clinician", "medical_director", "service"})


def preview_dose(uow: UnitOfWork, request: pb.PreviewDoseRequest) -> pb.PreviewDoseResponse:
    """The dose with every limit that it passes, hard ones too: it is a preview, nothing is refused for a limit."""
    asked = request.dose_request
    order = DoseOrder(
        number_of(asked.weight_kg, "dose_request.weight_kg"),
        number_of(asked.dose_mg_per_kg, "dose_request.dose_mg_per_kg"),
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
    order_id = uow.execute(
        select(treatment_order.c.order_id).where(
            treatment_order.c.session_id == session_id, treatment_order.c.revoked_at.is_(None)
        )
    ).scalar_one_or_none()
    return pb.GetSessionResponse(session=session_message(row, "" if order_id is None else str(order_id)))


QUERIES = (
    Query("PreviewDose", pb.PreviewDoseRequest, preview_dose, roles=CARE),
    Query("GetProtocol", pb.GetProtocolRequest, get_protocol),
    Query("GetPlan", pb.GetPlanRequest, get_plan, roles=CARE),
    Query("ListPlans", pb.ListPlansRequest, list_plans, roles=CARE),
    Query("GetSession", pb.GetSessionRequest, get_session, roles=CARE),
)
