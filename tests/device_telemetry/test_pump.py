"""The pump's own reports: what was delivered, when it ended, and what raises an alarm."""

import json
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from device_telemetry.domain import session_log
from device_telemetry.domain.findings import AlarmOff, AlarmOn, Finding, Infusion
from device_telemetry.domain.policy import Policy
from device_telemetry.domain.programme import Programme, differences
from device_telemetry.domain.pump_report import Authorisation, Report
from device_telemetry.domain.session_log import Facts
from device_telemetry.domain.session_state import SessionState, from_json, to_json
from tests.device_telemetry.frames_by_hand import PUMP, START_MS, programme, received, report

NO_LIMITS = Policy((), (), 15_000, 5_000)
AUTHORISED = Facts(NO_LIMITS, Authorisation("order", str(PUMP), START_MS, programme()))


def run(reports: list[Report], facts: Facts = AUTHORISED) -> list[Finding]:
    """Every finding of the reports; the state goes through JSON between two of them."""
    state = SessionState(str(uuid4()))
    found: list[Finding] = []
    for number, item in enumerate(reports, start=1):
        at_s = (item.at_ms - START_MS) / 1000
        found += session_log.apply(state, received(PUMP, number, at_s=at_s, report=item), facts) or ()
        state = from_json(json.loads(to_json(state)))
    return found


def moves(found: list[Finding]) -> list[str]:
    return [item.what for item in found if isinstance(item, Infusion)]


def alarms(found: list[Finding]) -> list[str]:
    return [item.kind for item in found if isinstance(item, AlarmOn)]


def last(found: list[Finding]) -> Infusion:
    return [item for item in found if isinstance(item, Infusion)][-1]


def test_keep_vein_open_is_delivered_but_is_no_infusion_time() -> None:
    """'Vector: 40.0 -> 80.0, then KVO to 80.5, 1 mg/mL = 40.5 mg, end at 80.0.'"""
    found = run(
        [
            report(-10, "40.0", infusing=False),
            report(0, "40.0"),
            report(1200, "60.0"),
            report(2400, "80.0", keep_vein_open=True),
            report(4200, "80.5", infusing=False, not_delivering_reason="completed"),
        ]
    )
    assert moves(found) == ["started", "completed"]
    end = last(found)
    assert end.delivered_ml == Decimal("40.5")
    assert end.keep_vein_open_ml == Decimal("0.5")
    assert end.at_ms == START_MS + 2_400_000
    assert end.delivering_ms == 2_400_000
    assert end.expected_ml == Decimal("40.000")
    # More than the 40 mL of the order went in.
    assert alarms(found) == ["pump.over_delivery"]


def test_the_end_lies_where_the_volume_was_in_between_two_reports() -> None:
    found = run(
        [report(-5, "0", infusing=False), report(0, "0"), report(2390, "39.8"), report(2420, "40.2", keep_vein_open=True),
         report(2500, "40.2", infusing=False, not_delivering_reason="completed")]
    )  # fmt: skip
    assert last(found).at_ms == START_MS + 2_402_000
    assert last(found).delivering_ms == 2_402_000


def resumed_at(at_s: float, pump: str = str(PUMP), **changed: str) -> Authorisation:
    """A resume that a nurse authorised."""
    return Authorisation(
        "order", pump, START_MS + int(at_s * 1000), programme(**changed), True, "nurse", "line.cleared"
    )


def test_a_pause_is_no_delivering_time() -> None:
    found = run(
        [
            report(0, "0"),
            report(1200, "20.0", infusing=False, not_delivering_reason="paused"),
            report(1500, "20.0", infusing=False, not_delivering_reason="paused"),
            report(1800, "20.0"),
            report(3000, "40.0", infusing=False, not_delivering_reason="completed"),
        ],
        replace(AUTHORISED, resumes=(resumed_at(1790),)),
    )
    assert moves(found) == ["started", "paused", "resumed", "completed"]
    assert last(found).delivering_ms == 2_400_000
    assert last(found).paused_ms == 600_000
    assert alarms(found) == []


