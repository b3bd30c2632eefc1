"""What a console shows of one session: latest values with their age, limits in force, who attached what."""

from datetime import timedelta
from decimal import Decimal

from chassis.values import to_timestamp
from device_telemetry.domain import codes
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import MONITOR, PUMP, START, frame, pump_report, usable
from tests.device_telemetry.ward import Ward


def test_latest_values_and_their_freshness_by_the_session_s_clock(ward: Ward) -> None:
    """Age is by measurement time; a value that is too old is shown as such."""
    ward.attach(MONITOR)
    samples = [*usable(codes.HEART_RATE, [(0.0, 71.5)]), *usable(codes.OXYGEN_SATURATION, [(0.0, 97.0), (40.0, 96.0)])]
    ward.read(frame(MONITOR, 1, samples))
    shown = ward.telemetry()
    readings = {item.metric: item for item in shown.readings}
    assert shown.log_at == to_timestamp(START + timedelta(seconds=40))
    heart, oxygen = readings["hr"], readings["spo2"]
    assert (heart.value, heart.unit, heart.channel, heart.fresh, heart.age_seconds) == (
        "71.5", "/min", codes.HEART_RATE, False, 40,
    )  # fmt: skip
    assert (oxygen.value, oxygen.unit, oxygen.fresh, oxygen.age_seconds) == ("96", "%", True, 0)
    assert heart.measured_at == to_timestamp(START)
    assert set(readings) == {"hr", "spo2"}


def test_limits_in_force_are_those_of_the_person(ward: Ward) -> None:
    """A limit that is relative is shown in the metric's unit, with the percent that it comes from."""
    assert not [limit for limit in ward.telemetry().limits if limit.percent_of_baseline]
    baseline = {"baseline_systolic_mmhg": "121", "baseline_diastolic_mmhg": "70", "baseline_heart_rate_per_min": "64"}
    assert ward.ready(**baseline) == "applied"
    limits = {limit.kind_code: limit for limit in ward.telemetry().limits}
    rise = limits["sbp.rise.caution"]
    assert (rise.bound, rise.percent_of_baseline, rise.side, rise.inclusive) == ("157.3", "130", "high", True)
    assert limits["sbp.fall.caution"].bound == "84.7"
    assert limits["spo2.low.stop"].duration_seconds == 15
    assert {item.kind_code for item in ward.telemetry().silences} >= {"hr.silent", "nibp.silent", "hr_spo2.silent"}


def test_the_infusion_with_what_is_still_to_go_in(ward: Ward) -> None:
    """Delivered and remaining by the counter; rate times time beside it; who attached what and when."""
    ward.order()
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False), at_s=-10.0))
    ward.start()
    ward.read(frame(PUMP, 2, report=pump_report("40.0"), at_s=0), frame(PUMP, 3, report=pump_report("47"), at_s=600))
    shown = ward.telemetry()
    assert (shown.state, Decimal(shown.delivered_ml), Decimal(shown.remaining_ml)) == ("infusing", 7, 33)
    assert (shown.expected_ml, shown.volume_discrepancy, shown.shown_ml) == ("10.000", True, "10.000")
    (attached,) = shown.attached
    assert (attached.device_id, attached.kind, attached.attached_by) == (
        str(PUMP), types.DEVICE_KIND_PUMP, str(ward.harness.actor_id),
    )  # fmt: skip
    assert attached.attached_at == to_timestamp(START - timedelta(minutes=5))
    assert not attached.HasField("detached_at")
    assert shown.resume_privilege == ""


def test_a_relative_limit_holds_from_the_authorised_start_on(ward: Ward) -> None:
    """130 % of 110: before the start it raises nothing by it, whenever the baseline arrived; after the start it does."""
    ward.order()
    assert ward.ready(baseline_systolic_mmhg="110", baseline_diastolic_mmhg="70") == "applied"
    for device in (PUMP, MONITOR):
        ward.attach(device)
    ward.read(frame(MONITOR, 1, usable(codes.CUFF_SYSTOLIC, [(-60.0, 143.0)]), period_s=300))
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False), at_s=-10.0))
    kinds = "SELECT kind_code FROM alarm WHERE kind_code = 'sbp.rise.caution'"
    assert ward.rows(kinds) == []
    ward.start()
    ward.read(frame(MONITOR, 2, usable(codes.CUFF_SYSTOLIC, [(240.0, 143.0)]), period_s=300))
    assert len(ward.rows(kinds)) == 1
