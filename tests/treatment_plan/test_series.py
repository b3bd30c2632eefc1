"""The plan answers to the person: series over weeks, each change by a prescriber's signature and never by itself."""

import random
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, PermissionDenied
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.course import Course, kinds
from tests.treatment_plan.ward import Ward

# Three a week for two weeks.
DAYS = (0, 2, 4, 7, 9, 11)


def induction(ward: Ward, **changes: Any) -> Course:
    """A signed plan of six infusions."""
    return Course(ward, ward.signed_plan(**changes))


def test_a_responder_after_six_needs_no_suggestion(ward: Ward) -> None:
    """\"a responder after 6\""""
    course = induction(ward)
    for day, total in zip(DAYS, (17, 15, 13, 12, 11, 9), strict=True):
        course.step(day, total)
    assert course.suggestions(decided_too=True) == []
    assert course.now().version == 1


def test_a_non_responder_at_three_with_a_dose_suggestion_accepted(ward: Ward) -> None:
    """\"a non-responder at 3 with a dose suggestion accepted\"; \"raise by 0.1-0.25 mg/kg within limit\""""
    course = induction(ward)
    for day in DAYS[:3]:
        course.step(day, 17)
    (suggested,) = course.suggestions()
    assert (suggested.kind_code, suggested.after_sessions) == ("raise_dose", 3)
    assert suggested.suggested_dose_mg_per_kg == "0.75"
    before = course.now()
    assert (before.version, before.dose_request.dose_mg_per_kg) == (1, "0.5")
    session_id = course.booked(course.day(7))
    order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id), at=course.day(5))
    decided = course.decide(suggested, "accept", 5)
    assert decided.plan.dose_request.dose_mg_per_kg == "0.75"
    assert (decided.plan.version, decided.plan.dose.dose_mg) == (2, "60")
    assert list(decided.revoked_order_ids) == [order.order_id]
    (revised,) = ward.harness.events(events.PlanRevised)
    assert (revised.ordered_mg, revised.signed_by) == ("60", str(ward.prescriber))
    (raised,) = ward.harness.events(events.DoseChangeSuggested)
    (told,) = ward.harness.events(events.DoseChangeDecided)
    assert (told.suggestion_id, told.accepted) == (raised.suggestion_id, True)
    for day in DAYS[3:]:
        course.step(day, 9)
    assert kinds(course.suggestions(decided_too=True)) == [("raise_dose", 3)]


def test_a_suggestion_declined_changes_nothing_and_the_series_goes_on(ward: Ward) -> None:
    """\"a suggestion declined\"; \"if no response after #6 -> stop unless override\""""
    course = induction(ward)
    for day in DAYS[:3]:
        course.step(day, 18)
    (suggested,) = course.suggestions()
    decided = course.decide(suggested, "decline", 5)
    assert (decided.suggestion.state, decided.suggestion.decided_by) == ("declined", str(ward.prescriber))
    assert decided.plan.version == 1
    assert not ward.harness.events(events.PlanRevised)
    for day in DAYS[3:]:
        course.step(day, 15)
    (stop,) = course.suggestions()
    assert (stop.kind_code, stop.after_sessions) == ("stop_no_response", 6)
    ended = course.decide(stop, "accept", 13)
    assert ended.plan.state == types.PLAN_STATE_COMPLETED
    with pytest.raises(FailedPrecondition) as refused:
        course.decide(stop, "decline", 13)
    assert refused.value.reason == "SUGGESTION_STATE"


def test_remission_twice_and_an_early_end(ward: Ward) -> None:
    """\"remission twice in a row -> may stop early\"; \"remission twice and an early end\""""
    course = induction(ward)
    for day, total in zip(DAYS[:4], (14, 4, 6, 4), strict=True):
        course.step(day, total)
    assert course.suggestions() == []
    course.step(DAYS[4], 3)
    (suggested,) = course.suggestions()
    assert (suggested.kind_code, suggested.after_sessions) == ("end_early_remission", 5)
    assert course.now().state == types.PLAN_STATE_SIGNED
    session_id = course.booked(course.day(DAYS[5]))
    order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id), at=course.day(10))
    decided = course.decide(suggested, "accept", 10)
    assert decided.plan.state == types.PLAN_STATE_COMPLETED
    assert list(decided.revoked_order_ids) == [order.order_id]
    (completed,) = ward.harness.events(events.PlanCompleted)
    assert completed.plan_id == course.plan.plan_id


