"""The copy of a plan decides what may be booked."""

from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition
from saguaro.scheduling.v1 import types_pb2 as types
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from tests.scheduling.clinic import NINE, NOW, Clinic


@pytest.mark.parametrize("kind", [plan_events.PlanSuspended, plan_events.PlanCompleted])
def test_no_new_session_of_a_plan_that_is_held_or_done_and_booked_ones_stand(
    clinic: Clinic, kind: type[plan_events.PlanSuspended | plan_events.PlanCompleted]
) -> None:
    place = clinic.open(sets=2)
    person = str(uuid4())
    plan = clinic.plan(person)
    booked = clinic.book(clinic.request(place, person, plan))
    event = kind(plan_id=plan, person_id=person, site_id=place.site_id)
    assert clinic.harness.deliver(event, at=NOW) == "applied"
    with pytest.raises(FailedPrecondition) as refused:
        clinic.book(clinic.request(place, person, plan, ordinal=2, **place.set_of(1)))
    assert refused.value.reason == "PLAN_NOT_SIGNED"
    assert clinic.get(booked.session_id).state == types.BOOKING_STATE_BOOKED


def test_a_revised_plan_has_as_many_sessions_as_it_now_says(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person, sessions=1)
    request = clinic.request(place, person, plan, ordinal=2)
    with pytest.raises(FailedPrecondition) as refused:
        clinic.book(request)
    assert refused.value.reason == "ORDINAL_NOT_PLANNED"
    revised = plan_events.PlanRevised(plan_id=plan, person_id=person, site_id=place.site_id, sessions_planned=2)
    assert clinic.harness.deliver(revised, at=NOW) == "applied"
    assert clinic.book(request).session_id


def test_a_plan_whose_last_change_could_not_be_applied_is_not_trusted(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    torn = plan_events.PlanRevised(plan_id="not an id", person_id=person, site_id=place.site_id, sessions_planned=9)
    assert clinic.harness.deliver(torn, at=NOW) == "poison"
    with pytest.raises(FailedPrecondition) as refused:
        clinic.book(clinic.request(place, person, plan, starts_at=NINE))
    assert refused.value.reason == "DEPENDS_ON_PARKED_EVENT"


def test_a_suspended_plan_that_resumes_is_bookable_and_a_completed_one_stays_done(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    resumed = plan_events.PlanResumed(plan_id=plan, person_id=person, site_id=place.site_id)
    held = plan_events.PlanSuspended(plan_id=plan, person_id=person, site_id=place.site_id)
    done = plan_events.PlanCompleted(plan_id=plan, person_id=person, site_id=place.site_id)
    assert [clinic.harness.deliver(event, at=NOW) for event in (held, resumed)] == ["applied"] * 2
    assert clinic.book(clinic.request(place, person, plan)).session_id
    assert [clinic.harness.deliver(event, at=NOW) for event in (done, resumed)] == ["applied"] * 2
    with pytest.raises(FailedPrecondition) as refused:
        clinic.book(clinic.request(place, person, plan, ordinal=2, starts_at=NINE))
    assert refused.value.reason == "PLAN_NOT_SIGNED"
