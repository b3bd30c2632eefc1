"""Consultations take a practitioner and a room, for their own time only, and never a person who is elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from chassis.values import from_timestamp, to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, NOW, Clinic, Place


class Rooms:
    """A site with practitioners on shift and rooms."""

    def __init__(self, clinic: Clinic, *, sets: int = 1) -> None:
        self.clinic = clinic
        self.place: Place = clinic.open()
        self.rooms = [clinic.add(self.place.site_id, "room") for _ in range(sets)]
        self.practitioners = [clinic.add(self.place.site_id, "practitioner") for _ in range(sets)]
        for one in self.practitioners:
            clinic.shift(one, self.place.site_id, NOW, NOW + timedelta(hours=9))

    def request(self, person: str = "", start: datetime = NINE, **changes: object) -> pb.BookConsultationRequest:
        values: dict[str, object] = {
            "person_id": person or str(uuid4()),
            "site_id": self.place.site_id,
            "practitioner_id": self.practitioners[0],
            "room_id": self.rooms[0],
            "starts_at": to_timestamp(start),
        }
        return pb.BookConsultationRequest(**(values | changes))  # type: ignore[arg-type]

    def book(self, request: pb.BookConsultationRequest) -> pb.BookConsultationResponse:
        response = self.clinic.call("BookConsultation", request)
        assert isinstance(response, pb.BookConsultationResponse)
        return response

    def get(self, consultation_id: str) -> types.Consultation:
        found = self.clinic.call("GetConsultation", pb.GetConsultationRequest(consultation_id=consultation_id))
        assert isinstance(found.consultation, types.Consultation)
        return found.consultation


def test_a_consultation_takes_its_hour_and_the_room_five_minutes_more(clinic: Clinic) -> None:
    rooms = Rooms(clinic, sets=2)
    first = rooms.book(rooms.request())
    assert from_timestamp(first.ends_at) == NINE + timedelta(minutes=60)
    (event,) = clinic.harness.events(events.ConsultationBooked)
    assert (event.consultation_id, event.room_id) == (first.consultation_id, rooms.rooms[0])
    assert rooms.get(first.consultation_id).state == types.CONSULTATION_STATE_BOOKED
    assert rooms.get(first.consultation_id).starts_at_site == "2026-07-15T09:00:00-07:00"
    hour = NINE + timedelta(minutes=60)
    with pytest.raises(AlreadyExists) as room:
        rooms.book(rooms.request(start=hour, practitioner_id=rooms.practitioners[1]))
    assert room.value.ids == {"room_id": rooms.rooms[0]}
    with pytest.raises(AlreadyExists) as doctor:
        rooms.book(rooms.request(start=hour - timedelta(minutes=1), room_id=rooms.rooms[1]))
    assert doctor.value.ids == {"practitioner_id": rooms.practitioners[0]}
    assert rooms.book(rooms.request(start=hour, room_id=rooms.rooms[1], minutes=20)).consultation_id
    assert rooms.book(
        rooms.request(start=hour + timedelta(minutes=5), practitioner_id=rooms.practitioners[1])
    ).consultation_id


def test_cancelled_it_frees_both_completed_it_does_not(clinic: Clinic) -> None:
    rooms = Rooms(clinic)
    first = rooms.book(rooms.request()).consultation_id
    request = pb.CancelConsultationRequest(consultation_id=first, reason_code="person.asked")
    clinic.call("CancelConsultation", request)
    assert rooms.get(first).state == types.CONSULTATION_STATE_CANCELLED
    assert clinic.harness.events(events.ConsultationCancelled)[0].reason_code == "person.asked"
    second = rooms.book(rooms.request()).consultation_id
    done = pb.CompleteConsultationRequest(consultation_id=second)
    with pytest.raises(FailedPrecondition) as early:
        clinic.call("CompleteConsultation", done, at=NINE - timedelta(seconds=1))
    assert early.value.reason == "CONSULTATION_NOT_DUE"
    clinic.call("CompleteConsultation", done, at=NINE)
    assert rooms.get(second).state == types.CONSULTATION_STATE_COMPLETED
    assert len(clinic.harness.events(events.ConsultationCompleted)) == 1
    with pytest.raises(AlreadyExists):
        rooms.book(rooms.request())
    for again in (first, second):
        with pytest.raises(FailedPrecondition) as refused:
            clinic.call("CompleteConsultation", pb.CompleteConsultationRequest(consultation_id=again), at=NINE)
        assert refused.value.reason == "CONSULTATION_STATE"


def test_a_person_is_in_one_place_but_may_be_seen_the_day_after_an_infusion(clinic: Clinic) -> None:
    rooms = Rooms(clinic, sets=2)
    person = str(uuid4())
    plan = clinic.plan(person)
    clinic.book(clinic.request(rooms.place, person, plan))
    for minutes in (-59, 0, 174):
        with pytest.raises(AlreadyExists) as busy:
            rooms.book(rooms.request(person, NINE + timedelta(minutes=minutes)))
        assert busy.value.reason == "PERSON_HAS_SESSION"
    seen = rooms.book(rooms.request(person, NINE + timedelta(minutes=175)))
    assert seen.consultation_id
    other = {"practitioner_id": rooms.practitioners[1], "room_id": rooms.rooms[1]}
    with pytest.raises(AlreadyExists) as twice:
        rooms.book(rooms.request(person, NINE + timedelta(minutes=200), **other))
    assert twice.value.ids == {"person_id": person}
    # And the other way round: no session while the person sees somebody.
    someone = str(uuid4())
    rooms.book(rooms.request(someone, NINE + timedelta(hours=5)))
    with pytest.raises(AlreadyExists) as session:
        clinic.book(clinic.request(rooms.place, someone, clinic.plan(someone), starts_at=NINE + timedelta(hours=4)))
    assert session.value.reason == "PERSON_HAS_CONSULTATION"


def test_bad_consultations_are_refused(clinic: Clinic) -> None:
    rooms = Rooms(clinic)
    elsewhere = Rooms(clinic)
    with pytest.raises(FailedPrecondition) as place:
        rooms.book(rooms.request(room_id=elsewhere.rooms[0]))
    assert place.value.reason == "RESOURCE_NOT_AT_SITE"
    with pytest.raises(FailedPrecondition) as shift:
        rooms.book(rooms.request(practitioner_id=elsewhere.practitioners[0]))
    assert shift.value.reason == "PRACTITIONER_NOT_ON_SHIFT"
    with pytest.raises(InvalidArgument):
        rooms.book(rooms.request(room_id=rooms.practitioners[0]))
    with pytest.raises(NotFound):
        rooms.book(rooms.request(room_id=str(uuid4())))
    with pytest.raises(InvalidArgument):
        rooms.book(rooms.request(start=NOW))
    with pytest.raises(NotFound):
        rooms.get(str(uuid4()))
    assert clinic.harness.events(events.ConsultationBooked) == []


def test_fifty_for_one_room(crowd: Clinic) -> None:
    rooms = Rooms(crowd, sets=50)
    requests = [rooms.request(practitioner_id=one) for one in rooms.practitioners]
    gate = Barrier(50)

    def call(request: pb.BookConsultationRequest) -> str:
        gate.wait()
        try:
            rooms.book(request)
        except AlreadyExists as refused:
            return refused.reason
        return "booked"

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(call, requests))
    assert (results.count("booked"), results.count("SLOT_TAKEN")) == (1, 49)
