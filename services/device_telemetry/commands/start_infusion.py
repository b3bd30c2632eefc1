"""A start is authorised: the pump's echo equals the order, and treatment-plan and intake say yes at this moment.

House policy: the echo comes from the pump attached to this session and is not older than the policy allows; drug, concentration,
rate and VTBI are compared as decimals, and any difference or absence refuses and is named. Both services are asked by gRPC and
the start fails closed: no answer is a refusal. The pump itself starts at the bedside; only its own report makes an infusion of
it.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert, select

from chassis.context import RequestContext
from chassis.errors import FailedPrecondition, Finding, NotFound, SaguaroError
from chassis.index import Ids, RemoteCommand
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_text, to_timestamp
from device_telemetry.care_tables import infusion_stop
from device_telemetry.changes import change_pending
from device_telemetry.domain.programme import Programme
from device_telemetry.echoes import compare, fresh_echo
from device_telemetry.privileges import require_privilege
from device_telemetry.records import programme_of, session_of
from device_telemetry.refusals import Refusals
from device_telemetry.tables import authorisation, infusion_order, start_attempt
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.intake.v1 import service_pb2 as intake
from saguaro.treatment_plan.v1 import service_pb2 as plan
from saguaro.treatment_plan.v1 import types_pb2 as plan_types

ORDER_TOPIC = "saguaro.treatment_plan.order"
# Both questions together; after that the nurse is told no rather than kept waiting.
_ASK_TIMEOUT_S = 2.0
# What another service says when it cannot answer at all; everything else is its refusal.
_SILENT_CODES = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED", "CANCELLED", "UNIMPLEMENTED"}
)


@dataclass(frozen=True)
class Question:
    """What was found here and is asked elsewhere."""

    person_id: UUID
    site_id: UUID
    pump_id: UUID
    programme: Programme
    echoed_at: datetime


def prepare(uow: UnitOfWork, request: pb.StartInfusionRequest) -> Question:
    """Session, order, attached pump and its echo. FailedPrecondition names everything that is missing or differs."""
    session = session_of(uow, request.session_id)
    require_privilege(uow, session.site_id, "administer")
    order = uow.execute(select(infusion_order).where(infusion_order.c.order_id == UUID(request.order_id))).one_or_none()
    if order is None or order.session_id != session.session_id:
        raise NotFound("order_id", "must be an order for this session", order_id=request.order_id)
    earlier = uow.execute(
        select(start_attempt).where(start_attempt.c.request_id == UUID(request.request_id))
    ).one_or_none()
    if earlier is not None:
        # The same start asked again: treatment-plan may have said yes already, so it hears the very same question.
        return Question(session.person_id, session.site_id, earlier.pump_id, programme_of(earlier), earlier.echoed_at)
    uow.refuse_if_parked(ORDER_TOPIC, str(session.person_id))
    found = Refusals()
    _session_allows(uow, session, found)
    _order_allows(uow, order, found)
    echo = fresh_echo(uow, session, found)
    if echo is not None:
        compare(echo, programme_of(order), order.weight_kg, found)
    found.refuse(session_id=request.session_id, order_id=request.order_id)
    if echo is None:
        raise AssertionError("a start without an echo was not refused")
    question = Question(session.person_id, session.site_id, echo.pump_id, echo.programme, echo.reported_at)
    uow.execute(
        insert(start_attempt).values(
            request_id=UUID(request.request_id), echoed_at=echo.reported_at, **_columns(question, request)
        )
    )
    return question


def _session_allows(uow: UnitOfWork, session: Any, found: Refusals) -> None:
    if session.ready_at is None:
        # The limits that are relative to the person rest on the baseline that comes with it.
        found.add(
            "SESSION_NOT_YET_READY", "session_id", "must be ready, and the word of it have arrived: repeat the call"
        )
    if session.cancelled_at is not None:
        found.add("SESSION_CANCELLED", "session_id", "must not be cancelled")
    if change_pending(uow, session.session_id):
        found.add("CHANGE_PENDING", "session_id", "must have no change of its booking that waits for its answers")
    if uow.execute(select(infusion_stop).where(infusion_stop.c.session_id == session.session_id)).first() is not None:
        found.add("STOP_RECORDED", "session_id", "nobody may have asked for the end")


def _order_allows(uow: UnitOfWork, order: Any, found: Refusals) -> None:
    if order.revoked_at is not None:
        found.add("ORDER_REVOKED", "order_id", "must not be revoked")
    if order.used_at is not None:
        found.add("ORDER_USED", "order_id", "must not be used")
    if order.expires_at <= uow.clinic_time:
        found.add("ORDER_EXPIRED", "order_id", "must not be expired")


def _columns(question: Question, request: pb.StartInfusionRequest) -> dict[str, Any]:
    programme = question.programme
    return {
        "session_id": UUID(request.session_id),
        "order_id": UUID(request.order_id),
        "person_id": question.person_id,
        "site_id": question.site_id,
        "pump_id": question.pump_id,
        "drug_code": programme.drug_code,
        "concentration_mg_per_ml": programme.concentration_mg_per_ml,
        "rate_ml_per_h": programme.rate_ml_per_h,
        "vtbi_ml": programme.vtbi_ml,
    }


def ask(peers: Any, request: pb.StartInfusionRequest, question: Question, context: RequestContext) -> str:
    """Asks intake, then treatment-plan, which marks the order used. Returns treatment-plan's authorisation id."""
    until = time.monotonic() + _ASK_TIMEOUT_S
    try:
        check = peers.intake.CheckStart(
            intake.CheckStartRequest(person_id=str(question.person_id), site_id=str(question.site_id)),
            timeout=_ASK_TIMEOUT_S,
        )
        if not check.allowed:
            unmet = [rule.code for rule in check.rules if not rule.met]
            raise FailedPrecondition(
                "NOT_CLEARED",
                field="session_id",
                rule="intake must allow the start at this moment",
                findings=[Finding(code, "must be met") for code in unmet],
            )
        left_s = max(until - time.monotonic(), 0.05)
        granted = peers.treatment_plan.AuthoriseStart(_authorise(request, question), timeout=left_s)
    except SaguaroError as error:
        if error.code not in _SILENT_CODES:
            raise
        raise FailedPrecondition(
            "NOT_AUTHORISED_UNREACHABLE",
            field="session_id",
            rule="intake and treatment-plan must both answer; nothing was started",
        ) from None
    return str(granted.authorisation_id)


