"""Move and cancel as a saga over plan and devices: every answer, refusal, repetition, delay and silence.

Each branch of the change of a session is scripted here against the real service: what was sent, what stands at the end.
"""

from datetime import datetime, timedelta
from itertools import permutations
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from chassis.testing import ServiceHarness
from chassis.values import from_timestamp, to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.policy.v1 import service_pb2 as policy_pb
from saguaro.policy.v1 import types_pb2 as policy_types
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.app import INDEX
from scheduling.timers import changes_without_answer
from tests.scheduling.clinic import NINE, NOW, PRIVILEGED, Clinic, setting_aside

NEXT_DAY = NINE + timedelta(days=1)
LATER = NOW + timedelta(minutes=2)


def _booked(clinic: Clinic) -> str:
    return clinic.booked(clinic.open()).session_id


def _claims(clinic: Clinic, *, active: bool = True) -> list[tuple[str, datetime]]:
    with clinic.harness.database.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT kind, lower(during) FROM claim WHERE active = :active ORDER BY kind, lower(during)"),
            {"active": active},
        )
        return [(row[0], row[1]) for row in rows]


def _started(session_id: str) -> device_events.InfusionStarted:
    return device_events.InfusionStarted(
        session_id=session_id,
        person_id=str(uuid4()),
        site_id=str(uuid4()),
        order_id=str(uuid4()),
        pump_id=str(uuid4()),
        started_at=to_timestamp(NINE),
        start_total_ml="0",
    )


def _time_out_at_once(clinic: Clinic) -> None:
    row = policy_types.PolicyRow(
        policy_set="policy_number",
        key=[policy_types.PolicyField(name="policy_code", value="change_answer_s")],
        values=[policy_types.PolicyField(name="value", value="0"), policy_types.PolicyField(name="unit", value="s")],
        effective_from=to_timestamp(NOW),
        source="house policy",
    )
    clinic.call("PublishPolicy", policy_pb.PublishPolicyRequest(row=row), "medical_director")


def _run_timer(clinic: Clinic) -> None:
    with clinic.harness.database.unit_of_work(clinic.harness.context(at=NOW + timedelta(days=9))) as uow:
        changes_without_answer.run(uow)


def test_a_cancellation_is_proposed_and_the_session_stands_meanwhile(clinic: Clinic) -> None:
    session = _booked(clinic)
    before = _claims(clinic)
    request = pb.CancelSessionRequest(session_id=session, reason_code="person.asked")
    answer = clinic.call("CancelSession", request)
    assert (answer.session_id, answer.state) == (session, types.CHANGE_STATE_PROPOSED)
    (proposed,) = clinic.harness.events(events.SessionChangeProposed)
    assert (proposed.change_id, proposed.kind, proposed.reason_code) == (answer.change_id, "cancel", "person.asked")
    booking = clinic.get(session)
    assert (booking.state, booking.pending_change_id) == (types.BOOKING_STATE_BOOKED, answer.change_id)
    assert _claims(clinic) == before
    assert clinic.harness.events(events.SessionCancelled) == []


@pytest.mark.parametrize("first", ["plan", "devices"])
def test_both_agree_in_either_order_and_the_session_is_cancelled(clinic: Clinic, first: str) -> None:
    session = _booked(clinic)
    change = clinic.cancel(session)
    answers = [clinic.plan_says(change), clinic.devices_say(change)]
    one, other = answers if first == "plan" else reversed(answers)
    assert clinic.harness.deliver(one, at=LATER) == "applied"
    assert clinic.change(change).state == types.CHANGE_STATE_PROPOSED
    assert clinic.get(session).state == types.BOOKING_STATE_BOOKED
    assert clinic.harness.deliver(other, at=LATER) == "applied"
    assert clinic.change(change).state == types.CHANGE_STATE_DONE
    assert clinic.get(session).state == types.BOOKING_STATE_CANCELLED
    assert _claims(clinic) == []
    (cancelled,) = clinic.harness.events(events.SessionCancelled)
    assert (cancelled.session_id, cancelled.reason_code) == (session, "person.asked")
    assert from_timestamp(cancelled.cancelled_at) == LATER


