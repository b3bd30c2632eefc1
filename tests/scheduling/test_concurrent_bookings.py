"""Fifty at once for one chair, and fifty at once for one person at two sites: one is booked, the others hear who holds what."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

from chassis.errors import AlreadyExists
from saguaro.scheduling.v1 import service_pb2 as pb
from tests.scheduling.clinic import NINE, Clinic

CALLERS = 50


def _all_at_once(clinic: Clinic, requests: Sequence[pb.BookSessionRequest]) -> tuple[list[str], list[AlreadyExists]]:
    """The sessions booked and the refusals; any other error is raised here."""
    gate = Barrier(len(requests))

    def call(request: pb.BookSessionRequest) -> str | AlreadyExists:
        gate.wait()
        try:
            return clinic.book(request).session_id
        except AlreadyExists as refused:
            return refused

    with ThreadPoolExecutor(len(requests)) as pool:
        results = list(pool.map(call, requests))
    return [one for one in results if isinstance(one, str)], [one for one in results if isinstance(one, AlreadyExists)]


def test_fifty_for_one_chair(crowd: Clinic) -> None:
    place = crowd.open(sets=CALLERS)
    chair = place.resources["chair"][0]
    requests = []
    for number in range(CALLERS):
        person = str(uuid4())
        own = place.set_of(number) | {"chair_id": chair}
        requests.append(crowd.request(place, person, crowd.plan(person), **own))
    booked, refused = _all_at_once(crowd, requests)
    assert len(booked) == 1
    assert len(refused) == CALLERS - 1
    for one in refused:
        assert one.reason == "SLOT_TAKEN"
        assert one.ids == {"chair_id": chair, "chair_held_by_session_id": booked[0]}


def test_fifty_for_one_person_at_two_sites(crowd: Clinic) -> None:
    places = [crowd.open(sets=CALLERS // 2), crowd.open(sets=CALLERS // 2)]
    person = str(uuid4())
    plans = [crowd.plan(person, sessions=40) for _ in range(2)]
    requests = [
        crowd.request(places[n % 2], person, plans[n % 2], ordinal=1 + n // 2, **places[n % 2].set_of(n // 2))
        for n in range(CALLERS)
    ]
    booked, refused = _all_at_once(crowd, requests)
    assert len(booked) == 1
    assert len(refused) == CALLERS - 1
    for one in refused:
        assert one.reason == "SLOT_TAKEN"
        assert one.ids == {"person_id": person, "person_held_by_session_id": booked[0]}


def test_fifty_for_one_ordinal_hear_of_the_one_that_was_first(crowd: Clinic) -> None:
    place = crowd.open(sets=CALLERS)
    person = str(uuid4())
    plan = crowd.plan(person)
    requests = [crowd.request(place, person, plan, **place.set_of(number)) for number in range(CALLERS)]
    booked, refused = _all_at_once(crowd, requests)
    assert len(booked) == 1
    assert {one.ids.get("person_held_by_session_id") for one in refused} == {booked[0]}


def test_a_tangle_of_shared_resources_ends_without_a_deadlock(crowd: Clinic) -> None:
    """Every caller shares each of its resources with others, in another combination: the classic way to deadlock."""
    place = crowd.open(sets=5)
    requests = []
    for number in range(CALLERS):
        person = str(uuid4())
        mixed = {
            f"{kind}_id": ids[(number * step + number // 5) % 5]
            for step, (kind, ids) in enumerate(place.resources.items(), start=1)
        }
        starts_at = NINE + timedelta(minutes=5 * (number % 7))
        requests.append(crowd.request(place, person, crowd.plan(person), starts_at=starts_at, **mixed))
    booked, refused = _all_at_once(crowd, requests)
    assert len(booked) + len(refused) == CALLERS
    assert 1 <= len(booked) <= 5
    assert all(one.reason == "SLOT_TAKEN" for one in refused)
