"""Cancelled, arrived, missed, fulfilled: what each frees, and what each refuses."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, Clinic


def _arrive(clinic: Clinic, session_id: str) -> None:
    clinic.checked(session_id)
    clinic.harness.call("RecordArrival", pb.RecordArrivalRequest(session_id=session_id), role="nurse", at=NINE)


def _started(clinic: Clinic, session_id: str) -> device_events.InfusionStarted:
    return device_events.InfusionStarted(
        session_id=session_id,
        person_id=str(uuid4()),
        site_id=str(uuid4()),
        order_id=str(uuid4()),
        pump_id=str(uuid4()),
        started_at=to_timestamp(NINE),
        start_total_ml="0",
    )


def test_a_cancelled_session_frees_everything_and_its_ordinal(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    request = clinic.request(place, person, clinic.plan(person))
    first = clinic.book(request).session_id
    clinic.cancelled(first)
    assert clinic.get(first).state == types.BOOKING_STATE_CANCELLED
    assert clinic.harness.events(events.SessionCancelled)[0].reason_code == "person.asked"
    assert clinic.book(request).session_id != first
    with pytest.raises(FailedPrecondition) as refused:
        clinic.cancelled(first)
    assert refused.value.reason == "BOOKING_STATE"


def test_an_arrival_is_recorded_once(clinic: Clinic) -> None:
    session = clinic.booked(clinic.open()).session_id
    _arrive(clinic, session)
    assert clinic.get(session).state == types.BOOKING_STATE_ARRIVED
    assert clinic.harness.events(events.PatientArrived)[0].arrived_at == to_timestamp(NINE)
    with pytest.raises(FailedPrecondition):
        clinic.call("RecordArrival", pb.RecordArrivalRequest(session_id=session), "nurse")
    with pytest.raises(NotFound):
        clinic.call("RecordArrival", pb.RecordArrivalRequest(session_id=str(uuid4())), "nurse")


def test_nobody_is_missed_before_the_time_or_after_an_arrival(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    request = clinic.request(place, person, clinic.plan(person))
    session = clinic.book(request).session_id
    missed = pb.RecordNoShowRequest(session_id=session)
    # The default policy waits for a quarter of an hour.
    with pytest.raises(FailedPrecondition) as early:
        clinic.harness.call("RecordNoShow", missed, role="nurse", at=NINE + timedelta(minutes=15, seconds=-1))
    assert early.value.reason == "BOOKING_NOT_DUE"
    clinic.harness.call("RecordNoShow", missed, role="nurse", at=NINE + timedelta(minutes=15))
    assert clinic.get(session).state == types.BOOKING_STATE_NO_SHOW
    assert len(clinic.harness.events(events.NoShowRecorded)) == 1
    assert clinic.call("CountNoShows", pb.CountNoShowsRequest(person_id=person)).no_shows == 1
    assert clinic.call("CountNoShows", pb.CountNoShowsRequest(person_id=str(uuid4()))).no_shows == 0
    again = clinic.book(request).session_id
    _arrive(clinic, again)
    with pytest.raises(FailedPrecondition) as there:
        clinic.harness.call("RecordNoShow", pb.RecordNoShowRequest(session_id=again), role="nurse", at=NINE)
    assert there.value.reason == "BOOKING_STATE"


def test_a_running_infusion_fulfils_the_booking_and_keeps_its_claims(clinic: Clinic) -> None:
    place = clinic.open()
    session = clinic.booked(place).session_id
    assert clinic.harness.deliver(_started(clinic, session), at=NINE) == "applied"
    assert clinic.get(session).state == types.BOOKING_STATE_FULFILLED
    with pytest.raises(FailedPrecondition) as refused:
        clinic.cancel(session)
    assert refused.value.reason == "BOOKING_STATE"
    with pytest.raises(AlreadyExists):
        clinic.booked(place)


@pytest.mark.parametrize("kind", [device_events.InfusionCompleted, device_events.InfusionAborted])
def test_the_end_of_an_infusion_fulfils_as_well_and_comes_twice_without_harm(
    clinic: Clinic, kind: type[device_events.InfusionCompleted | device_events.InfusionAborted]
) -> None:
    session = clinic.booked(clinic.open()).session_id
    event = kind(session_id=session, person_id=str(uuid4()), site_id=str(uuid4()), order_id=str(uuid4()))
    assert [clinic.harness.deliver(event, at=NINE) for _ in range(2)] == ["applied", "applied"]
    assert clinic.get(session).state == types.BOOKING_STATE_FULFILLED


def test_an_infusion_of_a_session_that_nobody_booked_is_parked_for_an_operator(clinic: Clinic) -> None:
    assert clinic.harness.deliver(_started(clinic, str(uuid4())), at=NINE) == "poison"
