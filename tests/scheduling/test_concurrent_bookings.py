"""Fifty at once for one chair, and fifty at once for one person at two sites: one is booked, the others hear who holds what."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

from chassis.errors import AlreadyExists
from chassis.records import Record
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
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
    """'50 parallel bookings for 1 chair -> exactly 1 success'."""
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


def test_thirty_move_to_one_time_of_one_chair_and_one_does(crowd: Clinic) -> None:
    movers = 30
    place = crowd.open(sets=movers)
    sessions = [crowd.booked(place, **place.set_of(number)).session_id for number in range(movers)]
    chair = place.resources["chair"][0]
    wanted = NINE + timedelta(days=2)
    gate = Barrier(movers)

    def call(session: str) -> str:
        gate.wait()
        try:
            return crowd.move(session, wanted, chair_id=chair)
        except AlreadyExists as refused:
            return refused.reason

    with ThreadPoolExecutor(movers) as pool:
        results = list(pool.map(call, sessions))
    (change,) = [one for one in results if one != "SLOT_TAKEN"]
    crowd.agree(change)
    moved = [one for one in sessions if crowd.get(one).moves]
    assert len(moved) == 1
    assert crowd.get(moved[0]).chair_id == chair


def test_both_answers_at_one_moment_end_the_change_once(crowd: Clinic) -> None:
    """The two topics are read by processes of their own."""
    place = crowd.open(sets=10)
    for number in range(10):
        session = crowd.booked(place, **place.set_of(number)).session_id
        change = crowd.cancel(session)
        gate = Barrier(2)

        records = [crowd.harness.record_of(event(change), at=NINE) for event in (crowd.plan_says, crowd.devices_say)]

        def answer(record: Record, gate: Barrier = gate) -> str:
            gate.wait()
            return crowd.harness.deliver_records(record)[0]

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(answer, records)) == ["applied", "applied"]
        assert crowd.change(change).state == types.CHANGE_STATE_DONE
    assert len(crowd.harness.events(events.SessionCancelled)) == 10
