"""PCD-10: events of a pump, and each rule by which their parameters must agree."""

from decimal import Decimal

import pytest

from device_telemetry.domain.event_terms import PumpEvent
from device_telemetry.ingest.hl7_frames import report_of
from tests.device_telemetry.hl7_by_hand import MESSAGES, ML, ML_PER_H, message, pump_rows, read, row, rules

START = "197288^MDC_EVT_PUMP_DELIV_START^MDC"
STOP = "0^MDC_EVT_PUMP_DELIV_STOP^MDC"
COMPLETE = "197292^MDC_EVT_PUMP_DELIV_COMP^MDC"
NOT_INFUSING = row("184519^MDC_PUMP_INFUSING_STATUS^MDC", "^pump-status-not-infusing", place="1.1.1.1", kind="CWE")
INFUSING = NOT_INFUSING.replace("not-infusing", "infusing")
STILL = row("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "0", ML_PER_H, place="1.1.1.2")
REASON = row("158006^MDC_PUMP_NOT_DELIVERING_REASON^MDC", "^pump-stopped-by-clinician", place="1.1.2.9", kind="CWE")


def delivery(status: str) -> str:
    return row(
        "158005^MDC_PUMP_CURRENT_DELIVERY_STATUS^MDC", f"^pump-delivery-status-{status}", place="1.1.2.1", kind="CWE"
    )


STOPPED = {"status": NOT_INFUSING, "flow": STILL, "delivery": delivery("not-delivering"), "reason": REASON}


def event(condition: str, **changed: str) -> bytes:
    named = row("68487^MDC_ATTR_EVT_COND^MDC", condition, place="1.0.0.1", kind="CWE")
    return message(named, *pump_rows(**changed), trigger="R42")


def test_the_sample_of_the_profile() -> None:
    found = read((MESSAGES / "pcd10-start.hl7").read_bytes())
    assert found.event is PumpEvent.START
    (said,) = found.pumps
    made = report_of(said)
    assert (made.drug_code, made.concentration_mg_per_ml, made.rate_ml_per_h, made.vtbi_ml) == (
        "dopamine",
        "1.6",
        "15.4",
        "250.0",
    )
    assert (made.infusing, made.current_rate_ml_per_h, made.delivered_total_ml) == (True, "15.4", "0.0")
    assert (made.weight_kg, made.dose_rate, made.dose_rate_unit) == ("82.0", "5.00", "ug/kg/min")
    assert "E0002" in said.equipment


@pytest.mark.parametrize(
    ("condition", "changed", "infusing", "reason"),
    [
        (START, {}, True, ""),
        (STOP, STOPPED, False, "paused"),
        (COMPLETE, STOPPED, False, "completed"),
        (STOP, {"status": NOT_INFUSING, "flow": STILL, "delivery": delivery("transitioning")}, False, "transitioning"),
        (STOP, {"delivery": delivery("transitioning")}, True, ""),
    ],
)
def test_delivery_events(condition: str, changed: dict[str, str], infusing: bool, reason: str) -> None:
    """Rate change while running = STOP(transitioning) + START(new rate)."""
    (said,) = read(event(condition, **changed)).pumps
    made = report_of(said)
    assert (made.infusing, made.not_delivering_reason) == (infusing, reason)


def test_the_vein_kept_open() -> None:
    kvo = row("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "1", ML_PER_H, place="1.1.1.2")
    (said,) = read(event(START, delivery=delivery("kvo"), flow=kvo)).pumps
    assert report_of(said).keep_vein_open


def test_cleared_counters_are_told() -> None:
    zero = row("157993^MDC_VOL_FLUID_DELIV_TOTAL^MDC", "0", ML, place="1.1.2.6")
    found = read(event("0^MDC_EVT_PUMP_VOL_COUNTERS_CLEARED^MDC", total=zero, **STOPPED))
    assert found.event is PumpEvent.COUNTERS_CLEARED
    assert (found.pumps[0].counter_cleared, found.pumps[0].total_ml) == (True, Decimal(0))


def test_a_cleared_programme_is_the_end() -> None:
    found = read(event("0^MDC_EVT_PUMP_PROG_CLEARED^MDC", **STOPPED))
    assert report_of(found.pumps[0]).not_delivering_reason == "stopped"


@pytest.mark.parametrize(
    "condition",
    [
        "MDC_EVT_COMM_STATUS_CHANGE",
        "MDC_EVT_PUMP_AUTO_PROG_CLEARED",
        "MDC_EVT_PATIENT_CHANGE",
        "MDC_EVT_PATIENT_ID_CHANGE",
        "MDC_EVT_PATIENT_PARAMETER_CHANGE",
        "MDC_EVT_DEVICE_TIME_CHANGED",
    ],
)
def test_events_that_say_nothing_of_delivery_are_taken(condition: str) -> None:
    named = row("68487^MDC_ATTR_EVT_COND^MDC", f"0^{condition}^MDC", place="1.0.0.1", kind="CWE", equipment="PUMP-77")
    found = read(message(named, trigger="R42"))
    assert found.event is PumpEvent(condition)
    assert (found.pumps, found.named) == ((), ("PUMP-77",))


REQUIRED = "OBX-5: {} is required for start, stop and complete"


@pytest.mark.parametrize(
    ("left_out", "rule"),
    [
        ("status", REQUIRED.format("Infusing Status")),
        ("flow", REQUIRED.format("Current Pump Fluid Flow")),
        ("sources", REQUIRED.format("Pump Active Sources")),
        ("delivery", REQUIRED.format("Current Delivery Status")),
        ("mode", REQUIRED.format("Program Delivery Mode")),
        ("label", REQUIRED.format("Source Channel Label")),
    ],
)
@pytest.mark.parametrize(("condition", "base"), [(START, {}), (STOP, STOPPED), (COMPLETE, STOPPED)])
def test_each_required_parameter_missing_alone_refuses(
    condition: str, base: dict[str, str], left_out: str, rule: str
) -> None:
    """IPEC consistency rules: Infusing-Status, Current-Flow, Active-Sources, Delivery-Status, Mode, Channel-Label required on
    start/stop/complete.
    """
    assert rules(event(condition, **(base | {left_out: ""}))) == {rule}


@pytest.mark.parametrize("condition", [STOP, COMPLETE])
def test_the_reason_is_required_when_not_delivering(condition: str) -> None:
    """Not-Delivering-Reason required when not-delivering."""
    assert rules(event(condition, **(STOPPED | {"reason": ""}))) == {
        "OBX-5: Pump Not Delivering Reason is required while not delivering"
    }


@pytest.mark.parametrize("condition", [STOP, COMPLETE])
def test_stop_and_complete_need_a_volume(condition: str) -> None:
    """stop/complete need segment OR cumulative volume."""
    assert rules(event(condition, **(STOPPED | {"total": ""}))) == {
        "OBX-5: stop and complete need the segment volume or the cumulative volume"
    }
    segment = row("157992^MDC_VOL_FLUID_DELIV_SEGMENT^MDC", "0.5", ML, place="1.1.2.6")
    assert read(event(condition, **(STOPPED | {"total": segment}))).pumps[0].segment_ml == Decimal("0.5")


@pytest.mark.parametrize(
    ("condition", "changed", "rule"),
    [
        (START, {"flow": STILL}, "OBX-5: infusing needs a flow above 0"),
        (STOP, STOPPED | {"flow": STILL.replace("|0|", "|60|")}, "OBX-5: not infusing needs a flow of 0"),
        (
            STOP,
            {"status": NOT_INFUSING, "delivery": delivery("transitioning")},
            "OBX-5: not infusing needs a flow of 0",
        ),
        (
            STOP,
            STOPPED | {"status": INFUSING, "flow": STILL.replace("|0|", "|60|")},
            "OBX-5: what is not delivering must not be infusing",
        ),
    ],
)
def test_status_and_flow_agree(condition: str, changed: dict[str, str], rule: str) -> None:
    """status infusing <=> flow >0, not-infusing <=> flow 0."""
    assert rules(event(condition, **changed)) == {rule}


def test_a_start_that_does_not_infuse_is_refused() -> None:
    assert rules(event(START, status=NOT_INFUSING, flow=STILL)) == {"OBX-5: a start must be infusing"}


def test_every_finding_is_named_at_once() -> None:
    assert len(rules(event(STOP, status=INFUSING, flow=STILL, delivery="", mode="", label="", total=""))) == 5


@pytest.mark.parametrize(
    "condition",
    ["0^MDC_EVT_SOMETHING^MDC", "", "197292^MDC_EVT_PUMP_DELIV_START^MDC", "197288^MDC_EVT_PUMP_DELIV_COMP^MDC"],
)
def test_an_event_that_is_not_known_or_contradicts_itself_is_refused(condition: str) -> None:
    assert rules(event(condition)) == {"OBX-5: MDC_ATTR_EVT_COND must be there once and name a known event"}
