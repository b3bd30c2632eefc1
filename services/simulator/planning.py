"""The prescriber's part and the scheduler's: plan, signature, booking, order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis.remote import RemoteError
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as scheduling
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from simulator.day import Visit
from simulator.episode import Episode
from simulator.unexpected import Unexpected

# Clearances, flags and signatures reach the next service a moment after they were decided.
_CLEARANCE_ON_ITS_WAY: Final = ("NOT_CLEARED", "SAFETY_FLAG_OPEN")
_PLAN_ON_ITS_WAY: Final = ("PLAN_NOT_YET_KNOWN",)
_BOOKING_ON_ITS_WAY: Final = ("SESSION_NOT_YET_KNOWN", "ORDER_REFUSED")
_SOFT_LIMIT_REASON: Final = "prior_partial_response"
# The chair is booked for a pause of the infusion as well.
_PAUSES_MIN: Final = 10


@dataclass(frozen=True)
class Order:
    """A session with the order for it."""

    session_id: str
    order_id: str
    programme: types.PumpProgramme
    dose_mg: str


def plan(episode: Episode) -> str:
    """Drafts and signs. The plan's id."""
    if episode.script.way == "soft_limit":
        _refused_without_reason(episode)
    draft = episode.ask(
        "prescriber",
        "treatment_plan",
        "DraftPlan",
        _draft(episode, _SOFT_LIMIT_REASON if episode.script.way == "soft_limit" else ""),
        until=_CLEARANCE_ON_ITS_WAY,
    )
    plan_id: str = draft.plan.plan_id
    episode.forward(4)
    request = pb.SignPlanRequest(request_id=episode.request_id(), plan_id=plan_id)
    episode.ask("prescriber", "treatment_plan", "SignPlan", request, until=_CLEARANCE_ON_ITS_WAY)
    episode.forward(5)
    return plan_id


def _refused_without_reason(episode: Episode) -> None:
    try:
        episode.ask("prescriber", "treatment_plan", "DraftPlan", _draft(episode, ""), until=_CLEARANCE_ON_ITS_WAY)
    except RemoteError as refused:
        if refused.reason != "SOFT_LIMIT_REASON_REQUIRED":
            raise
    else:
        raise Unexpected("a dose past a soft limit must need a reason")


def _draft(episode: Episode, reason_code: str) -> pb.DraftPlanRequest:
    script = episode.script
    return pb.DraftPlanRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=episode.home.site_id,
        protocol_code=script.indication,
        indication=script.indication,
        weight_kg=str(script.weight_kg),
        weight_kg_again=str(script.weight_kg),
        dose_mg_per_kg=script.dose_mg_per_kg,
        concentration_mg_per_ml=script.concentration_mg_per_ml,
        soft_limit_reason_code=reason_code,
    )


def book(episode: Episode, visit: Visit, plan_id: str) -> str:
    """Books the first session. One scheduler also tries a second at a time that is taken, moves it, and calls it off again."""
    session_id = _book(episode, visit, plan_id, 1, visit.starts_at)
    if episode.script.way == "conflict":
        try:
            _book(episode, visit, plan_id, 2, visit.starts_at + timedelta(minutes=30))
        except RemoteError as refused:
            if refused.code != "ALREADY_EXISTS" or refused.ids.get("chair_held_by_session_id") != session_id:
                raise
        else:
            raise Unexpected("a chair that is taken must not be booked again")
        # An hour later on the next day: more than 24 hours after the end of the first infusion.
        second = _book(episode, visit, plan_id, 2, visit.starts_at + timedelta(hours=26))
        cancel(episode, second)
    episode.forward(3)
    return session_id


def _book(episode: Episode, visit: Visit, plan_id: str, ordinal: int, starts_at: datetime) -> str:
    request = scheduling.BookSessionRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=visit.lane.place.site_id,
        plan_id=plan_id,
        ordinal=ordinal,
        starts_at=to_timestamp(starts_at),
        infusion_min=episode.script.duration_min + _PAUSES_MIN,
        chair_id=visit.lane.id("chair"),
        pump_id=visit.lane.id("pump"),
        monitor_id=visit.lane.id("monitor"),
        nurse_id=visit.lane.id("nurse"),
    )
    answer = episode.ask(
        "scheduler", "scheduling", "BookSession", request, place=episode.treated_at, until=_PLAN_ON_ITS_WAY
    )
    session_id: str = answer.session_id
    return session_id


def cancel(episode: Episode, session_id: str) -> None:
    """The person does not want the session."""
    request = scheduling.CancelSessionRequest(
        request_id=episode.request_id(), session_id=session_id, reason_code="patient.request"
    )
    episode.ask("scheduler", "scheduling", "CancelSession", request, place=episode.treated_at)


def order(episode: Episode, session_id: str) -> Order:
    """One order for the session, asked for until treatment-plan knows of the booking."""
    request = pb.IssueOrderRequest(request_id=episode.request_id(), session_id=session_id)
    answer = episode.ask(
        "prescriber",
        "treatment_plan",
        "IssueOrder",
        request,
        place=episode.treated_at,
        until=(*_BOOKING_ON_ITS_WAY, *_CLEARANCE_ON_ITS_WAY),
    )
    episode.forward(5)
    return Order(session_id, answer.order_id, answer.programme, answer.dose_mg)