@pytest.mark.parametrize("kind", ["move", "cancel"])
@pytest.mark.parametrize(
    ("side", "reason"), [("plan", "infusion.started"), ("devices", "devices.infusing"), ("devices", "")]
)
@pytest.mark.parametrize("other_first", [True, False])
def test_one_no_leaves_the_old_booking_untouched(
    clinic: Clinic, kind: str, side: str, reason: str, other_first: bool
) -> None:
    session = _booked(clinic)
    before, claims = clinic.get(session), _claims(clinic)
    change = clinic.cancel(session) if kind == "cancel" else clinic.move(session, NEXT_DAY)
    no = (clinic.plan_says if side == "plan" else clinic.devices_say)(change, False, reason)
    yes = (clinic.devices_say if side == "plan" else clinic.plan_says)(change)
    for event in (yes, no) if other_first else (no, yes):
        assert clinic.harness.deliver(event, at=LATER) == "applied"
    found = clinic.change(change)
    assert (found.state, found.refused_reason_code) == (types.CHANGE_STATE_REFUSED, reason or "not.accepted")
    assert clinic.get(session) == before
    assert _claims(clinic) == claims
    (refused,) = clinic.harness.events(events.SessionChangeRefused)
    assert (refused.change_id, refused.reason_code) == (change, reason or "not.accepted")
    assert clinic.harness.events(events.SessionCancelled) == clinic.harness.events(events.SessionMoved) == []


