"""Who waits is offered what becomes free, in order; an offer is a hold, and the next in line has it when it is not taken."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from chassis.values import from_timestamp, to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from tests.scheduling.clinic import NINE, NOW, Clinic, Place

START = NINE + timedelta(days=1)
# The default policy.
TWO_HOURS = timedelta(hours=2)


def _join(
    clinic: Clinic,
    *places: Place,
    at: datetime = NOW,
    earliest: datetime = START,
    latest: datetime = START + timedelta(hours=1),
    person: str = "",
    plan: str = "",
    ordinal: int = 1,
) -> str:
    person = person or str(uuid4())
    request = pb.JoinWaitingListRequest(
        person_id=person,
        plan_id=plan or clinic.plan(person),
        ordinal=ordinal,
        site_ids=[place.site_id for place in places],
        earliest=to_timestamp(earliest),
        latest=to_timestamp(latest),
        infusion_min=40,
    )
    return str(clinic.call("JoinWaitingList", request, at=at).waiting_id)


def _waiting(clinic: Clinic, waiting_id: str, at: datetime = NOW) -> types.Waiting:
    found = clinic.call("GetWaiting", pb.GetWaitingRequest(waiting_id=waiting_id), at=at).waiting
    assert isinstance(found, types.Waiting)
    return found


def test_what_a_cancellation_frees_is_held_for_who_joined_first(clinic: Clinic) -> None:
    place = clinic.open()
    session = clinic.booked(place, starts_at=START).session_id
    later = _join(clinic, place, at=NOW + timedelta(minutes=1))
    first = _join(clinic, place)
    listed = clinic.call("ListWaiting", pb.ListWaitingRequest(site_id=place.site_id)).waiting
    assert [one.waiting_id for one in listed] == [first, later]
    clinic.cancelled(session)
    offered = _waiting(clinic, first)
    assert (offered.state, from_timestamp(offered.offer.starts_at)) == (types.WAITING_STATE_OFFERED, START)
    assert from_timestamp(offered.offer.expires_at) == NOW + TWO_HOURS
    assert _waiting(clinic, later).state == types.WAITING_STATE_WAITING
    with pytest.raises(AlreadyExists):
        clinic.booked(place, starts_at=START)
    accepted = clinic.call("AcceptOffer", pb.AcceptOfferRequest(offer_id=offered.offer.hold_id))
    assert clinic.get(accepted.session_id).person_id == offered.person_id
    assert _waiting(clinic, first).state == types.WAITING_STATE_BOOKED
    assert [
        one.waiting_id for one in clinic.call("ListWaiting", pb.ListWaitingRequest(site_id=place.site_id)).waiting
    ] == [later]


def test_a_declined_offer_goes_to_the_next_and_does_not_come_back(clinic: Clinic) -> None:
    place = clinic.open()
    session = clinic.booked(place, starts_at=START).session_id
    first = _join(clinic, place)
    second = _join(clinic, place, at=NOW + timedelta(minutes=1))
    clinic.cancelled(session)
    offer = _waiting(clinic, first).offer.hold_id
    clinic.call("DeclineOffer", pb.DeclineOfferRequest(offer_id=offer))
    assert _waiting(clinic, first).state == types.WAITING_STATE_WAITING
    assert _waiting(clinic, second).state == types.WAITING_STATE_OFFERED
    clinic.call("DeclineOffer", pb.DeclineOfferRequest(offer_id=_waiting(clinic, second).offer.hold_id))
    assert [_waiting(clinic, one).state for one in (first, second)] == [types.WAITING_STATE_WAITING] * 2
    assert clinic.booked(place, starts_at=START).session_id
    with pytest.raises(FailedPrecondition) as twice:
        clinic.call("DeclineOffer", pb.DeclineOfferRequest(offer_id=offer))
    assert twice.value.reason == "HOLD_NOT_HELD"


def test_an_offer_that_is_thought_over_too_long_goes_to_the_next(clinic: Clinic) -> None:
    place = clinic.open()
    session = clinic.booked(place, starts_at=START).session_id
    first = _join(clinic, place)
    second = _join(clinic, place, at=NOW + timedelta(minutes=1))
    clinic.cancelled(session)
    offer = _waiting(clinic, first).offer.hold_id
    over = NOW + TWO_HOURS
    with pytest.raises(FailedPrecondition) as late:
        clinic.call("AcceptOffer", pb.AcceptOfferRequest(offer_id=offer), at=over)
    assert late.value.reason == "HOLD_EXPIRED"
    swept = clinic.call("ExpireHolds", pb.ExpireHoldsRequest(site_id=place.site_id), at=over)
    assert (swept.released, swept.offered) == (1, 1)
    assert _waiting(clinic, first).state == types.WAITING_STATE_WAITING
    assert from_timestamp(_waiting(clinic, second).offer.expires_at) == over + TWO_HOURS


def test_a_move_a_no_show_and_a_released_hold_free_as_well(clinic: Clinic) -> None:
    place = clinic.open()
    moved = clinic.booked(place, starts_at=START).session_id
    one = _join(clinic, place)
    clinic.agree(clinic.move(moved, START + timedelta(days=2)))
    assert from_timestamp(_waiting(clinic, one).offer.starts_at) == START
    # Declined, it is free for a hold, and that released is offered to the next.
    other = _join(clinic, place, at=NOW + timedelta(minutes=1), latest=START + timedelta(hours=5))
    clinic.call("DeclineOffer", pb.DeclineOfferRequest(offer_id=_waiting(clinic, one).offer.hold_id))
    clinic.call("LeaveWaitingList", pb.LeaveWaitingListRequest(waiting_id=other))
    person = str(uuid4())
    hold = clinic.hold(clinic.hold_request(place, person, clinic.plan(person), starts_at=START))
    third = _join(clinic, place, at=NOW + timedelta(minutes=2))
    clinic.call("ReleaseHold", pb.ReleaseHoldRequest(hold_id=hold.hold_id))
    assert from_timestamp(_waiting(clinic, third).offer.starts_at) == START
    clinic.call("LeaveWaitingList", pb.LeaveWaitingListRequest(waiting_id=third))
    # Who does not come leaves what is left of the time.
    missed = clinic.booked(place, starts_at=START).session_id
    late = START + timedelta(minutes=20)
    fourth = _join(clinic, place, latest=START + timedelta(hours=2))
    clinic.call("RecordNoShow", pb.RecordNoShowRequest(session_id=missed), "nurse", late)
    offer = _waiting(clinic, fourth, late).offer
    assert from_timestamp(offer.starts_at) == late + timedelta(minutes=5)
    # And nobody thinks an offer over past its own start.
    assert from_timestamp(offer.expires_at) == from_timestamp(offer.starts_at)


def test_only_what_fits_the_wishes_and_every_rule_is_offered(clinic: Clinic) -> None:
    here, there = clinic.open(), clinic.open("America/Denver")
    session = clinic.booked(here, starts_at=START).session_id
    elsewhere = _join(clinic, there)
    too_early = _join(clinic, here, earliest=START - timedelta(hours=2), latest=START)
    too_late = _join(clinic, here, earliest=START + timedelta(hours=4), latest=START + timedelta(hours=9))
    # Treated this morning: within the soft interval.
    person = str(uuid4())
    plan = clinic.plan(person)
    clinic.book(clinic.request(there, person, plan))
    near = _join(clinic, here, person=person, plan=plan, ordinal=2)
    held = str(uuid4())
    suspended = _join(clinic, here, person=held, plan=clinic.plan(held))
    wanted = _join(clinic, here, there, at=NOW + timedelta(minutes=1))
    event = plan_events.PlanSuspended(plan_id=_waiting(clinic, suspended).plan_id, person_id=held)
    assert clinic.harness.deliver(event, at=NOW) == "applied"
    clinic.cancelled(session)
    for one in (elsewhere, too_early, too_late, near, suspended):
        assert _waiting(clinic, one).state == types.WAITING_STATE_WAITING
    assert _waiting(clinic, wanted).state == types.WAITING_STATE_OFFERED


def test_who_leaves_is_not_asked_and_gives_back_what_was_held(clinic: Clinic) -> None:
    place = clinic.open()
    session = clinic.booked(place, starts_at=START).session_id
    first = _join(clinic, place)
    second = _join(clinic, place, at=NOW + timedelta(minutes=1))
    clinic.cancelled(session)
    clinic.call("LeaveWaitingList", pb.LeaveWaitingListRequest(waiting_id=first))
    assert _waiting(clinic, first).state == types.WAITING_STATE_LEFT
    assert _waiting(clinic, second).state == types.WAITING_STATE_OFFERED
    with pytest.raises(FailedPrecondition) as twice:
        clinic.call("LeaveWaitingList", pb.LeaveWaitingListRequest(waiting_id=first))
    assert twice.value.reason == "NOT_WAITING"


def test_bad_wishes_are_refused(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    _join(clinic, place, person=person, plan=plan)
    with pytest.raises(AlreadyExists) as twice:
        _join(clinic, place, person=person, plan=plan)
    assert twice.value.reason == "ALREADY_WAITING"
    clinic.book(clinic.request(place, person, plan, ordinal=2))
    with pytest.raises(FailedPrecondition) as booked:
        _join(clinic, place, person=person, plan=plan, ordinal=2)
    assert booked.value.reason == "ORDINAL_BOOKED"
    for earliest, latest in ((START, START), (NOW - TWO_HOURS, NOW)):
        with pytest.raises(InvalidArgument):
            _join(clinic, place, earliest=earliest, latest=latest)
    with pytest.raises(NotFound):
        _join(clinic, Place(str(uuid4())))
    plain = clinic.hold(clinic.hold_request(place, person, plan, starts_at=START + timedelta(days=3), ordinal=3))
    for offer_id in (str(uuid4()), plain.hold_id):
        with pytest.raises(NotFound) as none:
            clinic.call("AcceptOffer", pb.AcceptOfferRequest(offer_id=offer_id))
        assert none.value.field == "offer_id"
