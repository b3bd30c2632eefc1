"""Why a time is not free: every reason, resource by resource, and never who."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from chassis.errors import InvalidArgument, NotFound
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, NOW, Clinic, Place
from tests.scheduling.test_consultations import Rooms


def _explain(clinic: Clinic, place: Place, start: datetime = NINE, **more: str) -> pb.ExplainTimeResponse:
    request = pb.ExplainTimeRequest(site_id=place.site_id, starts_at=to_timestamp(start), infusion_min=40, **more)  # type: ignore[arg-type]
    response = clinic.call("ExplainTime", request)
    assert isinstance(response, pb.ExplainTimeResponse)
    return response


def _reasons(answer: pb.ExplainTimeResponse) -> set[tuple[str, int]]:
    return {(one.reason_code, one.kind) for one in answer.obstacles}


def test_a_free_time_has_nothing_against_it(clinic: Clinic) -> None:
    answer = _explain(clinic, clinic.open())
    assert answer.free
    assert list(answer.obstacles) == []


def test_a_booking_stands_against_each_of_its_resources_and_says_nothing_of_its_person(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    session = clinic.booked(place).session_id
    answer = _explain(clinic, place)
    assert answer.free
    assert {(one.reason_code, one.resource_id) for one in answer.obstacles} == {
        ("booked", ids[0]) for ids in place.resources.values()
    }
    text = str(answer)
    booking = clinic.get(session)
    assert all(one not in text for one in (session, booking.person_id, booking.plan_id))
    only = _explain(clinic, place, chair_id=place.resources["chair"][0])
    assert not only.free
    clinic.booked(place, **place.set_of(1))
    assert not _explain(clinic, place).free


def test_holds_cleaning_shifts_hours_and_the_past_are_told_apart(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    clinic.hold(clinic.hold_request(place, person, clinic.plan(person), starts_at=NINE + timedelta(days=1)))
    held = _explain(clinic, place, NINE + timedelta(days=1))
    assert {one.reason_code for one in held.obstacles} == {"held"}
    over = clinic.call(
        "ExplainTime",
        pb.ExplainTimeRequest(site_id=place.site_id, starts_at=to_timestamp(NINE + timedelta(days=1)), infusion_min=40),
        at=NOW + timedelta(minutes=15),
    )
    assert over.free
    clinic.booked(place)
    cleaning = _explain(clinic, place, NINE + timedelta(minutes=175))
    assert [(one.reason_code, one.override_rule) for one in cleaning.obstacles] == [("cleaning", "buffer.cleaning")]
    # The next visit's chair would be cleaned into the one that is booked.
    before = _explain(clinic, place, NINE - timedelta(minutes=175))
    assert ("cleaning", types.RESOURCE_KIND_CHAIR) in _reasons(before)
    assert ("past", types.RESOURCE_KIND_UNSPECIFIED) in _reasons(before)
    assert _reasons(_explain(clinic, place, NINE + timedelta(days=30))) == {("no_shift", types.RESOURCE_KIND_NURSE)}
    hours = pb.SetOpeningHoursRequest(
        site_id=place.site_id,
        effective_from=to_timestamp(NOW),
        days=[types.OpeningDay(iso_weekday=5, opens="08:00", closes="17:00")],
        source="house policy",
    )
    clinic.call("SetOpeningHours", hours, "operator")
    closed = _explain(clinic, place, NINE + timedelta(days=4))
    assert [(one.reason_code, one.override_rule) for one in closed.obstacles] == [("closed", "hours.closed")]
    assert not closed.free


def test_a_persons_own_intervals_and_consultations(clinic: Clinic) -> None:
    rooms = Rooms(clinic)
    person = str(uuid4())
    clinic.book(clinic.request(rooms.place, person, clinic.plan(person)))
    rooms.book(rooms.request(person, NINE + timedelta(hours=4)))
    hard = _explain(clinic, rooms.place, NINE + timedelta(hours=24), person_id=person)
    assert _reasons(hard) == {("interval_hard", types.RESOURCE_KIND_PERSON)}
    soft = _explain(clinic, rooms.place, NINE + timedelta(hours=30), person_id=person)
    assert [(one.reason_code, one.override_rule) for one in soft.obstacles] == [("interval_soft", "interval.soft")]
    busy = _explain(clinic, rooms.place, NINE + timedelta(hours=4), person_id=person)
    assert ("person_busy", types.RESOURCE_KIND_PERSON) in _reasons(busy)
    assert _explain(clinic, rooms.place, NINE + timedelta(hours=48), person_id=person).free
    # Nobody else's.
    assert _explain(clinic, rooms.place, NINE + timedelta(hours=24), person_id=str(uuid4())).free


def test_what_a_site_does_not_have_and_bad_questions(clinic: Clinic) -> None:
    bare = clinic.open(sets=0)
    answer = _explain(clinic, bare)
    assert not answer.free
    assert {one.reason_code for one in answer.obstacles} == {"none_at_site"}
    assert len(answer.obstacles) == 4
    place = clinic.open()
    with pytest.raises(NotFound):
        _explain(clinic, place, pump_id=str(uuid4()))
    with pytest.raises(InvalidArgument):
        _explain(clinic, place, pump_id=place.resources["chair"][0])
    with pytest.raises(NotFound):
        _explain(clinic, Place(str(uuid4())))
