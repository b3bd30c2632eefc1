"""The prescriber's part and the scheduler's: plan, signature, booking, order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis.remote import RemoteError
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as scheduling
from saguaro.scheduling.v1 import types_pb2 as scheduling_types
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from simulator.day import Visit
from simulator.episode import Episode
from simulator.unexpected import Unexpected

# Clearances, flags and signatures reach the next service a moment after they were decided.
_CLEARANCE_ON_ITS_WAY: Final = ("NOT_CLEARED", "SAFETY_FLAG_OPEN")
_PLAN_ON_ITS_WAY: Final = ("PLAN_NOT_YET_KNOWN",)
# A change is settled by events; until then nobody issues an order.
_CHANGE_ON_ITS_WAY: Final = ("CHANGE_PENDING",)
_MOVED_BY: Final = timedelta(days=1)
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


def plan(episode: Episode, protocol_code: str = "") -> str:
    """Drafts and signs; by the protocol of the indication unless another is named. The plan's id."""
    if episode.script.way == "soft_limit":
        _refused_without_reason(episode)
    draft = episode.ask(
        "prescriber",
        "treatment_plan",
        "DraftPlan",
        _draft(episode, _SOFT_LIMIT_REASON if episode.script.way == "soft_limit" else "", protocol_code),
        until=_CLEARANCE_ON_ITS_WAY,
    )
    plan_id: str = draft.plan.plan_id
    episode.forward(4)
    request = pb.SignPlanRequest(plan_id=plan_id)
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


def _draft(episode: Episode, reason_code: str, protocol_code: str = "") -> pb.DraftPlanRequest:
    script = episode.script
    return pb.DraftPlanRequest(
        person_id=episode.person_id,
        site_id=episode.home.site_id,
        protocol_code=protocol_code or script.indication,
        indication=script.indication,
        weight_kg=str(script.weight_kg),
        weight_kg_again=str(script.weight_kg),
        weight_unit="kg",
        dose_mg_per_kg=script.dose_mg_per_kg,
        concentration_mg_per_ml=script.concentration_mg_per_ml,
        soft_limit_reason_code=reason_code,
    )


def book(episode: Episode, visit: Visit, plan_id: str, ordinal: int = 1) -> str:
    """Books one session. One scheduler also tries a second at a time that is taken, moves on, and calls it off again."""
    way = episode.script.way
    if way == "held_first":
        return _hold_and_confirm(episode, visit, plan_id, ordinal)
    first_at = visit.starts_at - _MOVED_BY if way == "moved" else visit.starts_at
    session_id = _book(episode, visit, plan_id, ordinal, first_at)
    if way == "conflict":
        try:
            _book(episode, visit, plan_id, ordinal + 1, visit.starts_at + timedelta(minutes=30))
        except RemoteError as refused:
            if refused.code != "ALREADY_EXISTS" or refused.ids.get("chair_held_by_session_id") != session_id:
                raise
        else:
            raise Unexpected("a chair that is taken must not be booked again")
        # Two days after the end of the first infusion, by the soft interval.
        second = _book(episode, visit, plan_id, ordinal + 1, visit.starts_at + timedelta(hours=49))
        cancel(episode, visit, second)
    if way == "moved":
        move(episode, visit, session_id)
    episode.forward(3)
    return session_id


def _hold_and_confirm(episode: Episode, visit: Visit, plan_id: str, ordinal: int) -> str:
    """The time is held while the person thinks it over, then confirmed: the hold's id is the session's."""
    request = scheduling.HoldTimeRequest(
        person_id=episode.person_id,
        site_id=visit.lane.place.site_id,
        plan_id=plan_id,
        ordinal=ordinal,
        starts_at=to_timestamp(visit.starts_at),
        infusion_min=episode.script.duration_min + _PAUSES_MIN,
        chair_id=visit.lane.id("chair"),
        pump_id=visit.lane.id("pump"),
        monitor_id=visit.lane.id("monitor"),
        nurse_id=visit.lane.id("nurse"),
    )
    place = visit.lane.place
    held = episode.ask("scheduler", "scheduling", "HoldTime", request, place=place, until=_PLAN_ON_ITS_WAY)
    episode.forward(2)
    confirm = scheduling.ConfirmHoldRequest(hold_id=held.hold_id)
    session_id: str = episode.ask("scheduler", "scheduling", "ConfirmHold", confirm, place=place).session_id
    return session_id


def _book(episode: Episode, visit: Visit, plan_id: str, ordinal: int, starts_at: datetime) -> str:
    place = visit.lane.place
    request = scheduling.BookSessionRequest(
        person_id=episode.person_id,
        site_id=place.site_id,
        plan_id=plan_id,
        ordinal=ordinal,
        starts_at=to_timestamp(starts_at),
        infusion_min=episode.script.duration_min + _PAUSES_MIN,
        chair_id=visit.lane.id("chair"),
        pump_id=visit.lane.id("pump"),
        monitor_id=visit.lane.id("monitor"),
        nurse_id=visit.lane.id("nurse"),
    )
    answer = episode.ask("scheduler", "scheduling", "BookSession", request, place=place, until=_PLAN_ON_ITS_WAY)
    session_id: str = answer.session_id
    return session_id


def cancel(episode: Episode, visit: Visit, session_id: str) -> None:
    """The person does not want the session: plan and devices agree before it is off."""
    request = scheduling.CancelSessionRequest(session_id=session_id, reason_code="patient.request")
    place = visit.lane.place
    answer = episode.ask("scheduler", "scheduling", "CancelSession", request, place=place, until=_CHANGE_ON_ITS_WAY)
    _await_change(episode, visit, answer.change_id)


def move(episode: Episode, visit: Visit, session_id: str) -> None:
    """To the time of the visit: plan and devices agree before it stands there."""
    request = scheduling.MoveSessionRequest(
        session_id=session_id, starts_at=to_timestamp(visit.starts_at), reason_code="patient.request"
    )
    place = visit.lane.place
    answer = episode.ask("scheduler", "scheduling", "MoveSession", request, place=place, until=_CHANGE_ON_ITS_WAY)
    _await_change(episode, visit, answer.change_id)


def _await_change(episode: Episode, visit: Visit, change_id: str) -> None:
    found = episode.calls.watch(
        "scheduling",
        "GetSessionChange",
        scheduling.GetSessionChangeRequest(change_id=change_id),
        episode.context("scheduler", visit.lane.place),
        until=lambda answer: answer.change.state != scheduling_types.CHANGE_STATE_PROPOSED,
        effect="change proposed to settled",
    )
    if found.change.state != scheduling_types.CHANGE_STATE_DONE:
        raise Unexpected("a session that has not begun must be let go")


def order(episode: Episode, visit: Visit, session_id: str) -> Order:
    """One order for the session, asked for until treatment-plan knows of the booking."""
    request = pb.IssueOrderRequest(session_id=session_id)
    answer = episode.ask(
        "prescriber",
        "treatment_plan",
        "IssueOrder",
        request,
        place=visit.lane.place,
        until=(*_BOOKING_ON_ITS_WAY, *_CLEARANCE_ON_ITS_WAY, *_CHANGE_ON_ITS_WAY),
    )
    episode.forward(5)
    return Order(session_id, answer.order_id, answer.programme, answer.dose_mg)