def test_a_relapse_in_maintenance_halves_the_interval(ward: Ward) -> None:
    """\"maintenance interval starts 7 d, extend by +7 d while response holds, shorten by half on relapse (PHQ-9 rise >=5 and >=10)\""""
    course = Course(ward, ward.signed_plan(protocol_code="depression_maintenance"))
    assert (course.now().interval_days, course.now().phase) == (7, "maintenance")
    course.step(0, 6)
    (longer,) = course.suggestions()
    assert (longer.kind_code, longer.suggested_interval_days) == ("maintenance_extend", 14)
    assert course.decide(longer, "accept", 1).plan.interval_days == 14
    course.step(14, 11)
    (shorter,) = course.suggestions()
    assert (shorter.kind_code, shorter.suggested_interval_days) == ("maintenance_shorten", 7)
    decided = course.decide(shorter, "accept", 15)
    assert (decided.plan.interval_days, decided.plan.version) == (7, 3)
    assert decided.plan.dose_request.dose_mg_per_kg == "0.5"


def test_maintenance_under_a_plan_of_its_own_is_measured_by_the_series_before(ward: Ward) -> None:
    """To intake a new plan is a new series: its baseline is already the response."""
    first = induction(ward)
    for day, total in zip(DAYS, (17, 15, 13, 12, 10, 9), strict=True):
        first.step(day, total)
    ward.call("EndPlan", pb.EndPlanRequest(plan_id=first.plan.plan_id, reason_code="induction.complete"))
    asked = ward.draft_request(first.plan.person_id, protocol_code="depression_maintenance")
    drafted = ward.call("DraftPlan", asked).plan
    signed = ward.call("SignPlan", pb.SignPlanRequest(plan_id=drafted.plan_id), at=first.day(14)).plan
    course = Course(ward, signed, baseline=9)
    course.step(18, 10)
    (longer,) = course.suggestions()
    assert (longer.kind_code, longer.suggested_interval_days) == ("maintenance_extend", 14)
    course.decide(longer, "accept", 19)
    course.step(32, 14)
    (shorter,) = course.suggestions()
    assert (shorter.kind_code, shorter.suggested_interval_days) == ("maintenance_shorten", 7)


@pytest.mark.parametrize(
    ("before", "now", "relapsed"),
    [(5, 10, True), (5, 9, False), (6, 10, False), (4, 9, False)],
    ids=["rise_5_and_10", "rise_4_and_9", "rise_4_and_10", "rise_5_and_9"],
)
def test_a_relapse_is_a_rise_of_5_and_a_score_of_10(ward: Ward, before: int, now: int, relapsed: bool) -> None:
    """\"shorten by half on relapse (PHQ-9 rise >=5 and >=10)\""""
    course = Course(ward, ward.signed_plan(protocol_code="depression_maintenance", interval_days=14))
    course.step(0, before)
    course.step(14, now)
    found = [item.suggested_interval_days for item in course.suggestions() if item.kind_code == "maintenance_shorten"]
    assert found == ([7] if relapsed else [])


def test_six_infusions_are_the_induction_of_a_longer_plan(ward: Ward) -> None:
    """\"induction n=6 default\"; what follows in the same plan is maintenance, from 7 days on."""
    course = induction(ward, sessions_planned=8)
    for day, total in zip((*DAYS, 18), (15, 14, 12, 11, 10, 9, 8), strict=True):
        course.step(day, total)
    (suggested,) = course.suggestions()
    assert (suggested.kind_code, suggested.after_sessions) == ("maintenance_extend", 7)
    assert suggested.suggested_interval_days == 14


def test_events_late_and_shuffled_give_the_same_suggestions(ward: Ward) -> None:
    def outcome(seed: int | None) -> list[tuple[object, ...]]:
        course = induction(ward)
        told = []
        for day, total in zip(DAYS, (17, 18, 19, 15, 13, 12), strict=True):
            told += [course.ended(course.day(day)), course.answered(day, total)]
        if seed is not None:
            random.Random(seed).shuffle(told)
        for event in (*told, *told[:3]):
            ward.harness.deliver(event)
        return [
            (item.kind_code, item.after_sessions, item.suggested_dose_mg_per_kg, item.suggested_at.seconds)
            for item in sorted(course.suggestions(), key=lambda item: item.after_sessions)
        ]

    in_order = outcome(None)
    assert [(kind, after) for kind, after, *_ in in_order] == [("raise_dose", 3), ("stop_no_response", 6)]
    assert outcome(1) == in_order
    assert outcome(2) == in_order


def test_a_later_answer_takes_the_ground_away_before_anybody_decided(ward: Ward) -> None:
    course = induction(ward)
    for day in DAYS[:3]:
        course.step(day, 17)
    assert kinds(course.suggestions()) == [("raise_dose", 3)]
    course.answer(5, 12)
    assert course.suggestions() == []
    (kept,) = course.suggestions(decided_too=True)
    assert kept.state == "withdrawn"


