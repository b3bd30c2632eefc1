"""A safety flag from raising to a clinician's note: owner, due time, overdue, reassignment, what it asks for. And visits."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from chassis.values import to_timestamp
from intake.domain.due import years_before
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

from .conftest import LIFETIME_RECENT, NOW, PHOENIX, SCREENER, WINDOW_ROCK, Desk

WHICH = pb.ListSafetyFlagsRequest
NOTE = "Seen in person; safety plan made."


def flags(desk: Desk, which: int = WHICH.WHICH_OPEN, at: datetime = NOW, **other: Any) -> list[types.SafetyFlag]:
    values = {"site_id": PHOENIX, "at": to_timestamp(at), **other}
    request = pb.ListSafetyFlagsRequest(which=which, **values)  # type: ignore[arg-type]
    return list(desk.call("ListSafetyFlags", request, "nurse").flags)


def follow_ups(desk: Desk, **other: Any) -> list[tuple[str, str]]:
    request = pb.ListFollowUpsRequest(site_id=PHOENIX, **other)
    return sorted((one.kind, one.flag_id) for one in desk.call("ListFollowUps", request, "nurse").follow_ups)


def raise_as(desk: Desk, who: str, person_id: str, *yes: str) -> events.SafetyFlagRaised:
    items = ("1", "2", "3", "4", "5", "6.lifetime", "6.3months")
    answers = [types.Answer(item=item, value=int(item in yes)) for item in items]
    request = pb.CompleteInstrumentRequest(
        person_id=person_id, site_id=PHOENIX, instrument=SCREENER, instrument_version=LIFETIME_RECENT, answers=answers
    )
    flag_id = desk.as_actor(who, "CompleteInstrument", request, "nurse").flag_ids[0]
    (raised,) = [item for item in desk.harness.events(events.SafetyFlagRaised) if item.flag_id == flag_id]
    return raised


def test_high_raises_a_flag_with_an_owner_due_in_15_minutes(desk: Desk) -> None:
    """C-SSRS HIGH or incomplete raises a flag at once, with an owner and a due time (15 minutes on site)."""
    person_id = desk.person()
    high = desk.screen(person_id, "2", "4").flag_ids[0]
    incomplete = desk.fill_in(person_id, SCREENER, LIFETIME_RECENT, {"1": 1}).flag_ids[0]
    for flag_id, raised in zip((high, incomplete), desk.harness.events(events.SafetyFlagRaised), strict=True):
        assert (raised.flag_id, raised.blocks, raised.owner_id) == (flag_id, True, str(desk.harness.actor_id))
        assert raised.due_at.ToDatetime(tzinfo=UTC) == NOW + timedelta(minutes=15)


def test_the_owner_is_qualified_whoever_took_the_answers(desk: Desk) -> None:
    nurse = desk.practitioner(None, "RN", ["administer"], site_ids=[PHOENIX])
    # Somebody who decided about the person before goes first; otherwise who has the fewest open flags.
    known = desk.ready()
    assert raise_as(desk, nurse, known, "2", "4").owner_id == str(desk.harness.actor_id)
    other = desk.practitioner(None, "NP", ["clear"], site_ids=[PHOENIX])
    stranger = desk.person()
    assert raise_as(desk, nurse, stranger, "2", "4").owner_id == other
    desk.practitioner(other, "NP", ["clear"], site_ids=[PHOENIX], expires_on="2026-07-14")
    assert raise_as(desk, nurse, stranger, "2", "4").owner_id == str(desk.harness.actor_id)
    # Nobody at the site is qualified: who took the answers has to find somebody.
    desk.practitioner(desk.harness.actor_id, "RN", ["administer"], site_ids=[PHOENIX])
    assert raise_as(desk, nurse, stranger, "2", "4").owner_id == nurse


def test_a_flag_is_handed_on_to_somebody_qualified_and_its_due_time_stays(desk: Desk) -> None:
    flag_id = desk.screen(desk.person(), "2", "4").flag_ids[0]
    before = flags(desk)[0]
    other = desk.practitioner(None, "PSY", ["diagnose"])
    nurse = desk.practitioner(None, "RN", ["administer"])
    for who in (nurse, str(uuid4()), desk.practitioner(None, "NP", ["clear"], site_ids=[WINDOW_ROCK])):
        with pytest.raises(FailedPrecondition, match="OWNER_NOT_QUALIFIED"):
            desk.call("AssignSafetyFlag", pb.AssignSafetyFlagRequest(flag_id=flag_id, owner_id=who))
    answer = desk.call("AssignSafetyFlag", pb.AssignSafetyFlagRequest(flag_id=flag_id, owner_id=other), "nurse")
    after = flags(desk)[0]
    assert (answer.owner_id, after.owner_id) == (other, other)
    assert (after.due_at, before.owner_id) == (before.due_at, str(desk.harness.actor_id))
    with pytest.raises(NotFound):
        desk.call("AssignSafetyFlag", pb.AssignSafetyFlagRequest(flag_id=str(uuid4()), owner_id=other))
    desk.clear_flag(flag_id)
    with pytest.raises(FailedPrecondition, match="FLAG_CLEARED"):
        desk.call("AssignSafetyFlag", pb.AssignSafetyFlagRequest(flag_id=flag_id, owner_id=other))


def test_flags_are_listed_as_they_stood_at_the_asked_time(desk: Desk) -> None:
    high = desk.screen(desk.person(), "2", "4").flag_ids[0]
    moderate = desk.screen(desk.person(), "2", "3").flag_ids[0]
    due = NOW + timedelta(minutes=15)
    assert [flag.flag_id for flag in flags(desk)] == [high, moderate]
    assert flags(desk, WHICH.WHICH_OVERDUE, due - timedelta(seconds=1)) == []
    (late,) = flags(desk, WHICH.WHICH_OVERDUE, due)
    assert (late.flag_id, late.overdue, late.blocks) == (high, True, True)
    desk.call("ClearSafetyFlag", pb.ClearSafetyFlagRequest(flag_id=high, note=NOTE), at=due)
    assert [flag.flag_id for flag in flags(desk, at=due)] == [moderate]
    assert [flag.flag_id for flag in flags(desk, at=due - timedelta(seconds=1))] == [high, moderate]
    assert flags(desk, at=NOW - timedelta(seconds=1)) == []
    everything = flags(desk, WHICH.WHICH_ALL, due)
    assert [(flag.flag_id, bool(flag.note_id), flag.overdue) for flag in everything] == [
        (high, True, False), (moderate, False, False),
    ]  # fmt: skip
    assert flags(desk, WHICH.WHICH_ALL, site_id=WINDOW_ROCK) == []


def test_flags_are_paged(desk: Desk) -> None:
    raised = [desk.screen(desk.person(), "2", "4").flag_ids[0] for _ in range(3)]
    request = pb.ListSafetyFlagsRequest(site_id=PHOENIX, page_size=2)
    first = desk.call("ListSafetyFlags", request)
    request.page_token = first.next_page_token
    second = desk.call("ListSafetyFlags", request)
    assert [flag.flag_id for flag in (*first.flags, *second.flags)] == sorted(raised)
    assert second.next_page_token == ""


def test_moderate_and_item_9_ask_for_a_review_the_same_day_and_item_9_for_a_cssrs(desk: Desk) -> None:
    """MODERATE, or PHQ-9 item 9 above 0: C-SSRS and clinician review the same day."""
    person_id = desk.person()
    item9 = desk.phq9(person_id, [1] * 9).flag_ids[0]
    moderate = desk.screen(desk.person(), "2", "3").flag_ids[0]
    assert follow_ups(desk) == sorted([("clinician_review", item9), ("clinician_review", moderate), ("cssrs", item9)])
    end_of_day = datetime(2026, 7, 16, 7, 0, tzinfo=UTC)
    assert {flag.due_at.ToDatetime(tzinfo=UTC) for flag in flags(desk)} == {end_of_day}
    assert [flag.blocks for flag in flags(desk)] == [False, False]
    assert follow_ups(desk, due_before=to_timestamp(end_of_day)) == []
    with pytest.raises(FailedPrecondition) as refused:
        desk.clear_flag(item9)
    assert refused.value.reason == "CSSRS_REQUIRED"
    # The C-SSRS of somebody else, of the day before, or one with too few answers is not the one.
    desk.screen(person_id, at=NOW - timedelta(days=1))
    desk.fill_in(person_id, SCREENER, LIFETIME_RECENT, {"1": 1})
    with pytest.raises(FailedPrecondition, match="CSSRS_REQUIRED"):
        desk.clear_flag(item9)
    desk.screen(person_id)
    assert ("cssrs", item9) not in follow_ups(desk)
    desk.clear_flag(item9)
    desk.clear_flag(moderate)
    assert [kind for kind, flag_id in follow_ups(desk) if flag_id in (item9, moderate)] == []


def test_a_review_that_is_overdue_refuses_clearance_and_start_until_the_note(desk: Desk) -> None:
    person_id = desk.ready()
    desk.decide(person_id)
    flag_id = desk.screen(person_id, "2", "3").flag_ids[0]
    end_of_day = datetime(2026, 7, 16, 7, 0, tzinfo=UTC)
    assert desk.check_start(person_id, at=end_of_day - timedelta(seconds=1)).allowed
    assert desk.unmet(desk.check_start(person_id, at=end_of_day)) == {"flag.review.none_overdue"}
    assert desk.unmet(desk.decide(person_id, at=end_of_day)) == {"flag.review.none_overdue"}
    desk.screen(person_id, at=end_of_day)
    assert not desk.check_start(person_id, at=end_of_day).allowed
    desk.clear_flag(flag_id)
    desk.decide(person_id, at=end_of_day + timedelta(minutes=1))
    assert desk.check_start(person_id, at=end_of_day + timedelta(minutes=2)).allowed


def test_a_check_after_a_session_is_closed_once_with_a_listed_outcome(desk: Desk) -> None:
    person_id = desk.person()
    closed = plan_events.SessionClosed(
        session_id=str(uuid4()), person_id=person_id, site_id=PHOENIX, closed_at=to_timestamp(NOW)
    )
    assert desk.harness.deliver(closed) == "applied"
    asked = pb.ListFollowUpsRequest(site_id=PHOENIX)
    (found,) = desk.call("ListFollowUps", asked, "nurse").follow_ups
    assert (found.kind, found.session_id, found.overdue) == ("after_session", closed.session_id, False)
    (late,) = desk.call("ListFollowUps", asked, "nurse", NOW + timedelta(hours=24)).follow_ups
    assert late.overdue
    done = pb.CompleteFollowUpRequest(follow_up_id=found.follow_up_id, outcome_code="reached_well")
    wrong = pb.CompleteFollowUpRequest(follow_up_id=found.follow_up_id, outcome_code="fine_i_guess")
    with pytest.raises(InvalidArgument) as refused:
        desk.call("CompleteFollowUp", wrong, "nurse")
    assert refused.value.field == "outcome_code"
    desk.call("CompleteFollowUp", done, "nurse")
    assert follow_ups(desk) == []
    with pytest.raises(FailedPrecondition, match="FOLLOW_UP_DONE"):
        desk.call("CompleteFollowUp", done, "nurse")
    with pytest.raises(NotFound):
        desk.call(
            "CompleteFollowUp", pb.CompleteFollowUpRequest(follow_up_id=str(uuid4()), outcome_code="reached_well")
        )


def test_what_a_flag_asks_for_is_not_closed_by_hand(desk: Desk) -> None:
    desk.screen(desk.person(), "2", "4")
    (found,) = desk.call("ListFollowUps", pb.ListFollowUpsRequest(site_id=PHOENIX), "nurse").follow_ups
    request = pb.CompleteFollowUpRequest(follow_up_id=found.follow_up_id, outcome_code="seen_in_person")
    with pytest.raises(FailedPrecondition, match="FOLLOW_UP_OF_FLAG"):
        desk.call("CompleteFollowUp", request, "nurse")


def evaluate(desk: Desk, person_id: str, cpt_code: str, at: datetime = NOW) -> str:
    request = pb.RecordEvaluationRequest(person_id=person_id, site_id=PHOENIX, cpt_code=cpt_code)
    return str(desk.call("RecordEvaluation", request, at=at).evaluation_id)


def test_a_visit_is_recorded_as_new_once_and_as_established_after(desk: Desk) -> None:
    person_id = desk.person()
    desk.practitioner(desk.harness.actor_id, expires_on="2040-12-31")
    with pytest.raises(FailedPrecondition, match="PATIENT_NEW"):
        evaluate(desk, person_id, "99213")
    evaluation_id = evaluate(desk, person_id, "99204")
    (event,) = desk.harness.events(events.EvaluationRecorded)
    assert (event.evaluation_id, event.person_id, event.site_id, event.cpt_code) == (
        evaluation_id, person_id, PHOENIX, "99204",
    )  # fmt: skip
    assert UUID(event.practitioner_id) == desk.harness.actor_id
    with pytest.raises(FailedPrecondition, match="PATIENT_ESTABLISHED"):
        evaluate(desk, person_id, "99202", NOW + timedelta(days=1))
    evaluate(desk, person_id, "99214", NOW + timedelta(days=1))
    later = NOW + timedelta(days=1)
    evaluate(desk, person_id, "99215", later.replace(year=2029))
    with pytest.raises(FailedPrecondition, match="PATIENT_NEW"):
        evaluate(desk, person_id, "99215", later.replace(year=2032) + timedelta(seconds=1))
    evaluate(desk, person_id, "99205", later.replace(year=2032) + timedelta(seconds=1))


def test_a_visit_has_a_code_of_the_policy_and_a_role_that_decides(desk: Desk) -> None:
    person_id = desk.person()
    with pytest.raises(InvalidArgument) as refused:
        evaluate(desk, person_id, "99499")
    assert refused.value.field == "cpt_code"
    request = pb.RecordEvaluationRequest(person_id=person_id, site_id=PHOENIX, cpt_code="99204")
    for role in ("nurse", "intake_clerk", "operator"):
        with pytest.raises(PermissionDenied):
            desk.call("RecordEvaluation", request, role)


def test_years_are_told_by_the_calendar() -> None:
    leap_day = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)
    assert years_before(leap_day, 3) == datetime(2025, 2, 28, 12, 0, tzinfo=UTC)
    assert years_before(leap_day, 4) == datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
