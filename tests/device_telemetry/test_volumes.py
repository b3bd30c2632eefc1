"""Volume against rate and time, reserves, and what holds for any course of an infusion."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_telemetry.domain import codes, session_log
from device_telemetry.domain.findings import AlarmAgain, AlarmOff, AlarmOn, Finding, Gap, Infusion
from device_telemetry.domain.flow import discrepancy
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.pump_report import Authorisation, Stop
from device_telemetry.domain.session_log import Facts, ReceivedFrame
from device_telemetry.domain.session_state import SessionState, from_json, to_json
from tests.device_telemetry.frames_by_hand import (
    MONITOR,
    PUMP,
    START_MS,
    default_limits,
    default_pump,
    programme,
    received,
    report,
    usable,
)

SECOND = UUID(int=0xB3)
POLICY = Policy((), (), 15_000, 5_000, default_pump())
START_GRANT = Authorisation("order", str(PUMP), START_MS, programme())
FACTS = Facts(POLICY, START_GRANT)


def run(frames: list[ReceivedFrame], facts: Facts = FACTS) -> tuple[SessionState, list[Finding]]:
    """State and findings; the state goes through JSON between two frames."""
    state = SessionState("one")
    found: list[Finding] = []
    for frame in frames:
        found += session_log.apply(state, frame, facts) or ()
        state = from_json(json.loads(to_json(state)))
    return state, found


def reports(*said: tuple[float, str], pump: UUID = PUMP, first: int = 1, **more: Any) -> list[ReceivedFrame]:
    """Infusing reports of (second, counter)."""
    return [
        received(pump, number, at_s=at, report=report(at, total, **more))
        for number, (at, total) in enumerate(said, start=first)
    ]


def kinds(found: list[Finding]) -> list[str]:
    return [item.kind for item in found if isinstance(item, AlarmOn)]


def end_of(found: list[Finding]) -> Infusion:
    return [item for item in found if isinstance(item, Infusion)][-1]


@pytest.mark.parametrize(("ml_a_minute", "kind"), [("1.2", "pump.over_infusion"), ("0.8", "pump.under_infusion")])
def test_out_of_tolerance_for_more_than_five_minutes(ml_a_minute: str, kind: str) -> None:
    """'Over/under-infusion detection | basal and clinician bolus: out of tolerance >5 min' at 60 mL/h, 1 mL a minute."""
    pace = Decimal(ml_a_minute)
    course = [(minute * 60.0, str(40 + minute * pace)) for minute in range(7)]
    assert kinds(run(reports(*course[:6]))[1]) == []
    state, found = run(reports(*course))
    assert kinds(found) == [kind]
    assert state.pump.meters[str(PUMP)].flow.found


def test_a_pace_inside_the_tolerance_and_a_short_lapse_raise_nothing() -> None:
    """'+-5 %'; less than five minutes of too little, and it starts again."""
    inside = [(minute * 60.0, str(40 + minute * Decimal("1.05"))) for minute in range(30)]
    assert kinds(run(reports(*inside))[1]) == []
    total, course = Decimal(40), []
    for minute in range(30):
        course.append((minute * 60.0, str(total)))
        total += 1 if minute % 5 else Decimal("0.5")
    assert kinds(run(reports(*course))[1]) == []


def test_the_pace_is_cleared_when_it_is_right_again() -> None:
    """An alarm of the pace ends with the first stretch inside the tolerance."""
    course = [(minute * 60.0, str(40 + minute * Decimal("0.8"))) for minute in range(8)]
    found = run(reports(*course, (480.0, str(Decimal(40) + 7 * Decimal("0.8") + 1))))[1]
    assert kinds(found) == ["pump.under_infusion"]
    assert len([item for item in found if isinstance(item, AlarmOff)]) == 1


@pytest.mark.parametrize(("stands_s", "paused"), [(60, False), (61, True)])
def test_a_pump_between_two_rates_is_not_paused_unless_it_stands_for_long(stands_s: int, paused: bool) -> None:
    """'Rate change while running = STOP(transitioning) + START(new rate)': at once; later, somebody has to let it go on."""
    said = report(100, "1.67", False, not_delivering_reason="transitioning")
    course = [*reports((0.0, "0")), received(PUMP, 2, at_s=100.0, report=said)]
    found = run([*course, *reports((100.0 + stands_s, "1.67"), first=3)])[1]
    moves = [item.what for item in found if isinstance(item, Infusion)]
    assert moves == (["started", "paused", "resumed"] if paused else ["started"])
    assert ("pump.unauthorised_resume" in kinds(found)) is paused


@pytest.mark.parametrize(
    ("delivered", "expected", "apart"),
    [("10", "10.5", False), ("10", "10.53", True), ("100", "105", False), ("94.9", "100", True), ("0", "0", False)],
)
def test_more_than_five_percent_or_half_a_millilitre_apart(delivered: str, expected: str, apart: bool) -> None:
    """'Rate x time is only a cross-check: more than max(5 %, 0.5 mL) apart = discrepancy'"""
    assert discrepancy(Decimal(delivered), Decimal(expected), default_pump()) is apart


@pytest.mark.parametrize(("delivered", "expected", "apart"), [("21.03", "20", True), ("20", "21.03", False)])
def test_the_share_is_one_of_rate_times_time(delivered: str, expected: str, apart: bool) -> None:
    """5 % of 20 mL is 1 mL, of 21.03 mL 1.0515 mL; treatment-plan judges the account of the drug in the same way."""
    assert discrepancy(Decimal(delivered), Decimal(expected), default_pump()) is apart


def test_a_discrepancy_at_the_end_is_an_alarm() -> None:
    """40 minutes at 60 mL/h, and the counter says 37 mL: more than 5 % apart."""
    course = reports((0.0, "0"), (2400.0, "37"))
    course.append(received(PUMP, 9, at_s=2410.0, report=report(2410, "37", False, not_delivering_reason="stopped")))
    found = run(course)[1]
    assert "pump.volume_discrepancy" in kinds(found)
    assert (end_of(found).delivered_ml, end_of(found).expected_ml) == (Decimal(37), Decimal("40.167"))


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ({"reservoir_ml": Decimal("0.99")}, ["pump.reservoir_low"]),
        ({"reservoir_ml": Decimal("0.49")}, ["pump.reservoir_empty"]),
        ({"reservoir_ml": Decimal(1)}, []),
        ({"battery_left_min": Decimal("2.9")}, ["pump.battery_low"]),
        ({"battery_left_min": Decimal(3)}, []),
        ({}, []),
    ],
)
def test_reserves(left: dict[str, Any], expected: list[str]) -> None:
    """'Reservoir | warn <1 mL, empty alarm+stop <0.5 mL'; 'Battery | warn <3 min left'; only where the pump says so."""
    assert kinds(run(reports((0.0, "0"), **left))[1]) == expected


def test_a_pump_that_infuses_and_says_nothing_is_an_alarm_until_it_speaks() -> None:
    """'Loss of link never resumes, never silently stops: raises alarm; bedside decides.' By the session's clock: the monitor's time."""
    facts = replace(FACTS, policy=replace(default_limits().for_person({}), silences=(), pump=None))
    course = reports((0.0, "0"))
    beats = [received(MONITOR, at, usable(codes.HEART_RATE, [(float(at), 70.0)])) for at in (60, 61)]
    state, found = run([*course, beats[0]], facts)
    assert kinds(found) == []
    state, found = run([*course, *beats], facts)
    assert [(item.kind, item.priority) for item in found if isinstance(item, AlarmOn)] == [("pump.silent", 2)]
    assert state.pump.phase == "infusing", "nothing is known of it, so nothing is changed"
    again = reports((70.0, "1.2"), first=2)
    assert [item.at_ms for item in run([*course, *beats, *again], facts)[1] if isinstance(item, AlarmOff)] == [
        START_MS + 70_000
    ]
    waits = received(PUMP, 2, at_s=10.0, report=report(10, "0.2", False, not_delivering_reason="paused"))
    assert kinds(run([*course, waits, *beats], facts)[1]) == []


def test_a_state_of_the_first_release_goes_on() -> None:
    """An infusion under way while the network is upgraded: its one pump is the first that reports."""
    kept = json.loads(to_json(run(reports((0.0, "40"), (600.0, "50")))[0]))
    meter = kept["pump"].pop("meters")[str(PUMP)]
    for name in ("pump_id", "paused_ms", "unauthorised_resume", "stop_limit_now", "stop_limits_before"):
        del kept["pump"][name]
    kept["pump"] |= {name: meter[name] for name in ("last_ms", "last_infusing", "last_total_ml", "account")}
    del kept["told"]
    state = from_json(kept)
    found = [item for one in reports((2400.0, "80"), first=3) for item in session_log.apply(state, one, FACTS) or ()]
    ended = received(PUMP, 4, at_s=2410.0, report=report(2410, "80", False, not_delivering_reason="completed"))
    found += session_log.apply(state, ended, FACTS) or ()
    assert [item.what for item in found if isinstance(item, Infusion)] == ["completed"]
    assert (end_of(found).delivered_ml, end_of(found).pump_id) == (Decimal(40), str(PUMP))


def courses() -> st.SearchStrategy[list[ReceivedFrame]]:
    """Any course of reports of two pumps, in time, with falls and clearings of the counter."""
    step = st.tuples(
        st.sampled_from([PUMP, PUMP, SECOND]),
        st.integers(1, 600),
        st.booleans(),
        st.integers(0, 90),
        st.booleans(),
        st.sampled_from(["", "paused", "stopped", "completed", "occluded"]),
        st.booleans(),
    )
    return st.lists(step, min_size=1, max_size=14).map(_course)


def _course(steps: list[tuple[UUID, int, bool, int, bool, str, bool]]) -> list[ReceivedFrame]:
    made, now, numbers = [], 0.0, {PUMP: 0, SECOND: 0}
    for pump, wait, infusing, total, cleared, why, open_vein in steps:
        now += wait
        numbers[pump] += 1
        said = report(
            now, str(total), infusing, counter_cleared=cleared, keep_vein_open=open_vein and infusing,
            not_delivering_reason="" if infusing else why,
        )  # fmt: skip
        made.append(received(pump, numbers[pump], at_s=now, report=said))
    return made


GRANTS = st.builds(
    lambda start, resumes, stop: Facts(
        POLICY,
        START_GRANT if start else None,
        resumes=tuple(
            Authorisation("order", str(pump), START_MS + at * 1000, programme(), True, "nurse", "why")
            for at, pump in sorted(resumes)
        ),
        stop=None if stop is None else Stop(START_MS + stop * 1000, "person.wish"),
    ),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 3000), st.sampled_from([PUMP, SECOND])), max_size=3),
    st.none() | st.integers(0, 3000),
)


@settings(max_examples=300, deadline=None)
@given(courses(), GRANTS)
def test_nothing_infuses_authorised_without_an_authorisation(course: list[ReceivedFrame], facts: Facts) -> None:
    """No sequence reaches 'infusing, authorised' without treatment-plan's yes: whoever runs without one is HIGH at that frame."""
    state, started = SessionState("one"), False
    for one in course:
        found = session_log.apply(state, one, facts) or ()
        assert one.report is not None
        started = started or any(isinstance(item, Infusion) and item.what == "started" for item in found)
        if started:
            assert facts.authorisation is not None
        for item in found:
            if isinstance(item, Infusion) and item.what == "resumed" and item.authorised_by:
                assert any(grant.at_ms <= item.at_ms + 5000 for grant in facts.resumes)
        alarm = {key.partition("@")[0] for key in state.active if key.endswith(one.device_id)}
        if one.report.infusing and not one.report.keep_vein_open:
            allowed = state.pump.phase == "infusing" and state.pump.pump_id == one.device_id
            assert allowed or "pump.unauthorised_start" in alarm
            if allowed and state.pump.unauthorised_resume:
                assert "pump.unauthorised_resume" in alarm
            assert facts.authorisation is not None or not allowed


