"""An alarm that nobody acknowledges is told again, by the session's clock; states as in IEC 60601-1-8."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from device_telemetry.domain import codes, session_log
from device_telemetry.domain.findings import AlarmAgain, AlarmOn, Finding
from device_telemetry.domain.session_log import Facts, ReceivedFrame
from device_telemetry.domain.session_state import SessionState
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import (
    MONITOR,
    PUMP,
    START,
    START_MS,
    default_limits,
    frame,
    received,
    usable,
)
from tests.device_telemetry.ward import Ward

HR = codes.HEART_RATE
FACTS = Facts(default_limits())


def told(frames: list[ReceivedFrame], facts: Facts = FACTS) -> list[tuple[int, str, int]]:
    """Repetition, who, and seconds after the start, of the alarm of the lowest heart rate."""
    state = SessionState("one")
    found: list[Finding] = [item for frame in frames for item in session_log.apply(state, frame, facts) or ()]
    stop = next(item.alarm_id for item in found if isinstance(item, AlarmOn) and item.kind == "hr.low.stop")
    return [
        (item.repetition, item.who, (item.at_ms - START_MS) // 1000)
        for item in found
        if isinstance(item, AlarmAgain) and item.alarm_id == stop
    ]


def low(seconds: range) -> list[ReceivedFrame]:
    """A heart rate of 39, in a frame each."""
    return [received(MONITOR, number, usable(HR, [(float(at), 39.0)])) for number, at in enumerate(seconds, start=1)]


def test_the_nurse_then_the_charge_nurse_then_the_prescriber_then_again() -> None:
    """'unacked alarm re-notifies'; escalated nurse, charge nurse, prescriber; after the last one at the same distance."""
    assert told(low(range(0, 301, 10))) == [
        (1, "nurse", 60), (2, "charge_nurse", 120), (3, "prescriber", 180), (4, "prescriber", 240), (5, "prescriber", 300),
    ]  # fmt: skip


def test_a_long_frame_tells_each_of_the_line_and_the_rest_once() -> None:
    """The session's clock may leap: nobody of the line is left out, and nobody is told the same thing ten times."""
    frames = [*low(range(1)), received(PUMP, 1, at_s=600.0)]
    assert told(frames) == [(1, "nurse", 60), (2, "charge_nurse", 120), (3, "prescriber", 180), (10, "prescriber", 600)]


def test_an_acknowledged_alarm_is_not_told_again() -> None:
    """The condition may go on: who has seen it is not told of it again."""
    state = SessionState("one")
    session_log.apply(state, low(range(1))[0], FACTS)
    facts = replace(FACTS, acknowledged=frozenset(state.active.values()))
    found = session_log.apply(state, received(PUMP, 1, at_s=600.0), facts) or ()
    again = {item.alarm_id for item in found if isinstance(item, AlarmAgain)}
    assert not again & facts.acknowledged


def test_nothing_is_told_of_what_is_over() -> None:
    """A value inside the limit ends the condition, and the telling with it."""
    frames = [*low(range(0, 51, 10)), received(MONITOR, 99, usable(HR, [(55.0, 70.0)])), received(PUMP, 1, at_s=70.0)]
    assert told(frames) == []


def test_repeats_are_events_and_stand_with_the_alarm(ward: Ward) -> None:
    """AlarmRepeated says how often and to whom; ListAlarms shows the last one, who acknowledged and when."""
    ward.attach(MONITOR)
    ward.read(*[frame(MONITOR, number, usable(HR, [(number * 10.0, 39.0)])) for number in range(1, 15)])
    repeated = [event for event in ward.harness.events(events.AlarmRepeated) if event.priority == 3]
    assert [(event.repetition, event.escalated_to) for event in repeated] == [(1, "nurse"), (2, "charge_nurse")]
    alarm = next(item for item in listed(ward) if item.kind_code == "hr.low.stop")
    assert (alarm.state, alarm.repetitions, alarm.escalated_to) == ("active", 2, "charge_nurse")
    request = pb.AcknowledgeAlarmRequest(alarm_id=alarm.alarm_id)
    ward.harness.call("AcknowledgeAlarm", request, role="nurse", at=START + timedelta(seconds=141))
    ward.read(*[frame(MONITOR, number, usable(HR, [(number * 10.0, 39.0)])) for number in range(15, 30)])
    alarm = next(item for item in listed(ward) if item.kind_code == "hr.low.stop")
    assert (alarm.state, alarm.repetitions) == ("acknowledged", 2)
    assert alarm.acknowledged_by == str(ward.harness.actor_id)
    assert alarm.acknowledged_at.ToDatetime(tzinfo=START.tzinfo) == START + timedelta(seconds=141)
    ward.read(frame(MONITOR, 30, usable(HR, [(300.0, 70.0)])))
    alarm = next(item for item in listed(ward) if item.kind_code == "hr.low.stop")
    assert (alarm.state, alarm.active) == ("inactive", False)


def test_a_high_alarm_latches_until_it_is_acknowledged(ward: Ward) -> None:
    """IEC 60601-1-8: 'active, inactive, latched, ... acknowledged'; a caution is over when its condition is."""
    ward.attach(MONITOR)
    ward.read(frame(MONITOR, 1, usable(HR, [(0.0, 39.0), (1.0, 70.0)])))
    assert {item.kind_code: item.state for item in listed(ward)} == {
        "hr.low.stop": "latched", "hr.low.caution": "inactive",
    }  # fmt: skip
    alarm = next(item for item in listed(ward) if item.state == "latched")
    ward.harness.call("AcknowledgeAlarm", pb.AcknowledgeAlarmRequest(alarm_id=alarm.alarm_id), role="nurse", at=START)
    assert {item.state for item in listed(ward)} == {"inactive"}


def listed(ward: Ward) -> list[types.Alarm]:
    """Every alarm of the session."""
    return list(ward.harness.call("ListAlarms", pb.ListAlarmsRequest(session_id=ward.session_id)).alarms)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE silence_limit SET effective_until = '2026-01-01Z' WHERE kind_code = 'hr.silent'",
        "UPDATE silence_limit SET required = false",
        "UPDATE silence_limit SET metrics = 'rr' WHERE kind_code = 'hr.silent'",
        "UPDATE silence_limit SET after_s = 3600",
        "UPDATE silence_limit SET priority = 1",
        "UPDATE telemetry_policy SET seconds = 86400 WHERE name = 'log_stopped'",
        "UPDATE telemetry_policy SET seconds = 3600 WHERE name = 'feed_slack'",
    ],
)
def test_the_alarm_of_silence_cannot_be_taken_away(ward: Ward, statement: str) -> None:
    """'unreachable alarm not disableable, only its delay bounded': the database itself refuses."""
    with pytest.raises(IntegrityError), ward.database.engine.begin() as connection:
        connection.execute(text(statement))


def test_alarms_have_the_priorities_of_the_standard(ward: Ward) -> None:
    """Every shipped limit is medium (asks for attention) or high (asks for a pause); every kind is 1 to 3."""
    rows = ward.rows("SELECT kind_code, priority FROM alarm_limit")
    assert {row.priority for row in rows if row.kind_code.endswith(".stop")} == {3}
    assert {row.priority for row in rows if not row.kind_code.endswith(".stop")} == {2}
