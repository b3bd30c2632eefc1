"""Holds exclude as bookings do, end by clinic time, and become a booking once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, NOW, Clinic, Place

# The default policy.
QUARTER = timedelta(minutes=15)


def _held(clinic: Clinic, place: Place, **changes: object) -> str:
    person = str(uuid4())
    return clinic.hold(clinic.hold_request(place, person, clinic.plan(person), **changes)).hold_id


def _confirm(clinic: Clinic, hold_id: str, late: timedelta = timedelta()) -> str:
    return str(clinic.call("ConfirmHold", pb.ConfirmHoldRequest(hold_id=hold_id), at=NOW + late).session_id)


def test_a_held_time_is_not_bookable_and_names_the_hold(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    held = clinic.hold(clinic.hold_request(place, person, clinic.plan(person)))
    assert from_timestamp(held.expires_at) == NOW + QUARTER
    assert from_timestamp(held.ends_at) == NINE + timedelta(minutes=175)
    with pytest.raises(AlreadyExists) as refused:
        clinic.booked(place)
    assert refused.value.reason == "SLOT_TAKEN"
    assert refused.value.ids["chair_held_by_session_id"] == held.hold_id
    with pytest.raises(AlreadyExists):
        _held(clinic, place)
    assert clinic.harness.events(events.SessionBooked) == []


def test_a_confirmed_hold_is_the_booking_with_all_that_it_held(clinic: Clinic) -> None:
    place = clinic.open()
    hold_id = _held(clinic, place)
    session = _confirm(clinic, hold_id, QUARTER - timedelta(seconds=1))
    assert session == hold_id
    booking = clinic.get(session)
    assert booking.state == types.BOOKING_STATE_BOOKED
    (event,) = clinic.harness.events(events.SessionBooked)
    assert (event.session_id, event.infusion_starts_at) == (session, booking.infusion_starts_at)
    with pytest.raises(FailedPrecondition) as again:
        _confirm(clinic, hold_id)
    assert again.value.reason == "HOLD_CONFIRMED"


def test_a_hold_that_is_over_excludes_nobody_and_cannot_be_confirmed(clinic: Clinic) -> None:
    """An exclusion constraint sees no clock: whoever needs the time lets go what is over, in the same transaction."""
    place = clinic.open()
    hold_id = _held(clinic, place)
    person = str(uuid4())
    request = clinic.request(place, person, clinic.plan(person))
    with pytest.raises(AlreadyExists):
        clinic.call("BookSession", request, at=NOW + QUARTER - timedelta(seconds=1))
    session = clinic.call("BookSession", request, at=NOW + QUARTER).session_id
    assert clinic.get(session).state == types.BOOKING_STATE_BOOKED
    with pytest.raises(FailedPrecondition) as late:
        _confirm(clinic, hold_id, QUARTER)
    assert late.value.reason == "HOLD_EXPIRED"
    held = clinic.call("GetHold", pb.GetHoldRequest(hold_id=hold_id)).hold
    assert held.state == types.HOLD_STATE_EXPIRED


def test_the_end_of_a_hold_counts_although_nobody_needed_its_time(clinic: Clinic) -> None:
    hold_id = _held(clinic, clinic.open())
    with pytest.raises(FailedPrecondition) as late:
        _confirm(clinic, hold_id, QUARTER)
    assert late.value.reason == "HOLD_EXPIRED"
    asked = pb.GetHoldRequest(hold_id=hold_id)
    assert clinic.call("GetHold", asked, at=NOW + QUARTER).hold.state == types.HOLD_STATE_EXPIRED
    assert clinic.call("GetHold", asked, at=NOW).hold.state == types.HOLD_STATE_HELD


def test_a_released_hold_is_free_at_once(clinic: Clinic) -> None:
    place = clinic.open()
    hold_id = _held(clinic, place)
    clinic.call("ReleaseHold", pb.ReleaseHoldRequest(hold_id=hold_id))
    assert clinic.booked(place).session_id
    with pytest.raises(FailedPrecondition) as refused:
        _confirm(clinic, hold_id)
    assert refused.value.reason == "HOLD_RELEASED"
    with pytest.raises(FailedPrecondition) as twice:
        clinic.call("ReleaseHold", pb.ReleaseHoldRequest(hold_id=hold_id))
    assert twice.value.reason == "HOLD_NOT_HELD"
    with pytest.raises(NotFound):
        _confirm(clinic, str(uuid4()))


def test_expired_holds_of_a_site_are_let_go_when_asked(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    _held(clinic, place)
    _held(clinic, place, **place.set_of(1))
    request = pb.ExpireHoldsRequest(site_id=place.site_id)
    assert clinic.call("ExpireHolds", request, at=NOW + QUARTER - timedelta(seconds=1)).released == 0
    assert clinic.call("ExpireHolds", request, at=NOW + QUARTER).released == 2
    assert clinic.call("ExpireHolds", request, at=NOW + QUARTER).released == 0


def test_an_ordinal_that_is_booked_is_neither_held_nor_confirmed(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    person = str(uuid4())
    plan = clinic.plan(person)
    later = NINE + timedelta(days=3)
    hold = clinic.hold(clinic.hold_request(place, person, plan, starts_at=later, **place.set_of(1)))
    first = clinic.book(clinic.request(place, person, plan)).session_id
    with pytest.raises(AlreadyExists) as held:
        clinic.hold(clinic.hold_request(place, person, plan, starts_at=later + timedelta(days=2)))
    with pytest.raises(AlreadyExists) as confirmed:
        _confirm(clinic, hold.hold_id)
    for refused in (held, confirmed):
        assert refused.value.reason == "ORDINAL_BOOKED"
        assert refused.value.ids["held_by_session_id"] == first


def test_fifty_confirm_one_hold_and_one_does(crowd: Clinic) -> None:
    hold_id = _held(crowd, crowd.open())
    gate = Barrier(50)

    def call(_number: int) -> str:
        gate.wait()
        try:
            return _confirm(crowd, hold_id)
        except FailedPrecondition as refused:
            return refused.reason

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(call, range(50)))
    assert sorted(results) == sorted([hold_id] + ["HOLD_CONFIRMED"] * 49)
    assert len(crowd.harness.events(events.SessionBooked)) == 1


def test_fifty_for_a_time_whose_hold_is_over_and_one_is_booked(crowd: Clinic) -> None:
    place = crowd.open(sets=50)
    chair = place.resources["chair"][0]
    hold_id = _held(crowd, place)
    requests = []
    for number in range(50):
        person = str(uuid4())
        own = place.set_of(number) | {"chair_id": chair}
        requests.append(crowd.request(place, person, crowd.plan(person), **own))
    gate = Barrier(50)

    def call(request: pb.BookSessionRequest) -> str:
        gate.wait()
        try:
            return str(crowd.call("BookSession", request, at=NOW + QUARTER).session_id)
        except AlreadyExists as refused:
            return refused.reason

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(call, requests))
    assert results.count("SLOT_TAKEN") == 49
    assert crowd.call("GetHold", pb.GetHoldRequest(hold_id=hold_id)).hold.state == types.HOLD_STATE_EXPIRED