def test_stopped_before_its_volume_is_aborted() -> None:
    found = run([report(0, "0"), report(600, "10.0", infusing=False, not_delivering_reason="stopped")])
    assert moves(found) == ["started", "aborted"]
    assert last(found).delivered_ml == Decimal("10.0")


def test_segments_are_summed_over_cleared_counters() -> None:
    """'summed over segments where the counter was cleared'"""
    found = run(
        [report(0, "55.0"), report(600, "65.0"), report(1200, "10.0", counter_cleared=True),
         report(2400, "30.0", infusing=False, not_delivering_reason="completed")]
    )  # fmt: skip
    assert last(found).delivered_ml == Decimal("40.0")
    assert alarms(found) == []


def test_a_counter_that_falls_unannounced_is_an_alarm() -> None:
    """'a fall without a counters-cleared report is an alarm (the counter may still hold the last patient's volume)'"""
    found = run(
        [
            report(0, "55.0"),
            report(600, "65.0"),
            report(1200, "10.0"),
            report(1800, "20.0", infusing=False, not_delivering_reason="stopped"),
        ]
    )
    assert alarms(found) == ["pump.counter_fell"]
    assert last(found).delivered_ml == Decimal("20.0")


def test_infusing_without_authorisation_is_high_within_one_frame() -> None:
    found = run([report(0, "0"), report(10, "0.2"), report(20, "0.2", infusing=False)], Facts(NO_LIMITS))
    assert moves(found) == []
    assert alarms(found) == ["pump.unauthorised_start"]
    assert [item.at_ms for item in found if isinstance(item, AlarmOff)] == [START_MS + 20_000]


def test_an_authorisation_for_another_pump_or_a_later_time_counts_for_nothing() -> None:
    other = Facts(NO_LIMITS, Authorisation("order", str(uuid4()), START_MS, programme()))
    later = Facts(NO_LIMITS, Authorisation("order", str(PUMP), START_MS + 60_000, programme()))
    assert alarms(run([report(0, "0")], other)) == ["pump.unauthorised_start"]
    assert alarms(run([report(0, "0")], later)) == ["pump.unauthorised_start"]
    assert moves(run([report(0, "0"), report(60, "0.1")], later)) == ["started"]


def test_a_second_start_on_one_order_is_unauthorised() -> None:
    found = run(
        [report(0, "0"), report(600, "40.0", infusing=False, not_delivering_reason="completed"), report(900, "40.1")]
    )
    assert moves(found) == ["started", "completed"]
    # What it gives is delivered drug, beyond the 40 mL of the order.
    assert alarms(found) == ["pump.unauthorised_start", "pump.over_delivery"]


@pytest.mark.parametrize(
    "changed", [programme(rate="61.0"), programme(vtbi="41.0"), programme(concentration="2"), programme(drug="other")]
)
def test_a_changed_programme_while_running_is_high(changed: Programme) -> None:
    found = run([report(0, "0"), report(10, "0.1", programme=changed), report(20, "0.2")])
    on = [item for item in found if isinstance(item, AlarmOn)]
    assert [(item.kind, item.priority) for item in on] == [("pump.programme_changed", 3)]
    assert len([item for item in found if isinstance(item, AlarmOff)]) == 1


def test_an_old_report_changes_nothing() -> None:
    assert moves(
        run([report(0, "0"), report(100, "1.0"), report(50, "0.5", infusing=False, not_delivering_reason="stopped")])
    ) == ["started"]


def test_numbers_are_compared_and_not_their_spelling() -> None:
    assert differences(programme(rate="60"), programme(rate="60.000000")) == ()
    assert differences(Programme("ketamine", None, Decimal(60), Decimal(40)), programme()) == (
        "concentration_mg_per_ml",
    )