@settings(max_examples=200, deadline=None)
@given(courses(), GRANTS, st.data())
def test_any_interleaving_and_repetition_gives_the_same_volume_and_alarms(
    course: list[ReceivedFrame], facts: Facts, data: st.DataObject
) -> None:
    """The monitor's frames may come between the pumps' in any way, and each frame again: volumes and alarms of pumps are the same."""
    plain = SessionState("one")
    expected = [item for one in course for item in session_log.apply(plain, one, facts) or ()]
    state = SessionState("one")
    found: list[Finding] = []
    seen: list[ReceivedFrame] = []
    number = 0
    for one in course:
        if data.draw(st.booleans()):
            number += 1
            beat = received(MONITOR, number, usable(codes.HEART_RATE, [(float(data.draw(st.integers(0, 6000))), 70.0)]))
            seen.append(beat)
            session_log.apply(state, beat, facts)
        seen.append(one)
        found += session_log.apply(state, one, facts) or ()
        assert session_log.apply(state, data.draw(st.sampled_from(seen)), facts) is None
    assert state.pump.delivered_ml == plain.pump.delivered_ml
    assert sorted(state.active) == sorted(plain.active)
    assert of_pumps(found) == of_pumps(expected)


def of_pumps(found: list[Finding]) -> list[tuple[Any, ...]]:
    """What was found, without ids and without what follows from the session's own clock."""
    plain: list[tuple[Any, ...]] = []
    for item in found:
        if isinstance(item, AlarmOn):
            plain.append((item.kind, item.priority, item.measured_ms))
        elif isinstance(item, AlarmOff):
            plain.append(("off", item.at_ms))
        elif not isinstance(item, AlarmAgain | Gap):
            plain.append((item,))
    return plain


BEATS = st.lists(st.tuples(st.integers(1, 20), st.sampled_from([39.0, 70.0, 125.0, 135.0])), min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(BEATS, st.integers(0, 20), st.data())
def test_limits_are_judged_the_same_wherever_the_pump_s_frames_come(
    beats: list[tuple[int, float]], pumps: int, data: st.DataObject
) -> None:
    """A limit rests on the samples of its own feed: frames of another device between them change nothing."""
    limits = replace(default_limits().for_person({}), silences=())
    now, frames = 0.0, []
    for number, (wait, value) in enumerate(beats, start=1):
        now += wait
        frames.append(received(MONITOR, number, usable(codes.HEART_RATE, [(now, value)]), period_s=10.0))
    expected = of_pumps(run(frames, Facts(limits))[1])
    mixed = list(frames)
    for number in range(1, pumps + 1):
        mixed.insert(data.draw(st.integers(0, len(mixed))), received(PUMP, number, at_s=float(number)))
    assert of_pumps(run(mixed, Facts(limits))[1]) == expected
