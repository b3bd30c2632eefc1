"""From the door to the gate: the day-before checklist, the nurse's checks, the bag by two people, the baseline, ready."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from chassis.remote import RemoteError
from chassis.values import to_timestamp
from saguaro.intake.v1 import types_pb2 as intake_types
from saguaro.scheduling.v1 import service_pb2 as scheduling
from saguaro.treatment_plan.v1 import service_pb2 as plan
from saguaro.treatment_plan.v1 import types_pb2 as types
from simulator.day import Visit
from simulator.drug import LOT, LOT_EXPIRES_ON, NDC, VIAL_MG_PER_ML, bag_of
from simulator.episode import Episode
from simulator.planning import Order
from simulator.screening import clear_flag, safety_questions
from simulator.unexpected import Unexpected

_CHECKED_BEFORE: Final = timedelta(hours=20)
_CHECKLIST: Final = ("fasting", "driver", "medicines_held")
_FOOD_BEFORE: Final = timedelta(hours=10)
_LIQUIDS_BEFORE: Final = timedelta(hours=4)
_FLAG: Final = "safety_flag"
_NAMED_AT_THE_GATE: Final = frozenset({"responsible_prescriber", "administering_clinician"})
_NOT_THERE_YET: Final = ("NOT_FOUND",)


def arrive(episode: Episode, visit: Visit, order: Order) -> None:
    """Everything that must be there before a start, up to the closed gate. One person answers so that a clinician is needed first."""
    _confirm_checklist(episode, visit, order)
    place = visit.lane.place
    episode.at(visit.starts_at)
    arrival = scheduling.RecordArrivalRequest(session_id=order.session_id)
    episode.ask("nurse", "scheduling", "RecordArrival", arrival, place=place)
    episode.forward(1)
    flags = safety_questions(episode, place, high=episode.script.way == "flag_after_booking")
    _check_person(episode, visit, order)
    _prepare_bag(episode, visit, order)
    _baseline(episode, visit, order)
    if flags:
        _refused_until_evaluated(episode, visit, order, flags)
    await_items(episode, visit, order, lambda missing: missing <= _NAMED_AT_THE_GATE)
    _close_gate(episode, visit, order)


def _confirm_checklist(episode: Episode, visit: Visit, order: Order) -> None:
    """On the day before; where the person was still being seen then, right after."""
    episode.at(max(episode.now, visit.starts_at - _CHECKED_BEFORE))
    request = scheduling.ConfirmChecklistRequest(session_id=order.session_id, items=_CHECKLIST, confirmed_with="person")
    episode.ask("nurse", "scheduling", "ConfirmChecklist", request, place=visit.lane.place)


def _check_person(episode: Episode, visit: Visit, order: Order) -> None:
    place = visit.lane.place
    identity = plan.RecordIdentityCheckRequest(
        session_id=order.session_id, identifier_kinds=("full_name", "date_of_birth")
    )
    episode.ask("nurse", "treatment_plan", "RecordIdentityCheck", identity, place=place, until=_NOT_THERE_YET)
    found = types.ArrivalAssessment(
        weight_kg=str(episode.script.arrival_weight_kg),
        pregnancy_code=_pregnancy(episode),
        last_food_at=to_timestamp(episode.now - _FOOD_BEFORE),
        last_liquids_at=to_timestamp(episode.now - _LIQUIDS_BEFORE),
        driver_confirmed=True,
        medications_reconciled=True,
    )
    request = plan.RecordArrivalAssessmentRequest(session_id=order.session_id, assessment=found)
    episode.ask("nurse", "treatment_plan", "RecordArrivalAssessment", request, place=place)
    episode.forward(1)


def _pregnancy(episode: Episode) -> str:
    male = episode.person.administrative_sex == intake_types.ADMINISTRATIVE_SEX_MALE
    return "not_applicable" if male else "test_negative"


def _prepare_bag(episode: Episode, visit: Visit, order: Order) -> None:
    """Drawn and mixed by one nurse, checked by another."""
    place, bag = visit.lane.place, bag_of(order.programme)
    mixed = types.Bag(
        ndc=NDC,
        lot=LOT,
        expires_on=LOT_EXPIRES_ON,
        vial_concentration_mg_per_ml=str(VIAL_MG_PER_ML),
        drawn_ml=str(bag.drawn_ml),
        final_ml=str(bag.volume_ml),
    )
    request = plan.PrepareBagRequest(session_id=order.session_id, bag=mixed)
    prepared = episode.ask("nurse", "treatment_plan", "PrepareBag", request, place=place)
    check = plan.CheckBagRequest(session_id=order.session_id, bag_id=prepared.bag_id)
    episode.ask("nurse", "treatment_plan", "CheckBag", check, place=place, post="second_nurse")
    episode.forward(1)


def _baseline(episode: Episode, visit: Visit, order: Order) -> None:
    seen = vital_signs(episode, "baseline")
    seen.moaas.CopyFrom(moaas(5))
    seen.cadss.form, seen.cadss.total = "CADSS", 0
    observe(episode, visit, order, seen)


def observe(episode: Episode, visit: Visit, order: Order, seen: types.Observation) -> None:
    """The nurse writes down what was seen now."""
    seen.taken_at.CopyFrom(to_timestamp(episode.now))
    request = plan.RecordObservationRequest(session_id=order.session_id, observation=seen)
    episode.ask("nurse", "treatment_plan", "RecordObservation", request, place=visit.lane.place)


def vital_signs(episode: Episode, phase: str, *, more: int = 0) -> types.Observation:
    """Those of somebody at rest, a little different from person to person; `more`: how far the drug raises them."""
    own = episode.script.index % 8
    return types.Observation(
        phase=phase,
        systolic_mmhg=str(112 + own + more),
        diastolic_mmhg=str(70 + own // 2 + more // 2),
        heart_rate_per_min=str(66 + own + more // 3),
        spo2_percent="98",
        respiratory_rate_per_min="14",
    )


def moaas(value: int) -> types.MoaasScore:
    """Alertness, by the variant that ends with a squeeze of the trapezius."""
    return types.MoaasScore(value=value, variant="squeeze")


def _refused_until_evaluated(episode: Episode, visit: Visit, order: Order, flags: list[str]) -> None:
    """With an open flag the gate does not close, and says why; a clinician's note opens the way, never a later lower score."""
    await_items(episode, visit, order, lambda missing: _FLAG in missing)
    try:
        _close_gate(episode, visit, order)
    except RemoteError as refused:
        if refused.code != "FAILED_PRECONDITION":
            raise
    else:
        raise Unexpected("an open safety flag must keep the gate open")
    for flag_id in flags:
        clear_flag(episode, flag_id, visit.lane.place, minutes=1)


def await_items(episode: Episode, visit: Visit, order: Order, wanted: Callable[[set[str]], bool]) -> None:
    """Waits until what the session's next gate misses is as wanted: answers and flags reach the record a moment later."""
    episode.calls.watch(
        "treatment_plan",
        "GetSessionRecord",
        plan.GetSessionRecordRequest(session_id=order.session_id),
        episode.context("nurse", visit.lane.place),
        until=lambda found: wanted({item.item_code for item in found.record.missing_items}),
        effect="answer to the session's record",
    )


def _close_gate(episode: Episode, visit: Visit, order: Order) -> None:
    place = visit.lane.place
    request = plan.MarkSessionReadyRequest(
        session_id=order.session_id,
        responsible_prescriber_id=place.staff("prescriber"),
        administering_clinician_id=place.staff("nurse"),
    )
    episode.ask("nurse", "treatment_plan", "MarkSessionReady", request, place=place)
    episode.forward(1)
