"""A booking takes everything or nothing, and a refusal says why without saying who."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, NOW, PRIVILEGED, Clinic, setting_aside


def test_a_first_session_takes_preparation_infusion_and_two_hours_of_recovery(clinic: Clinic) -> None:
    place = clinic.open()
    booked = clinic.booked(place)
    assert from_timestamp(booked.ends_at) == NINE + timedelta(minutes=15 + 40 + 120)
    booking = clinic.get(booked.session_id)
    assert booking.state == types.BOOKING_STATE_BOOKED
    assert booking.starts_at_site == "2026-07-15T09:00:00-07:00"
    (event,) = clinic.harness.events(events.SessionBooked)
    assert event.session_id == booked.session_id
    assert event.chair_id == place.resources["chair"][0]
    assert from_timestamp(event.booked_at) == NOW


def test_what_a_visit_takes_of_each_resource(clinic: Clinic) -> None:
    """'Chair, nurse, monitor: preparation + infusion + recovery (60 min; 120 for a first session or
    pain); pump: preparation + infusion.' The chair takes ten minutes of cleaning more, by house policy.
    """
    place = clinic.open(sets=3)
    people = [str(uuid4()) for _ in range(3)]
    plans = [clinic.plan(people[0]), clinic.plan(people[1]), clinic.plan(people[2], indication="pain")]
    for number, (ordinal, recovery) in enumerate([(1, 120), (2, 60), (2, 120)]):
        request = clinic.request(place, people[number], plans[number], ordinal=ordinal, **place.set_of(number))
        session = clinic.book(request).session_id
        with clinic.harness.database.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT kind, lower(during), upper(during) FROM claim WHERE session_id = :id"), {"id": session}
            )
            found = {row[0]: (row[1], row[2]) for row in rows}
        infusion, end = NINE + timedelta(minutes=15), NINE + timedelta(minutes=15 + 40)
        visit = end + timedelta(minutes=recovery)
        assert found == {
            "chair": (NINE, visit + timedelta(minutes=10)),
            "nurse": (NINE, visit),
            "monitor": (NINE, visit),
            "pump": (NINE, end),
            "person": (infusion, end + timedelta(hours=24)),
        }


def test_later_sessions_recover_for_an_hour_and_those_for_pain_for_two(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    person, sufferer = str(uuid4()), str(uuid4())
    later = clinic.book(clinic.request(place, person, clinic.plan(person), ordinal=2))
    assert from_timestamp(later.ends_at) == NINE + timedelta(minutes=15 + 40 + 60)
    pain = clinic.plan(sufferer, indication="pain")
    painful = clinic.book(clinic.request(place, sufferer, pain, ordinal=2, **place.set_of(1)))
    assert from_timestamp(painful.ends_at) == NINE + timedelta(minutes=15 + 40 + 120)


@pytest.mark.parametrize("kind", ["chair", "pump", "monitor", "nurse"])
def test_a_held_resource_refuses_names_its_holder_and_takes_nothing(clinic: Clinic, kind: str) -> None:
    place = clinic.open(sets=2)
    first = clinic.booked(place)
    person = str(uuid4())
    plan = clinic.plan(person)
    shared = {f"{kind}_id": place.resources[kind][0]}
    with pytest.raises(AlreadyExists) as refused:
        clinic.book(clinic.request(place, person, plan, **(place.set_of(1) | shared)))
    assert refused.value.reason == "SLOT_TAKEN"
    assert refused.value.ids == {f"{kind}_id": place.resources[kind][0], f"{kind}_held_by_session_id": first.session_id}
    # Nothing of the refused booking is left: the second set is free for the very same time.
    assert clinic.book(clinic.request(place, person, plan, **place.set_of(1))).session_id
    assert len(clinic.harness.events(events.SessionBooked)) == 2


def test_the_pump_is_free_during_recovery_and_the_chair_is_not(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    clinic.booked(place)
    after_infusion = NINE + timedelta(minutes=55)
    pump = {"pump_id": place.resources["pump"][0]}
    assert clinic.booked(place, starts_at=after_infusion, **(place.set_of(1) | pump)).session_id
    with pytest.raises(AlreadyExists) as refused:
        clinic.booked(place, starts_at=NINE + timedelta(minutes=174))
    assert set(refused.value.ids) >= {"chair_id", "monitor_id", "nurse_id"}
    assert "pump_id" not in refused.value.ids


def test_a_person_is_one_person_at_every_site(clinic: Clinic) -> None:
    """'The person is one of the exclusive resources, over all sites.'"""
    here, there = clinic.open(), clinic.open("America/Denver")
    person = str(uuid4())
    plan = clinic.plan(person)
    first = clinic.book(clinic.request(here, person, plan))
    with pytest.raises(AlreadyExists) as refused:
        clinic.book(clinic.request(there, person, plan, ordinal=2, starts_at=NINE + timedelta(hours=4)))
    assert refused.value.ids == {"person_id": person, "person_held_by_session_id": first.session_id}


def test_between_infusions_lie_24_hours_to_the_minute(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    clinic.book(clinic.request(place, person, plan, starts_at=NINE + timedelta(days=2)))
    # Infusions of 40 minutes: one that starts 24 h 40 min later starts 24 h after the end of the first, whichever is booked first.
    gap = timedelta(hours=24, minutes=40)
    for start, ordinal in ((NINE + timedelta(days=2) + gap, 2), (NINE + timedelta(days=2) - gap, 3)):
        nearer = start + timedelta(minutes=-1 if ordinal == 2 else 1)
        soft = {"ordinal": ordinal, "override": setting_aside("interval.soft")}
        with pytest.raises(AlreadyExists) as refused:
            clinic.book(clinic.request(place, person, plan, starts_at=nearer, **soft), PRIVILEGED)
        assert set(refused.value.ids) == {"person_id", "person_held_by_session_id"}
        assert clinic.book(clinic.request(place, person, plan, starts_at=start, **soft), PRIVILEGED).session_id


def test_an_ordinal_is_booked_once(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    first = clinic.book(clinic.request(place, person, plan))
    with pytest.raises(AlreadyExists) as refused:
        clinic.book(clinic.request(place, person, plan, starts_at=NINE + timedelta(days=3)))
    assert refused.value.reason == "ORDINAL_BOOKED"
    assert refused.value.ids["held_by_session_id"] == first.session_id


def test_the_plan_has_to_be_known_signed_of_the_person_and_long_enough(clinic: Clinic) -> None:
    place = clinic.open()
    person, other = str(uuid4()), str(uuid4())
    plan = clinic.plan(person, sessions=2)
    for reason, request in (
        ("PLAN_NOT_YET_KNOWN", clinic.request(place, person, str(uuid4()))),
        ("PLAN_OF_ANOTHER_PERSON", clinic.request(place, other, plan)),
        ("ORDINAL_NOT_PLANNED", clinic.request(place, person, plan, ordinal=3)),
    ):
        with pytest.raises(FailedPrecondition) as refused:
            clinic.book(request)
        assert refused.value.reason == reason
    assert clinic.harness.events(events.SessionBooked) == []


def test_resources_have_to_exist_be_of_their_kind_and_stand_at_the_site(clinic: Clinic) -> None:
    place, elsewhere = clinic.open(), clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    with pytest.raises(NotFound) as unknown:
        clinic.book(clinic.request(place, person, plan, pump_id=str(uuid4())))
    assert unknown.value.field == "pump_id"
    with pytest.raises(InvalidArgument) as wrong:
        clinic.book(clinic.request(place, person, plan, chair_id=place.resources["monitor"][0]))
    assert (wrong.value.reason, wrong.value.field) == ("RESOURCE_KIND", "chair_id")
    with pytest.raises(FailedPrecondition) as away:
        clinic.book(clinic.request(place, person, plan, monitor_id=elsewhere.resources["monitor"][0]))
    assert (away.value.reason, away.value.field) == ("RESOURCE_NOT_AT_SITE", "monitor_id")
    with pytest.raises(NotFound) as nowhere:
        clinic.book(clinic.request(place, person, plan, site_id=str(uuid4())))
    assert nowhere.value.field == "site_id"


def test_the_nurse_has_to_be_on_shift_to_the_end_of_recovery(clinic: Clinic) -> None:
    place = clinic.open(shift=False)
    nurse = place.resources["nurse"][0]
    clinic.shift(nurse, place.site_id, NINE, NINE + timedelta(minutes=100))
    with pytest.raises(FailedPrecondition) as refused:
        clinic.booked(place)
    assert refused.value.reason == "NURSE_NOT_ON_SHIFT"
    # Two shifts that touch cover what runs over both.
    clinic.shift(nurse, place.site_id, NINE + timedelta(minutes=100), NINE + timedelta(minutes=175))
    assert clinic.booked(place).session_id


def test_a_nurse_lent_to_another_site_works_there_by_shift(clinic: Clinic) -> None:
    home, away = clinic.open(shift=False), clinic.open(shift=False)
    nurse = home.resources["nurse"][0]
    clinic.shift(nurse, away.site_id, NINE, NINE + timedelta(hours=8))
    assert clinic.booked(away, nurse_id=nurse).session_id
    with pytest.raises(FailedPrecondition) as refused:
        clinic.booked(home)
    assert refused.value.reason == "NURSE_NOT_ON_SHIFT"


def test_the_past_is_not_booked_and_not_everybody_books(clinic: Clinic) -> None:
    place = clinic.open()
    with pytest.raises(InvalidArgument) as past:
        clinic.booked(place, starts_at=NOW)
    assert past.value.field == "starts_at"
    person = str(uuid4())
    request = clinic.request(place, person, clinic.plan(person))
    with pytest.raises(PermissionDenied):
        clinic.harness.call("BookSession", request, role="operator", at=NOW)


def test_the_same_request_books_once(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    request = clinic.request(place, person, clinic.plan(person), request_id=str(uuid4()))
    assert clinic.book(request) == clinic.book(request)
    assert len(clinic.harness.events(events.SessionBooked)) == 1
    other = pb.BookSessionRequest()
    other.CopyFrom(request)
    other.ordinal = 2
    with pytest.raises(FailedPrecondition) as refused:
        clinic.book(other)
    assert refused.value.reason == "REQUEST_ID_REUSED"
