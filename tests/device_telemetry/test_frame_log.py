"""A polled batch as one transaction: alarms, events, stored frames, whatever way the log is cut."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis.database import Database
from chassis.records import plumbing_context
from chassis.testing import ServiceHarness
from device_telemetry.app import INDEX
from device_telemetry.domain import codes
from device_telemetry.timers import frame_partitions, log_stopped
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import HR_LOW, MONITOR, PUMP, START, frame, pump_report, recording, usable
from tests.device_telemetry.ward import Ward


def an_infusion(ward: Ward) -> list[types.Frame]:
    """Echo and start happen; the frames of a whole infusion that follows are returned."""
    ward.order()
    ward.attach(PUMP)
    ward.attach(MONITOR)
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False), at_s=-10.0))
    ward.start()
    frames = []
    monitored = dict(recording())
    for minute in range(41):
        done = minute == 40
        frames.append(
            frame(
                PUMP, minute + 2, at_s=minute * 60.0, period_s=60.0,
                report=pump_report(str(40 + minute), not done, not_delivering_reason="completed" if done else ""),
            )
        )  # fmt: skip
        samples = [(at - 72 * 60, channel, value, quality) for at, channel, value, quality in monitored[72 + minute]]
        frames.append(frame(MONITOR, minute + 1, samples, period_s=60.0))
    return frames


def facts(ward: Ward) -> tuple[Any, ...]:
    """All that the log led to, without the ids of events."""
    told = [
        (type(event).__name__, event.SerializeToString(deterministic=True))
        for event in ward.harness.events()
        if not isinstance(event, events.DeviceAttached)
    ]
    alarms = [tuple(row) for row in ward.rows("SELECT * FROM alarm ORDER BY alarm_id")]
    frames = [
        tuple(row)
        for row in ward.rows("SELECT device_id, sequence, ends_at, samples FROM frame ORDER BY device_id, sequence")
    ]
    state = ward.rows("SELECT state FROM session_state")[0].state
    return told, alarms, frames, state


def test_a_whole_infusion(ward: Ward) -> None:
    frames = an_infusion(ward)
    ward.read(*frames)
    (started,) = ward.harness.events(events.InfusionStarted)
    (completed,) = ward.harness.events(events.InfusionCompleted)
    assert (started.start_total_ml, started.pump_id) == ("40.0", str(PUMP))
    assert (completed.delivered_ml, completed.delivering_seconds, completed.expected_ml) == ("40.0", 2400, "40.000")
    assert completed.stopped_at.ToDatetime(tzinfo=START.tzinfo) == START + timedelta(minutes=40)
    telemetry = ward.telemetry()
    assert (telemetry.state, telemetry.delivered_ml) == ("completed", "40.0")
    assert {item.device_id: item.last_sequence for item in telemetry.devices} == {str(PUMP): 42, str(MONITOR): 41}
    assert telemetry.pump_report.delivered_total_ml == "80"
    raised = [event.kind_code for event in ward.harness.events(events.AlarmRaised)]
    # Minutes 72, 74 to 77, 81, 90 and 105 of the recording.
    assert raised.count("rr.low.stop") == 5
    assert len(ward.rows("SELECT 1 FROM frame")) == len(frames) + 1


def test_events_carry_the_log_time_and_the_care_episode(ward: Ward) -> None:
    ward.attach(MONITOR)
    ward.read(frame(MONITOR, 1, HR_LOW))
    published = [item for item in ward.harness.published() if isinstance(item.message, events.AlarmRaised)]
    assert published
    for item in published:
        assert item.headers["ce_time"] == "2026-07-15T16:00:00.000000Z"
        assert item.headers["ce_correlationid"] == str(ward.harness.correlation_id)
        assert item.key == ward.session_id


def test_a_repeated_frame_is_dropped_and_a_skipped_one_is_taken_late(ward: Ward) -> None:
    ward.attach(MONITOR)
    one, two, three = (frame(MONITOR, number, usable(codes.HEART_RATE, [(number, 70)])) for number in (1, 2, 3))
    ward.read(one, three, one)
    ward.read(three, two, two)
    assert [row.sequence for row in ward.rows("SELECT sequence FROM frame ORDER BY sequence")] == [1, 2, 3]


def test_a_batch_that_fails_leaves_nothing(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ward.attach(MONITOR)
    from device_telemetry.frames import store

    def broken(*_: object) -> None:
        raise RuntimeError("the worker dies here")

    monkeypatch.setattr(store, "keep_echoes", broken)
    with pytest.raises(RuntimeError):
        ward.read(frame(MONITOR, 1, HR_LOW))
    assert ward.rows("SELECT 1 FROM frame UNION ALL SELECT 1 FROM alarm") == []
    assert {type(event) for event in ward.harness.events()} == {events.DeviceAttached}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 81), max_size=8), repeats=st.lists(st.integers(0, 80), max_size=5))
def test_however_the_log_is_cut_and_repeated_the_facts_are_the_same(
    database_of: Callable[..., Database], cuts: list[int], repeats: list[int]
) -> None:
    whole = Ward(ServiceHarness(INDEX, database_of("device_telemetry")))
    frames = an_infusion(whole)
    whole.read(*frames)
    cut = Ward(ServiceHarness(INDEX, database_of("device_telemetry")))
    for name in ("site_id", "person_id", "session_id", "order_id"):
        setattr(cut, name, getattr(whole, name))
    cut.harness.correlation_id = whole.harness.correlation_id
    with cut.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM infusion_session"))
        connection.execute(text("UPDATE device SET site_id = CAST(:site AS uuid)"), {"site": whole.site_id})
    cut.open_site()
    cut.book(cut.session_id)
    cut.ready()
    an_infusion(cut)
    for start, end in zip([0, *sorted(set(cuts))], [*sorted(set(cuts)), len(frames)], strict=True):
        again = [frames[index] for index in repeats if index < end]
        if frames[start:end]:
            cut.read(*frames[start:end], *again)
    assert facts(cut) == facts(whole)


def test_frames_of_a_device_without_session_are_kept_and_judged_by_nobody(ward: Ward) -> None:
    low = frame(MONITOR, 1, HR_LOW)
    ward.read(low, low, key=str(MONITOR))
    assert ward.rows("SELECT 1 FROM alarm") == []
    assert [row.sequence for row in ward.rows("SELECT sequence FROM unassigned_frame")] == [1]
    listed = ward.harness.call("ListQuarantine", pb.ListQuarantineRequest(), role="operator")
    assert [(item.device_id, item.rule) for item in listed.items] == [
        (str(MONITOR), "device_id: must be attached to a session")
    ]


def test_a_log_that_stops_by_the_wall_raises_a_technical_alarm_until_it_goes_on(ward: Ward) -> None:
    frames = an_infusion(ward)
    ward.read(*frames[:10])
    tick(ward, log_stopped.run)
    assert stopped_alarms(ward) == []
    with ward.database.engine.begin() as connection:
        connection.execute(text("UPDATE session_state SET applied_at = applied_at - interval '61 s'"))
    tick(ward, log_stopped.run)
    tick(ward, log_stopped.run)
    assert [(row.category, row.cleared_at) for row in stopped_alarms(ward)] == [(2, None)]
    ward.read(*frames[10:12])
    assert stopped_alarms(ward)[0].cleared_at is not None


def test_partitions_are_made_ahead_and_frames_find_room_without_one(ward: Ward) -> None:
    ward.attach(MONITOR)
    ward.read(frame(MONITOR, 1, HR_LOW))
    assert len(ward.rows("SELECT 1 FROM frame_default")) == 1
    tick(ward, frame_partitions.run)
    tick(ward, frame_partitions.run)
    assert len(ward.rows("SELECT 1 FROM pg_inherits WHERE inhparent = 'frame'::regclass")) == 6


def tick(ward: Ward, run: Callable[[Any], None]) -> None:
    with ward.database.unit_of_work(plumbing_context()) as uow:
        run(uow)


def stopped_alarms(ward: Ward) -> Sequence[Any]:
    return ward.rows("SELECT * FROM alarm WHERE kind_code = 'log.stopped'")


def test_a_monitor_s_silence_after_the_start_is_found_although_it_never_spoke(ward: Ward) -> None:
    frames = [item for item in an_infusion(ward) if UUID(item.device_id) == PUMP]
    ward.read(*frames[:4])
    raised = {event.kind_code for event in ward.harness.events(events.AlarmRaised)}
    assert raised == {"hr.silent", "spo2.silent", "hr_spo2.silent"}