def test_a_baseline_that_becomes_known_later_is_judged_by(ward: Ward) -> None:
    course = induction(ward)
    for day in DAYS[:2]:
        course.step(day, 17)
    course.infused(DAYS[2])
    result = course.answered(DAYS[2], 17)
    unjudged = type(result)()
    unjudged.CopyFrom(result)
    for name in ("baseline_total", "improvement_percent", "outcome_codes"):
        unjudged.ClearField(name)
    assert ward.harness.deliver(unjudged) == "applied"
    assert course.suggestions() == []
    revised = intake_revision(result)
    assert ward.harness.deliver(revised) == "applied"
    assert kinds(course.suggestions()) == [("raise_dose", 3)]


def intake_revision(result: intake_events.InstrumentCompleted) -> intake_events.InstrumentOutcomeRevised:
    """The word of intake that a baseline is known now."""
    names = [field.name for field in intake_events.InstrumentOutcomeRevised.DESCRIPTOR.fields]
    return intake_events.InstrumentOutcomeRevised(**{name: getattr(result, name) for name in names})


def test_a_gain_of_20_percent_is_enough_at_three(ward: Ward) -> None:
    """\"if no >=20-25 % gain after #3 at 0.5 mg/kg -> prescriber decision\""""
    course = induction(ward)
    for day in DAYS[:3]:
        course.step(day, 16)
    assert course.suggestions() == []


def test_a_heavy_person_is_raised_only_to_the_absolute_limit(ward: Ward) -> None:
    """\"raise by 0.1-0.25 mg/kg within limit or stop\": 60 mg is the soft limit, 0.6 mg/kg at 100 kg."""
    course = induction(ward, weight_kg="100", weight_kg_again="100")
    for day in DAYS[:3]:
        course.step(day, 19)
    (suggested,) = course.suggestions()
    assert suggested.suggested_dose_mg_per_kg == "0.6"


def test_where_no_raise_is_within_the_limits_the_suggestion_is_to_stop(ward: Ward) -> None:
    """\"raise by 0.1-0.25 mg/kg within limit or stop\": at 110 kg even 0.1 more is above 60 mg."""
    course = induction(ward, weight_kg="110", weight_kg_again="110")
    for day in DAYS[:3]:
        course.step(day, 19)
    assert kinds(course.suggestions()) == [("stop_no_response", 3)]


def test_only_the_leading_instrument_of_the_indication_decides(ward: Ward) -> None:
    course = Course(ward, ward.signed_plan(), instrument="GAD-7")
    for day in DAYS[:3]:
        course.step(day, 20)
    assert course.suggestions() == []
    anxious = Course(ward, ward.signed_plan(protocol_code="anxiety", indication="anxiety"), instrument="GAD-7")
    for day in DAYS[:3]:
        anxious.step(day, 20)
    assert kinds(anxious.suggestions()) == [("raise_dose", 3)]


def test_a_decision_needs_the_privilege_to_sign(ward: Ward) -> None:
    course = induction(ward)
    for day in DAYS[:3]:
        course.step(day, 19)
    (suggested,) = course.suggestions()
    who = ward.practitioner(uuid4(), "clear", "diagnose", licence_type="MD")
    request = pb.DecideSuggestionRequest(
        suggestion_id=suggested.suggestion_id, decision="accept", reason_code="clinical.judgement"
    )
    with pytest.raises(PermissionDenied) as refused:
        ward.call("DecideSuggestion", request, at=course.day(5), actor=who)
    assert refused.value.reason == "PRIVILEGE_MISSING"
    assert course.now().version == 1


def test_a_plan_that_was_revised_as_far_meanwhile_refuses_the_suggestion(ward: Ward) -> None:
    course = induction(ward)
    for day in DAYS[:3]:
        course.step(day, 19)
    (suggested,) = course.suggestions()
    ward.call("RevisePlan", pb.RevisePlanRequest(plan_id=course.plan.plan_id, dose_mg_per_kg="0.75"))
    with pytest.raises(FailedPrecondition) as refused:
        course.decide(suggested, "accept", 5)
    assert refused.value.reason == "SUGGESTION_OUTDATED"
    assert course.decide(suggested, "decline", 5).suggestion.state == "declined"


def test_a_decision_asked_twice_is_made_once(ward: Ward) -> None:
    course = induction(ward)
    for day in DAYS[:3]:
        course.step(day, 19)
    (suggested,) = course.suggestions()
    request = pb.DecideSuggestionRequest(
        request_id=str(uuid4()),
        suggestion_id=suggested.suggestion_id,
        decision="accept",
        reason_code="clinical.judgement",
    )
    first = ward.call("DecideSuggestion", request, at=course.day(5))
    assert ward.call("DecideSuggestion", request, at=course.day(5)) == first
    assert len(ward.harness.events(events.PlanRevised)) == 1