def test_a_move_holds_the_new_time_and_keeps_the_old_until_both_agreed(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    session = clinic.booked(place).session_id
    change = clinic.move(session, NEXT_DAY, **place.set_of(1))
    (proposed,) = clinic.harness.events(events.SessionChangeProposed)
    assert (proposed.kind, from_timestamp(proposed.starts_at)) == ("move", NEXT_DAY)
    assert proposed.chair_id == place.resources["chair"][1]
    for taken in ({"starts_at": NINE}, {"starts_at": NEXT_DAY, **place.set_of(1)}):
        with pytest.raises(AlreadyExists):
            clinic.booked(place, **taken)
    clinic.agree(change, LATER)
    booking = clinic.get(session)
    assert from_timestamp(booking.starts_at) == NEXT_DAY
    assert from_timestamp(booking.infusion_starts_at) == NEXT_DAY + timedelta(minutes=15)
    assert (booking.chair_id, booking.moves) == (place.resources["chair"][1], 1)
    (moved,) = clinic.harness.events(events.SessionMoved)
    assert (moved.change_id, from_timestamp(moved.starts_at), moved.chair_id) == (change, NEXT_DAY, booking.chair_id)
    # The old time is free, the new one is not.
    assert clinic.booked(place).session_id
    with pytest.raises(AlreadyExists):
        clinic.booked(place, starts_at=NEXT_DAY, **place.set_of(1))
    assert len(_claims(clinic)) == 10


@pytest.mark.parametrize("minutes", [-30, 30, 200])
def test_a_move_over_its_own_old_time_and_into_its_own_interval(clinic: Clinic, minutes: int) -> None:
    """Only what the session does not hold already is claimed anew, so no claim of a session stands against another."""
    place = clinic.open()
    session = clinic.booked(place).session_id
    wanted = NINE + timedelta(minutes=minutes)
    change = clinic.move(session, wanted)
    for start in (NINE, wanted):
        with pytest.raises(AlreadyExists):
            clinic.booked(place, starts_at=start)
    clinic.agree(change)
    assert from_timestamp(clinic.get(session).starts_at) == wanted
    assert _claims(clinic) == [
        ("chair", wanted),
        ("monitor", wanted),
        ("nurse", wanted),
        ("person", wanted + timedelta(minutes=15)),
        ("pump", wanted),
    ]


def test_a_move_of_one_session_leaves_the_others_of_the_series_alone(clinic: Clinic) -> None:
    """'reschedule #3 of 6, others unchanged'."""
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    starts = [NINE + timedelta(days=day) for day in (0, 2, 4, 6)]
    sessions = [
        clinic.book(clinic.request(place, person, plan, ordinal=n + 1, starts_at=start)).session_id
        for n, start in enumerate(starts)
    ]
    others = [clinic.get(one) for one in (sessions[0], sessions[1], sessions[3])]
    clinic.agree(clinic.move(sessions[2], starts[2] + timedelta(hours=1)))
    assert from_timestamp(clinic.get(sessions[2]).starts_at) == starts[2] + timedelta(hours=1)
    assert [clinic.get(one) for one in (sessions[0], sessions[1], sessions[3])] == others


def test_a_move_keeps_every_rule_of_a_booking(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    first = clinic.book(clinic.request(place, person, plan)).session_id
    other = clinic.book(clinic.request(place, person, plan, ordinal=2, starts_at=NINE + timedelta(days=4))).session_id
    taken = clinic.booked(place, starts_at=NINE + timedelta(days=6)).session_id
    before = _claims(clinic)
    with pytest.raises(AlreadyExists) as held:
        clinic.move(other, NINE + timedelta(days=6))
    assert held.value.ids["chair_held_by_session_id"] == taken
    with pytest.raises(AlreadyExists) as hard:
        clinic.move(other, NINE + timedelta(hours=24))
    assert hard.value.ids["person_held_by_session_id"] == first
    soft = NINE + timedelta(hours=30)
    with pytest.raises(FailedPrecondition) as near:
        clinic.move(other, soft)
    assert near.value.reason == "INTERVAL_TOO_SHORT"
    with pytest.raises(InvalidArgument):
        clinic.move(other, NOW)
    with pytest.raises(InvalidArgument):
        clinic.move(other, NINE + timedelta(days=4))
    with pytest.raises(FailedPrecondition) as off:
        clinic.move(other, NINE + timedelta(days=20))
    assert off.value.reason == "NURSE_NOT_ON_SHIFT"
    assert _claims(clinic) == before
    assert clinic.harness.events(events.SessionChangeProposed) == []
    change = clinic.move(other, soft, role=PRIVILEGED, override=setting_aside("interval.soft"))
    clinic.agree(change)
    (kept,) = clinic.get(other).overrides
    assert (kept.rule, kept.role) == ("interval.soft", PRIVILEGED)


def test_a_move_lets_go_a_hold_that_is_over(clinic: Clinic) -> None:
    place = clinic.open()
    session = clinic.booked(place).session_id
    person = str(uuid4())
    clinic.hold(clinic.hold_request(place, person, clinic.plan(person), starts_at=NEXT_DAY))
    request = pb.MoveSessionRequest(session_id=session, starts_at=to_timestamp(NEXT_DAY), reason_code="person.asked")
    with pytest.raises(AlreadyExists):
        clinic.call("MoveSession", request)
    assert clinic.call("MoveSession", request, at=NOW + timedelta(minutes=15)).change_id


def test_while_a_change_waits_nothing_else_is_done_with_the_session(clinic: Clinic) -> None:
    session = _booked(clinic)
    change = clinic.cancel(session)
    clinic_calls = (
        lambda: clinic.cancel(session),
        lambda: clinic.move(session, NEXT_DAY),
        lambda: clinic.call("RecordArrival", pb.RecordArrivalRequest(session_id=session), "nurse", NINE),
        lambda: clinic.call("RecordNoShow", pb.RecordNoShowRequest(session_id=session), "nurse", NEXT_DAY),
    )
    for call in clinic_calls:
        with pytest.raises(FailedPrecondition) as refused:
            call()
        assert (refused.value.reason, refused.value.ids["change_id"]) == ("CHANGE_PENDING", change)
    clinic.harness.deliver(clinic.plan_says(change, False, "infusion.started"), at=LATER)
    # Refused, it may be tried again.
    again = clinic.cancel(session)
    clinic.agree(again)
    assert clinic.get(session).state == types.BOOKING_STATE_CANCELLED


def test_without_an_answer_in_time_the_change_is_refused_and_late_answers_change_nothing(clinic: Clinic) -> None:
    session = _booked(clinic)
    before = clinic.get(session)
    change = clinic.move(session, NEXT_DAY)
    clinic.harness.deliver(clinic.plan_says(change), at=LATER)
    _run_timer(clinic)
    # The default policy waits for a minute of the machine's clock.
    assert clinic.change(change).state == types.CHANGE_STATE_PROPOSED
    clinic.harness.deliver(clinic.devices_say(change, False, "devices.infusing"), at=LATER)
    _time_out_at_once(clinic)
    silent = clinic.cancel(session)
    _run_timer(clinic)
    found = clinic.change(silent)
    assert (found.state, found.refused_reason_code) == (types.CHANGE_STATE_REFUSED, "no.answer")
    assert from_timestamp(found.settled_at) == NOW
    for late in (clinic.plan_says(silent), clinic.devices_say(silent)):
        assert clinic.harness.deliver(late, at=LATER) == "applied"
    assert clinic.change(silent) == found
    assert clinic.get(session) == before
    reasons = [event.reason_code for event in clinic.harness.events(events.SessionChangeRefused)]
    assert reasons == ["devices.infusing", "no.answer"]
    assert clinic.harness.events(events.SessionCancelled) == []


def test_every_answer_twice_and_in_any_order_ends_the_same(clinic: Clinic) -> None:
    for order in sorted(set(permutations("ppdd"))):
        session = _booked(clinic)
        change = clinic.cancel(session)
        for side in order:
            event = clinic.plan_says(change) if side == "p" else clinic.devices_say(change)
            assert clinic.harness.deliver(event, at=LATER) == "applied"
        assert clinic.get(session).state == types.BOOKING_STATE_CANCELLED
    assert len(clinic.harness.events(events.SessionCancelled)) == 6


def test_a_no_after_a_yes_of_the_same_side_is_not_heard(clinic: Clinic) -> None:
    session = _booked(clinic)
    change = clinic.cancel(session)
    clinic.harness.deliver(clinic.plan_says(change), at=LATER)
    clinic.harness.deliver(clinic.plan_says(change, False, "infusion.started"), at=LATER)
    assert clinic.change(change).state == types.CHANGE_STATE_PROPOSED
    clinic.harness.deliver(clinic.devices_say(change), at=LATER)
    assert clinic.change(change).state == types.CHANGE_STATE_DONE


def test_an_answer_to_an_earlier_change_is_not_one_to_the_next(clinic: Clinic) -> None:
    session = _booked(clinic)
    first = clinic.move(session, NEXT_DAY)
    late = clinic.devices_say(first)
    clinic.harness.deliver(clinic.plan_says(first, False, "infusion.started"), at=LATER)
    second = clinic.cancel(session)
    clinic.harness.deliver(late, at=LATER)
    assert clinic.change(second).devices_answer == types.CHANGE_ANSWER_AWAITED
    clinic.agree(second)
    assert clinic.get(session).state == types.BOOKING_STATE_CANCELLED


def test_an_infusion_that_started_meanwhile_refuses_the_change(clinic: Clinic) -> None:
    session = _booked(clinic)
    change = clinic.move(session, NEXT_DAY)
    clinic.harness.deliver(clinic.plan_says(change), at=NINE)
    clinic.harness.deliver(_started(session), at=NINE)
    assert clinic.change(change).refused_reason_code == "infusion.started"
    clinic.harness.deliver(clinic.devices_say(change), at=NINE)
    booking = clinic.get(session)
    assert (booking.state, from_timestamp(booking.starts_at)) == (types.BOOKING_STATE_FULFILLED, NINE)
    assert len(_claims(clinic)) == 5
    assert clinic.harness.events(events.SessionMoved) == []


def test_killed_between_any_two_steps_another_process_goes_on(clinic: Clinic) -> None:
    """Nothing of a change lives in a process: each step is taken by one that knows only the database."""
    session = _booked(clinic)
    change = clinic.move(session, NEXT_DAY)
    for event in (clinic.plan_says(change), clinic.devices_say(change)):
        clinic = Clinic(ServiceHarness(INDEX, clinic.harness.database))
        record = clinic.harness.record_of(event, at=LATER)
        clinic.harness.deliver_records(record)
    assert from_timestamp(clinic.get(session).starts_at) == NEXT_DAY
    assert len(clinic.harness.events(events.SessionMoved)) == 1


def test_killed_in_the_middle_of_a_step_the_step_is_taken_whole_later(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = _booked(clinic)
    change = clinic.move(session, NEXT_DAY)
    clinic.harness.deliver(clinic.plan_says(change), at=LATER)
    before = (clinic.get(session), clinic.change(change), _claims(clinic))

    class _Killed(BaseException):
        pass

    def die(*_args: object) -> None:
        raise _Killed

    record = clinic.harness.record_of(clinic.devices_say(change), at=LATER)
    with monkeypatch.context() as patched:
        patched.setattr("scheduling.commands.settle_change.offer_freed", die)
        with pytest.raises(_Killed):
            clinic.harness.deliver_records(record)
    assert (clinic.get(session), clinic.change(change), _claims(clinic)) == before
    assert clinic.harness.events(events.SessionMoved) == []
    again = Clinic(ServiceHarness(INDEX, clinic.harness.database))
    again.harness.deliver_records(record)
    assert again.change(change).state == types.CHANGE_STATE_DONE
    assert len(again.harness.events(events.SessionMoved)) == 1


def test_a_repeated_call_proposes_once(clinic: Clinic) -> None:
    session = _booked(clinic)
    request = pb.CancelSessionRequest(request_id=str(uuid4()), session_id=session, reason_code="person.asked")
    first, second = clinic.call("CancelSession", request), clinic.call("CancelSession", request)
    assert first == second
    clinic.agree(first.change_id)
    # The same answer, with the state of now.
    assert clinic.call("CancelSession", request).state == types.CHANGE_STATE_DONE
    assert len(clinic.harness.events(events.SessionChangeProposed)) == 1


def test_what_cannot_be_changed_is_refused(clinic: Clinic) -> None:
    session = _booked(clinic)
    with pytest.raises(NotFound):
        clinic.cancel(str(uuid4()))
    with pytest.raises(NotFound):
        clinic.change(str(uuid4()))
    stranger = device_events.SessionChangeAnswered(change_id=str(uuid4()), session_id=str(uuid4()), accepted=True)
    assert clinic.harness.deliver(stranger, at=LATER) == "poison"
    clinic.checked(session)
    clinic.call("RecordArrival", pb.RecordArrivalRequest(session_id=session), "nurse", NINE)
    with pytest.raises(FailedPrecondition) as arrived:
        clinic.move(session, NEXT_DAY)
    assert arrived.value.reason == "BOOKING_STATE"
    clinic.cancelled(session)
    assert clinic.get(session).state == types.BOOKING_STATE_CANCELLED
