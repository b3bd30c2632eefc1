"""What is offered can be booked, and nothing that can be booked on the grid is kept back for the longest visit."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import InvalidArgument, NotFound
from chassis.values import from_timestamp, to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from tests.scheduling.clinic import NINE, NOW, Clinic, Place


def _find(clinic: Clinic, place: Place, hours: float, *, size: int = 500) -> list[pb.FreeTime]:
    found: list[pb.FreeTime] = []
    token = ""
    while True:
        request = pb.FindFreeTimesRequest(
            site_id=place.site_id,
            from_time=to_timestamp(NOW),
            until_time=to_timestamp(NOW + timedelta(hours=hours)),
            infusion_min=40,
            page_size=size,
            page_token=token,
        )
        answer = clinic.harness.call("FindFreeTimes", request, role="scheduler", at=NOW)
        found += answer.free_times
        token = answer.next_page_token
        if not token:
            return found


def test_starts_lie_in_the_future_on_the_grid_inside_shifts(clinic: Clinic) -> None:
    place = clinic.open(shift=False)
    # From 08:30 to 12:00: the longest visit of 175 minutes fits from 08:30 to 09:05.
    clinic.shift(place.resources["nurse"][0], place.site_id, NOW + timedelta(minutes=30), NOW + timedelta(minutes=240))
    starts = [from_timestamp(one.starts_at) for one in _find(clinic, place, 6)]
    assert starts == [NOW + timedelta(minutes=minute) for minute in range(30, 66, 5)]


def test_every_offer_can_be_booked_and_taken_times_are_not_offered(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    clinic.booked(place)
    clinic.booked(place, starts_at=NINE + timedelta(hours=1), **place.set_of(1))
    offers = _find(clinic, place, 8)
    # Both sets are taken until the first is clean again at 12:05; before 09:00 there is no room for 175 minutes.
    assert from_timestamp(offers[0].starts_at) == NINE + timedelta(minutes=185)
    for offer in (offers[0], offers[-1]):
        chosen = {f"{kind}_id": getattr(offer, f"{kind}_id") for kind in place.resources}
        assert clinic.booked(place, starts_at=from_timestamp(offer.starts_at), **chosen).session_id


def test_pages_put_together_are_the_whole(clinic: Clinic) -> None:
    place = clinic.open()
    whole = _find(clinic, place, 3)
    assert len(whole) == 35
    assert _find(clinic, place, 3, size=8) == whole


def test_bad_questions_are_refused(clinic: Clinic) -> None:
    place = clinic.open()
    with pytest.raises(NotFound):
        _find(clinic, Place(str(uuid4())), 1)
    with pytest.raises(InvalidArgument) as long:
        _find(clinic, place, 24 * 31 + 1)
    assert long.value.field == "until_time"
    with pytest.raises(InvalidArgument):
        _find(clinic, place, 0)


def test_bookings_are_listed_by_start_in_pages(clinic: Clinic) -> None:
    place = clinic.open(sets=3)
    sessions = [
        clinic.booked(place, starts_at=NINE + timedelta(minutes=10 * number), **place.set_of(number)).session_id
        for number in range(3)
    ]
    listed: list[str] = []
    token = ""
    pages = 0
    while token or not pages:
        pages += 1
        request = pb.ListBookingsRequest(
            site_id=place.site_id,
            from_time=to_timestamp(NINE),
            until_time=to_timestamp(NINE + timedelta(hours=1)),
            page_size=2,
            page_token=token,
        )
        answer = clinic.harness.call("ListBookings", request, role="nurse", at=NOW)
        listed += [one.session_id for one in answer.bookings]
        token = answer.next_page_token
    assert (listed, pages) == (sessions, 2)
