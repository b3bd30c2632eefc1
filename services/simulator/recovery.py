"""From the end of an infusion to the way home and the call of the next day."""

from datetime import timedelta
from typing import Final

from chassis.remote import RemoteError
from saguaro.treatment_plan.v1 import service_pb2 as plan
from saguaro.treatment_plan.v1 import types_pb2 as types
from simulator.arrival import await_items, moaas, observe, vital_signs
from simulator.day import Visit
from simulator.episode import Episode
from simulator.infusion import Infused
from simulator.planning import Order
from simulator.screening import clear_flag
from simulator.unexpected import Unexpected

_EVERY: Final = timedelta(minutes=15)
_FIRST_OR_PAIN: Final = timedelta(minutes=120)
_OBSERVED: Final = timedelta(minutes=60)
_INSTRUCTIONS: Final = ("no_driving", "no_alcohol", "emergency_contact", "side_effects")
_FLAG: Final = "safety_flag"
_NEXT_DAY: Final = timedelta(hours=23)


def recover(episode: Episode, visit: Visit, order: Order, infused: Infused, ordinal: int) -> None:
    """Observed every quarter of an hour until the policy's time has passed, then discharged by a named nurse."""
    long = ordinal == 1 or episode.script.indication == "pain"
    until = infused.ended_at + (_FIRST_OR_PAIN if long else _OBSERVED)
    if infused.flag_ids:
        await_items(episode, visit, order, lambda unmet: _FLAG in unmet)
    while episode.now + _EVERY < until:
        episode.now += _EVERY
        _look(episode, visit, order, last=False)
    episode.at(max(until, episode.now) + timedelta(minutes=1))
    _look(episode, visit, order, last=True)
    aftercare = plan.RecordAftercareRequest(
        session_id=order.session_id, status_code="given", instruction_codes=_INSTRUCTIONS
    )
    episode.ask("nurse", "treatment_plan", "RecordAftercare", aftercare, place=visit.lane.place)
    if infused.flag_ids:
        _kept_until_evaluated(episode, visit, order, infused)
    _discharge(episode, visit, order)
    episode.forward(1)


def _look(episode: Episode, visit: Visit, order: Order, *, last: bool) -> None:
    seen = vital_signs(episode, "recovery", more=0 if last else 6)
    seen.moaas.CopyFrom(moaas(5))
    if last:
        seen.cadss.form, seen.cadss.total = "CADSS", 0
        seen.aldrete.CopyFrom(types.AldreteScore(activity=2, respiration=2, consciousness=2, variant="mmhg"))
        seen.steady_gait = seen.nausea_controlled = seen.iv_out = True
    observe(episode, visit, order, seen)


def _kept_until_evaluated(episode: Episode, visit: Visit, order: Order, infused: Infused) -> None:
    """Whoever answered high while infusing does not go home before a clinician has seen them."""
    try:
        _discharge(episode, visit, order)
    except RemoteError as refused:
        if refused.code != "FAILED_PRECONDITION":
            raise
    else:
        raise Unexpected("an open safety flag must keep the person from being discharged")
    for flag_id in infused.flag_ids:
        clear_flag(episode, flag_id, visit.lane.place)
    await_items(episode, visit, order, lambda unmet: _FLAG not in unmet)


def _discharge(episode: Episode, visit: Visit, order: Order) -> None:
    place = visit.lane.place
    request = plan.DischargeSessionRequest(
        session_id=order.session_id, clinician_id=place.staff("nurse"), driver_present=True
    )
    episode.ask("nurse", "treatment_plan", "DischargeSession", request, place=place)


def follow_up(episode: Episode, visit: Visit, order: Order) -> None:
    """The call of the next day."""
    episode.now += _NEXT_DAY
    request = plan.RecordFollowUpRequest(session_id=order.session_id, status_code="given", outcome_codes=("well",))
    episode.ask("nurse", "treatment_plan", "RecordFollowUp", request, place=visit.lane.place)
