"""PCD-04: one alert a message, its priority, type, phase and state, in the present and in the deprecated form."""

import pytest

from device_telemetry.domain.alarm_kinds import HIGH, LOW, MEDIUM, PHYSIOLOGICAL, TECHNICAL
from device_telemetry.domain.pcd04 import Alert
from tests.device_telemetry.hl7_by_hand import device, message, read, row, rules

PLACE = "1.1.0.0"


def attribute(code: str, value: str, facet: int) -> str:
    return row(code, value, place=f"{PLACE}.{facet}", kind="ST")


def alert(
    event: str = "196940^MDC_EVT_FLUID_LINE_OCCL^MDC", phase: str = "start", state: str = "active", priority: str = "PM",
    kind: str = "ST", *more: str, flag: str = "", attributes: bool = True,
) -> bytes:  # fmt: skip
    rows = [
        device("70049^MDC_DEV_PUMP_INFUS_LVP_MDS^MDC", "1.0.0.0", "PUMP-77"),
        device("70050^MDC_DEV_PUMP_INFUS_LVP_VMD^MDC", PLACE, ""),
        row("196616^MDC_EVT_ALARM^MDC", event, place=f"{PLACE}.1", kind="CWE", flag=flag),
        attribute("68480^MDC_ATTR_ALERT_SOURCE^MDC", "70049^MDC_DEV_PUMP_INFUS_LVP_MDS^MDC", 2),
        attribute("68481^MDC_ATTR_EVENT_PHASE^MDC", phase, 3),
        attribute("68482^MDC_ATTR_ALARM_STATE^MDC", state, 4),
        attribute("68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC", "enabled", 5),
    ]
    if attributes:
        rows += [
            attribute("68484^MDC_ATTR_ALARM_PRIORITY^MDC", priority, 6),
            attribute("68485^MDC_ATTR_ALERT_TYPE^MDC", kind, 7),
        ]
    return message(*rows, *more, trigger="R40")


def told(content: bytes) -> Alert:
    found = read(content).alert
    assert found is not None
    return found


def test_an_alert() -> None:
    found = told(alert())
    assert (found.kind, found.phase, found.active) == ("device.line_occluded", "start", True)
    assert (found.priority, found.category, found.inactivation) == (MEDIUM, TECHNICAL, "enabled")
    assert "PUMP-77" in found.equipment


@pytest.mark.parametrize(("priority", "expected"), [("PN", MEDIUM), ("PL", LOW), ("PM", MEDIUM), ("PH", HIGH)])
def test_priorities(priority: str, expected: int) -> None:
    assert told(alert(priority=priority)).priority == expected


@pytest.mark.parametrize(("kind", "expected"), [("SP", PHYSIOLOGICAL), ("ST", TECHNICAL), ("SA", TECHNICAL)])
def test_types(kind: str, expected: int) -> None:
    assert told(alert(kind=kind)).category == expected


def test_the_deprecated_form() -> None:
    """Priority/type in OBX-8 (`PH~SP`) is the deprecated form: accept both, emit separate OBX."""
    found = told(alert(attributes=False, flag="PH~SP"))
    assert (found.priority, found.category) == (HIGH, PHYSIOLOGICAL)
    both = told(alert(priority="PL", kind="ST", flag="PH~SP"))
    assert (both.priority, both.category) == (LOW, TECHNICAL)


@pytest.mark.parametrize(
    ("phase", "state", "active"),
    [
        ("start", "active", True),
        ("continue", "active", True),
        ("update", "latched", True),
        ("escalate", "active", True),
        ("de-escalate", "active", True),
        ("de_escalate", "active", True),
        ("tpoint", "active", True),
        ("end", "inactive", False),
        ("end", "active", False),
        ("update", "inactive", False),
    ],
)
def test_phases_and_states(phase: str, state: str, active: bool) -> None:
    assert told(alert(phase=phase, state=state)).active is active


def test_an_event_that_is_its_own_term_beside_the_vital_sign_that_it_is_about() -> None:
    """PCD-04 OBX set: event (196616 or physiological code)"""
    rows = [
        device(),
        row("196670^MDC_EVT_LO^MDC", "SpO2 low", place="1.2.1.1.1", kind="ST", flag="L~PH"),
        row("150456^MDC_PULS_OXIM_SAT_O2^MDC", "85", "%", place="1.2.1.1.2"),
        row("68481^MDC_ATTR_EVENT_PHASE^MDC", "start", place="1.2.1.1.3", kind="ST"),
        row("68482^MDC_ATTR_ALARM_STATE^MDC", "active", place="1.2.1.1.4", kind="ST"),
    ]
    found = told(message(*rows, trigger="R40"))
    assert (found.kind, found.priority, found.category) == ("device.low", HIGH, PHYSIOLOGICAL)
    assert "M1" in found.equipment


@pytest.mark.parametrize(
    ("code", "term"),
    [
        ("684800^X^MDC", "68480"),
        ("0^MDC_ATTR_EVT_PHASE^MDC", "68481"),
        ("MDC_ATTR_EVT_PHASE^68481^MDC", "68481"),
        ("68165^MDC_ATTR_EVENT_PHASE^MDC", "68481"),
    ],
)
def test_misprints_and_older_numbers_of_the_attributes(code: str, term: str) -> None:
    """TF typos: 684800, 8485."""
    wanted = {"68480": b"68480^MDC_ATTR_ALERT_SOURCE^MDC", "68481": b"68481^MDC_ATTR_EVENT_PHASE^MDC"}[term]
    content = alert()
    assert wanted in content
    assert told(content.replace(wanted, code.encode())).phase == "start"


def test_every_finding_of_a_bad_alert_is_named() -> None:
    assert rules(alert(phase="sometimes", state="odd", priority="P1", kind="S?")) == {
        "OBX-5: must be a known event phase (MDC_ATTR_EVENT_PHASE)",
        "OBX-5: must be a known alarm state (MDC_ATTR_ALARM_STATE)",
        "OBX-5: must be PN, PL, PM or PH (MDC_ATTR_ALARM_PRIORITY)",
        "OBX-5: must be SP, ST or SA (MDC_ATTR_ALERT_TYPE)",
    }


def test_a_message_holds_one_alert() -> None:
    second = row("196616^MDC_EVT_ALARM^MDC", "196670^MDC_EVT_LO^MDC", place="1.1.0.0.9", kind="CWE")
    expected = {"OBX-3: must name one event: a message holds one alert"}
    assert rules(alert("196940", "start", "active", "PM", "ST", second)) == expected
    assert rules(message(device(), trigger="R40")) == expected


def test_an_event_that_is_not_known_keeps_its_own_name() -> None:
    assert told(alert("0^MDCX_EVT_SYRINGE_ODD^MDC")).kind == "device.syringe_odd"
    assert told(alert("199999^^MDC")).kind == "device.mdc_199999"
    # A name that somebody typed is no term, and could name a person.
    assert told(alert("0^Jane Doe's pump^L")).kind == "device.alert"


def test_the_watchdog_of_a_manager_is_no_alarm() -> None:
    beat = row("196614^MDC_EVT_ACTIVE^MDC", "", place="1.0.0.0.1", kind="CWE")
    assert told(message(device(), beat, trigger="R40")).is_heartbeat
