"""Pumps and alarms at the bedside, each line by its own test."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import PermissionDenied
from device_telemetry.domain import alarm_kinds as kinds
from device_telemetry.domain import codes, session_log
from device_telemetry.domain.findings import AlarmOn, Finding, Infusion
from device_telemetry.domain.pump_report import Authorisation
from device_telemetry.domain.session_log import Facts, ReceivedFrame
from device_telemetry.domain.session_state import SessionState
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb
from tests.device_telemetry.frames_by_hand import (
    HR_LOW,
    MONITOR,
    PUMP,
    START_MS,
    default_limits,
    frame,
    programme,
    received,
    report,
    usable,
)
from tests.device_telemetry.test_pause_and_resume import Bed
from tests.device_telemetry.ward import Ward

FACTS = Facts(default_limits(), Authorisation("order", str(PUMP), START_MS, programme()))


def run(*frames: ReceivedFrame) -> tuple[SessionState, list[Finding]]:
    """State and findings of an infusion that was authorised: 40 mL at 60 mL/h."""
    state = SessionState("one")
    return state, [found for one in frames for found in session_log.apply(state, one, FACTS) or ()]


def said(number: int, at_s: float, total: str, infusing: bool = True, **more: Any) -> ReceivedFrame:
    """A report of the pump."""
    return received(PUMP, number, at_s=at_s, period_s=3600.0, report=report(at_s, total, infusing, **more))


def raised(found: list[Finding]) -> dict[str, int]:
    """Priority by kind."""
    return {item.kind: item.priority for item in found if isinstance(item, AlarmOn)}


def ended(found: list[Finding]) -> Infusion:
    """The last move of the infusion."""
    return [item for item in found if isinstance(item, Infusion)][-1]


def test_a_stop_limit_is_an_alarm_and_moves_nothing() -> None:
    """* **Pause and stop.** The system commands no pump: STOP means a HIGH alarm; state changes on the pump's own report."""
    low = received(MONITOR, 1, usable(codes.HEART_RATE, [(10.0, 39.0)]))
    state, found = run(said(1, 0.0, "40"), low)
    assert raised(found)["hr.low.stop"] == kinds.HIGH
    assert state.pump.phase == "infusing"
    state, _ = run(said(1, 0.0, "40"), low, said(2, 20.0, "40.3", infusing=False, not_delivering_reason="paused"))
    assert state.pump.phase == "paused"


def test_volume_over_cleared_counters() -> None:
    """delivered mL = cumulative volume (157993) at the end minus at the authorised start, summed over segments where the counter was
    cleared; a fall without a counters-cleared report is an alarm (the counter may still hold the last patient's volume).
    """
    standing = said(1, -10.0, "123.4", infusing=False)
    first, cleared = said(2, 0.0, "123.4"), said(4, 1200.0, "0", counter_cleared=True)
    end = said(5, 2400.0, "20", infusing=False, not_delivering_reason="completed")
    _, found = run(standing, first, said(3, 1200.0, "143.4"), cleared, end)
    assert (ended(found).what, ended(found).delivered_ml) == ("completed", Decimal(40))
    assert kinds.COUNTER_FELL.code not in raised(found)
    _, found = run(standing, first, said(3, 1200.0, "143.4"), said(4, 1210.0, "3"))
    assert raised(found)[kinds.COUNTER_FELL.code] == kinds.MEDIUM


def test_the_infusion_ends_at_its_volume() -> None:
    """KVO volume after the VTBI is delivered drug but not infusion time: the infusion ends at the VTBI."""
    _, found = run(
        said(1, -10.0, "40.0", infusing=False),
        said(2, 0.0, "40.0"),
        said(3, 2400.0, "80.0", keep_vein_open=True),
        said(4, 4200.0, "80.5", infusing=False, not_delivering_reason="completed"),
    )
    end = ended(found)
    assert (end.delivered_ml, end.keep_vein_open_ml) == (Decimal("40.5"), Decimal("0.5"))
    assert (end.delivering_ms, end.at_ms) == (2_400_000, START_MS + 2_400_000)


def test_an_occlusion() -> None:
    """| Occlusion | upstream >1 psi, downstream >10 psi: stop at once |"""
    stands = said(2, 60.0, "41", infusing=False, not_delivering_reason="occluded")
    state, found = run(said(1, 0.0, "40"), stands)
    assert raised(found)["pump.occluded"] == kinds.MEDIUM
    assert state.pump.phase == "paused"


def test_priorities_of_a_pump() -> None:
    """over-infusion HIGH->KVO; air-in-line, empty, overheated, up/downstream occlusion MEDIUM->off; POST/RAM/ROM/CPU LOW->off; max-dose,
    low-battery, low-reservoir, long-pause LOW->KVO; under-infusion LOW->unchanged
    """
    assert kinds.OVER_INFUSION.priority == kinds.HIGH
    assert kinds.RESERVOIR_EMPTY.priority == kinds.OCCLUDED.priority == kinds.MEDIUM
    assert kinds.BATTERY_LOW.priority == kinds.RESERVOIR_LOW.priority == kinds.LOW
    assert kinds.UNDER_INFUSION.priority == kinds.LOW


@pytest.mark.parametrize("period_s", [1, 10, 60])
def test_each_pace_of_a_monitor_is_heard(period_s: int) -> None:
    """HR/SpO2 stream 1 Hz to 1/min;"""
    frames = [
        received(
            MONITOR,
            number,
            usable(codes.HEART_RATE, [(at, 70.0)]) + usable(codes.OXYGEN_SATURATION, [(at, 97.0)]),
            period_s=float(period_s),
        )
        for number, at in enumerate((float(second) for second in range(0, 301, period_s)), 1)
    ]
    assert raised(run(*frames)[1]) == {}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"privileges": ("diagnose", "clear", "sign")}, "PRIVILEGE_MISSING"),
        ({"expires_on": "2026-07-14"}, "LICENCE_EXPIRED"),
        ({"site_id": str(uuid4())}, "PRIVILEGE_MISSING"),
    ],
)
def test_who_lets_a_pause_end_may_administer(ward: Ward, changed: dict[str, Any], reason: str) -> None:
    """An RN diagnosing, an expired licence, the wrong site, a signer without DEA: each refused."""
    bed = Bed(ward)
    bed.vitals(590)
    bed.pause()
    somebody = uuid4()
    more = {name: value for name, value in changed.items() if name != "privileges"}
    assert ward.practitioner(somebody, *changed.get("privileges", ()), **more) == "applied"
    with pytest.raises(PermissionDenied) as refused:
        bed.resume(660, actor=somebody)
    assert refused.value.reason == reason
    assert ward.rows("SELECT * FROM resume") == []


def test_every_alarm_is_kept_and_told(ward: Ward) -> None:
    """every alarm persisted + evented; unreachable alarm not disableable, only its delay bounded"""
    ward.attach(MONITOR)
    ward.read(frame(MONITOR, 1, HR_LOW))
    ward.read(frame(MONITOR, 2, usable(codes.HEART_RATE, [(40.0, 70.0)])))
    told = {event.kind_code: event.alarm_id for event in ward.harness.events(events.AlarmRaised)}
    kept = {row.kind_code: str(row.alarm_id) for row in ward.rows("SELECT kind_code, alarm_id FROM alarm")}
    assert told == kept
    assert "hr.low.stop" in told
    listed = ward.harness.call("ListAlarms", pb.ListAlarmsRequest(session_id=ward.session_id)).alarms
    assert {alarm.alarm_id for alarm in listed} == set(kept.values())
