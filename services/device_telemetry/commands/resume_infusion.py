"""A paused infusion may go on, with the same pump or with another. The system commands no pump: it resumes at the bedside.

House policy: a named nurse who may administer, a reason, vital signs inside their limits, an echo with the same drug, concentration and
rate, and still to go in what was ordered without what went in. Paused for long, or a stop limit for the second time: only who may sign.
A pump that goes on without this is an alarm.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import FailedPrecondition
from chassis.index import Command, Ids
from chassis.policy import number
from chassis.unit_of_work import UnitOfWork
from device_telemetry.care_tables import infusion_stop, resume
from device_telemetry.domain.alarm_kinds import PHYSIOLOGICAL
from device_telemetry.domain.pump_state import PumpState
from device_telemetry.echoes import Echo, compare, fresh_echo
from device_telemetry.frames import kept_state
from device_telemetry.frames.kept_state import moment
from device_telemetry.policy_tables import policy_number
from device_telemetry.privileges import require_privilege
from device_telemetry.records import programme_of, session_of
from device_telemetry.refusals import Refusals
from device_telemetry.tables import alarm, authorisation, infusion_order
from saguaro.device_telemetry.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.ResumeInfusionRequest) -> Ids:
    """Keeps the resume; the worker judges the pump's next reports by it. FailedPrecondition names everything against it."""
    session = session_of(uow, request.session_id)
    start = uow.execute(select(authorisation).where(authorisation.c.session_id == session.session_id)).one_or_none()
    if start is None:
        raise FailedPrecondition("NOT_STARTED", field="session_id", rule="its start must have been authorised")
    # Locked, so that no report of a pump comes between the look and the resume.
    state = kept_state.load(uow, [request.session_id])[request.session_id].state.pump
    privilege = privilege_needed(uow, session.site_id, state, uow.clinic_time)
    require_privilege(uow, session.site_id, privilege)
    found = Refusals()
    if uow.execute(select(infusion_stop).where(infusion_stop.c.session_id == session.session_id)).first() is not None:
        found.add("STOP_RECORDED", "session_id", "nobody may have asked for the end")
    echo = fresh_echo(uow, session, found)
    _standing(state, echo, start, found)
    weight_kg = uow.execute(
        select(infusion_order.c.weight_kg).where(infusion_order.c.order_id == start.order_id)
    ).scalar_one_or_none()
    remaining_ml = max(start.vtbi_ml - state.delivered_ml, Decimal(0))
    if echo is not None:
        compare(echo, programme_of(start), weight_kg, found, but=("vtbi_ml",))
        _remaining(uow, session.site_id, echo, remaining_ml, found)
    _vital_signs(uow, session, found)
    found.refuse(session_id=request.session_id)
    if echo is None:
        raise AssertionError("a resume without an echo was not refused")
    resume_id = uow.new_id()
    uow.execute(
        insert(resume).values(
            resume_id=resume_id,
            session_id=session.session_id,
            order_id=start.order_id,
            person_id=session.person_id,
            site_id=session.site_id,
            pump_id=echo.pump_id,
            drug_code=echo.programme.drug_code,
            concentration_mg_per_ml=echo.programme.concentration_mg_per_ml,
            rate_ml_per_h=echo.programme.rate_ml_per_h,
            vtbi_ml=echo.programme.vtbi_ml,
            remaining_ml=remaining_ml,
            reason_code=request.reason_code,
            privilege=privilege,
            authorised_at=uow.clinic_time,
            authorised_by=uow.context.actor_id,
        )
    )
    return {"resume_id": str(resume_id)}


def privilege_needed(uow: UnitOfWork, site_id: UUID, state: PumpState, at: datetime) -> str:
    """What a resume needs at this time: "sign" after a long pause or a second stop limit, else "administer"."""
    limit = timedelta(seconds=int(number(uow, policy_number, "pause_limit", site_id, at)))
    if state.paused_ms is not None and state.phase == "paused" and at - moment(state.paused_ms) > limit:
        return "sign"
    often = number(uow, policy_number, "stop_limits_before_sign", site_id, at)
    return "sign" if state.stop_limits >= often else "administer"


def _standing(state: PumpState, echo: Echo | None, start: Any, found: Refusals) -> None:
    """Paused; or authorised, never begun, and now with another pump."""
    another = echo is not None and echo.pump_id != start.pump_id
    if state.phase != "paused" and not (state.phase == "waiting" and another):
        found.add("NOT_PAUSED", "session_id", "its infusion must be paused")
    elif echo is not None and echo.report.infusing:
        found.add("PUMP_INFUSING", "session_id", "its pump must stand still")


def _remaining(uow: UnitOfWork, site_id: UUID, echo: Echo, remaining_ml: Decimal, found: Refusals) -> None:
    shown_ml = echo.remaining_ml
    tolerance_ml = number(uow, policy_number, "remaining_tolerance", site_id)
    if echo.programme.vtbi_ml is None or shown_ml is None or abs(shown_ml - remaining_ml) > tolerance_ml:
        found.add(
            "REMAINING_DIFFERS",
            "echoed_programme.vtbi_remaining_ml",
            "must be what was ordered without what was delivered, within the tolerance",
        )


def _vital_signs(uow: UnitOfWork, session: Any, found: Refusals) -> None:
    """No limit of a vital sign may be broken at the moment, and none may be silent."""
    lowest = number(uow, policy_number, "resume_alarm_priority", session.site_id)
    on = select(alarm.c.kind_code, alarm.c.category, alarm.c.priority).where(
        alarm.c.session_id == session.session_id, alarm.c.cleared_at.is_(None)
    )
    for row in uow.execute(on.order_by(alarm.c.measured_at, alarm.c.alarm_id)):
        if row.kind_code.endswith(".silent"):
            found.add("VITALS_SILENT", row.kind_code, "the vital sign must be measured")
        elif row.category == PHYSIOLOGICAL and row.priority >= lowest and not row.kind_code.startswith("pump."):
            found.add("VITALS_OUTSIDE_LIMITS", row.kind_code, "the vital sign must be inside its limits")


def answer(uow: UnitOfWork, ids: Ids) -> pb.ResumeInfusionResponse:
    """The id of the resume."""
    return pb.ResumeInfusionResponse(resume_id=ids["resume_id"])


COMMAND = Command("ResumeInfusion", pb.ResumeInfusionRequest, handle, answer, roles=frozenset({"nurse", "prescriber"}))