def _authorise(request: pb.StartInfusionRequest, question: Question) -> plan.AuthoriseStartRequest:
    """The question to treatment-plan. Its request_id follows from ours, so that a repeated start asks the same question."""
    programme = question.programme
    return plan.AuthoriseStartRequest(
        request_id=str(uuid5(UUID(request.request_id), "AuthoriseStart")),
        session_id=request.session_id,
        order_id=request.order_id,
        pump_id=str(question.pump_id),
        echoed_programme=plan_types.PumpProgramme(
            drug_code=programme.drug_code,
            concentration_mg_per_ml=_text(programme.concentration_mg_per_ml),
            rate_ml_per_h=_text(programme.rate_ml_per_h),
            vtbi_ml=_text(programme.vtbi_ml),
        ),
        echoed_at=to_timestamp(question.echoed_at),
    )


def _text(value: Decimal | None) -> str:
    """One spelling for one number, so that a repeated question is the same bytes whether it comes from the echo or from its row."""
    return "" if value is None else decimal_text(value.normalize())


def apply(uow: UnitOfWork, request: pb.StartInfusionRequest, question: Question, reply: str) -> Ids:
    """Keeps the authorisation; the worker judges the pump's next reports by it."""
    uow.execute(
        insert(authorisation).values(
            authorisation_id=UUID(reply),
            authorised_at=uow.clinic_time,
            authorised_by=uow.context.actor_id,
            **_columns(question, request),
        )
    )
    return {"authorisation_id": reply}


def answer(uow: UnitOfWork, ids: Ids) -> pb.StartInfusionResponse:
    """The id of the authorisation."""
    return pb.StartInfusionResponse(authorisation_id=ids["authorisation_id"])


COMMAND = RemoteCommand(
    "StartInfusion", pb.StartInfusionRequest, prepare, ask, apply, answer, roles=frozenset({"nurse"})
)
