"""The tables of device messages: transactions, terms, units, attributes of alerts, acknowledgements, each by its line."""

from decimal import Decimal

import pytest

from device_telemetry.domain import alert_terms, codes, mdc_terms
from device_telemetry.domain.event_terms import PumpEvent, event_of
from device_telemetry.domain.hl7_header import read_header
from device_telemetry.domain.mdc_units import Quantity, dose_rate_unit, in_house_unit
from device_telemetry.domain.mllp import Deframer, Framed, Torn
from tests.device_telemetry.hl7_by_hand import BEAT, HR, device, findings, message, pump_rows, read, row

ALARM = (
    row("196940^MDC_EVT_FLUID_LINE_OCCL^MDC", "", kind="ST", place="1.1.0.1"),
    row("68481^MDC_ATTR_EVENT_PHASE^MDC", "start", kind="ST", place="1.1.0.2"),
    row("68482^MDC_ATTR_ALARM_STATE^MDC", "active", kind="ST", place="1.1.0.3"),
)


def term(refid: str) -> int:
    """The code of a term that a device names by its REFID alone."""
    return mdc_terms.code_of([f"MDC_{refid}", "", "MDC"])


def test_pcd_01_is_periodic_and_episodic_data() -> None:
    """| PCD-01 DEC | ORU^R01^ORU_R01 | 1.3.6.1.4.1.19376.1.6.1.1.1 (EI-1 IHE_PCD_001) |"""
    profile = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"
    found = read(message(device(), row(HR, "70", BEAT), profile=profile))
    assert (found.transaction, [item.value_e6 for item in found.observations]) == ("pcd01", [70_000_000])


@pytest.mark.parametrize("oid", ["1.3.6.1.4.1.19376.1.6.1.4.1", "1.3.6.1.4.1.19376.1.6.4.4.1"])
def test_pcd_04_is_one_alert_a_message(oid: str) -> None:
    """| PCD-04 ACM | ORU^R40^ORU_R40 | 1.3.6.1.4.1.19376.1.6.1.4.1 (sample prints ...6.4.4.1) | one alert per message |"""
    profile = f"IHE_PCD_ACM_001^IHE PCD^{oid}^ISO"
    found = read(message(device(), *ALARM, trigger="R40", profile=profile))
    assert found.transaction == "pcd04"
    assert found.alert is not None
    second = "OBR|2||2|196616^MDC_EVT_ALARM^MDC|||20260715160000"
    assert findings(message(device(), *ALARM, second, device(), *ALARM, trigger="R40", profile=profile))


def test_pcd_10_is_pump_events() -> None:
    """| PCD-10 IPEC | ORU^R42^ORU_R01 | 1.3.6.1.4.1.19376.1.6.4.10 |"""
    start = row("68487^MDC_ATTR_EVT_COND^MDC", "197288^MDC_EVT_PUMP_DELIV_START^MDC", kind="CWE", place="1.0.0.2")
    found = read(message(*pump_rows(), start, trigger="R42", profile="IHE_PCD_010^^1.3.6.1.4.1.19376.1.6.4.10^ISO"))
    assert (found.transaction, found.event) == ("pcd10", PumpEvent.START)


@pytest.mark.parametrize(("refid", "code"), [
    ("ECG_HEART_RATE", 147842), ("ECG_CARD_BEAT_RATE", 147842), ("PULS_OXIM_PULS_RATE", 149530), ("PULS_RATE_NON_INV", 149546),
    ("PULS_OXIM_SAT_O2", 150456), ("RESP_RATE", 151562), ("PRESS_BLD_NONINV", 150020),
])  # fmt: skip
def test_terms_of_the_monitor(refid: str, code: int) -> None:
    """ECG_HEART_RATE (=CARD_BEAT_RATE) | 147842 | a,c |"""
    assert term(refid) == code


def test_terms_of_the_cuff() -> None:
    """..._SYS / _DIA / _MEAN | 150021 / 150022 / 150023 | a,c |"""
    assert [term(f"PRESS_BLD_NONINV_{part}") for part in ("SYS", "DIA", "MEAN")] == [150021, 150022, 150023]
    assert (codes.CUFF_SYSTOLIC, codes.CUFF_DIASTOLIC, codes.CUFF_MEAN) == (150021, 150022, 150023)


@pytest.mark.parametrize(("refid", "code"), [
    ("FLOW_FLUID_PUMP", 157784), ("FLOW_FLUID_PUMP_CURRENT", 158014), ("RATE_DOSE", 157924), ("VOL_FLUID_DELIV", 157864),
    ("CONC_DRUG", 157760), ("PUMP_INFUSING_STATUS", 184519), ("ATTR_PT_WEIGHT", 68063), ("DRUG_NAME_LABEL", 184514),
    ("ATTR_SYS_ID", 67972), ("EVT_ALARM", 196616),
])  # fmt: skip
def test_terms_of_the_pump(refid: str, code: int) -> None:
    """| FLOW_FLUID_PUMP (programmed) | 157784 | a,b |"""
    assert term(refid) == code


def test_terms_of_volumes() -> None:
    """| VOL_FLUID_TBI / TBI_REMAIN | 157884 / 157872 | a,b |"""
    assert (term("VOL_FLUID_TBI"), term("VOL_FLUID_TBI_REMAIN")) == (157884, 157872)


def test_terms_of_what_was_delivered() -> None:
    """| VOL_FLUID_DELIV_SEGMENT / _TOTAL | 157992 / 157993 | b / a,b |"""
    assert (term("VOL_FLUID_DELIV_SEGMENT"), term("VOL_FLUID_DELIV_TOTAL")) == (157992, 157993)


def test_terms_of_delivery() -> None:
    """| PUMP_CURRENT_DELIVERY_STATUS / NOT_DELIVERING_REASON / PROGRAM_DELIVERY_MODE / SOURCE_CHANNEL_LABEL | 158005 / 158006 / 158008 /
    158012 |
    """
    names = ("CURRENT_DELIVERY_STATUS", "NOT_DELIVERING_REASON", "PROGRAM_DELIVERY_MODE", "SOURCE_CHANNEL_LABEL")
    assert [term(f"PUMP_{name}") for name in names] == [158005, 158006, 158008, 158012]


@pytest.mark.parametrize("other", [
    "69985", "69986", "70053", "70054", "70067", "157916", "157996", "157999", "158000", "158001", "158003", "184516", "184517",
    "184520", "67880", "67996",
])  # fmt: skip
def test_a_term_that_is_not_read_takes_nothing_from_the_others(other: str) -> None:
    """| DOSE_DRUG_TBI / REMAIN / DELIV_TOTAL / SEGMENT | 157999 / 158000 / 158001 / 158003 | b |"""
    rows = pump_rows()
    plain = read(message(*rows))
    beside = read(message(*rows, row(f"{other}^MDC_OTHER^MDC", "7", "", place="1.1.2.99")))
    assert (beside.pumps, beside.warnings) == (plain.pumps, ())
    assert len(plain.pumps) == 1


@pytest.mark.parametrize(("unit", "quantity"), [
    ("265266", Quantity.FLOW), ("263762", Quantity.VOLUME), ("264306", Quantity.CONCENTRATION), ("263875", Quantity.WEIGHT),
    ("264352", Quantity.MINUTES), ("266016", Quantity.PRESSURE), ("264864", Quantity.BEATS), ("264928", Quantity.BREATHS),
    ("262688", Quantity.FRACTION),
])  # fmt: skip
def test_units(unit: str, quantity: Quantity) -> None:
    """units: mL/h 265266; mL 263762; mg/mL 264306; ug/kg/min 265619; mg 263890; kg 263875; min 264352; s 264320; mmHg 266016; beat/min
    264864; resp/min 264928; % 262688
    """
    assert in_house_unit(Decimal("12.5"), [unit], quantity) == Decimal("12.5")
    others = [other for other in Quantity if other is not quantity]
    assert not [other for other in others if in_house_unit(Decimal(1), [unit], other) is not None]


def test_units_of_dose_rate_and_seconds() -> None:
    """ug/kg/min 265619; mg 263890; kg 263875; min 264352; s 264320;"""
    assert dose_rate_unit(["265619"]) == "ug/kg/min"
    assert in_house_unit(Decimal(90), ["264320"], Quantity.MINUTES) == Decimal("1.5")


def test_attributes_of_an_alert() -> None:
    """PCD-04 OBX set: event (196616 or physiological code), 68480 source, 68481 phase (start, continue, end, tpoint, update,
    escalate/de-escalate), 68482 state (inactive/active/latched), 68483 inactivation, 68484 priority PN/PL/PM/PH, 68485 type SP/ST/SA.
    """
    assert [mdc_terms.code_of([str(code), "", "MDC"]) for code in range(68480, 68486)] == [
        mdc_terms.ALERT_SOURCE,
        mdc_terms.EVENT_PHASE,
        mdc_terms.ALARM_STATE,
        mdc_terms.INACTIVATION_STATE,
        mdc_terms.ALARM_PRIORITY,
        mdc_terms.ALERT_TYPE,
    ]
    assert {"start", "continue", "end", "tpoint", "update", "escalate", "de-escalate"} == alert_terms.PHASES
    assert set(alert_terms.STATES) == {"inactive", "active", "latched"}
    assert set(alert_terms.PRIORITIES) == {"PN", "PL", "PM", "PH"}
    assert set(alert_terms.TYPES) == {"SP", "ST", "SA"}


def test_every_event_of_a_pump_is_known() -> None:
    """pump events: delivery start/stop/complete (required), comm status, program cleared, patient/ID/parameter change, counters cleared,
    device time changed
    """
    assert event_of(["197288", "MDC_EVT_PUMP_DELIV_START", "MDC"]) is PumpEvent.START
    assert {event_of(["0", event.value, "MDC"]) for event in PumpEvent} == set(PumpEvent)
    assert len(PumpEvent) == 11


def test_a_pump_names_itself_behind_its_gateway() -> None:
    """MSH-3 EUI is the gateway: the pump is in OBX-18 / ATTR_SYS_ID"""
    system = row("67972^MDC_ATTR_SYS_ID^MDC", "PUMP-78", kind="ST", place="1.0.0.1")
    assert read(message(*pump_rows())).pumps[0].equipment == ("PUMP-77",)
    gateway = message(*pump_rows(), system)
    assert set(read(gateway).pumps[0].equipment) == {"PUMP-77", "PUMP-78"}
    assert "Device" not in read(gateway).named, "MSH-3 names nobody"


def test_a_message_that_names_itself_by_nothing_has_no_header() -> None:
    """a frame without a readable MSH-10 gets no acknowledgement, only an operator's entry; MSH-10 echoed"""
    assert read_header(message(row(HR, "70", BEAT), control="")) is None
    header = read_header(message(row(HR, "70", BEAT), control="A-17"))
    assert header is not None
    assert header.control_id == "A-17"


def test_frames_begin_and_end_with_their_own_bytes() -> None:
    """MLLP frame 0x0B ... 0x1C 0x0D; segments end 0x0D; some vendors send LF."""
    plain = message(device(), row(HR, "70", BEAT))
    for end in ("\r", "\n", "\r\n"):
        content = message(device(), row(HR, "70", BEAT), end=end)
        (found,) = [
            item for item in Deframer(100_000).feed(b"\x0b" + content + b"\x1c\x0d") if isinstance(item, Framed)
        ]
        assert found.content == content
        assert read(found.content).observations == read(plain).observations
    assert not [item for item in Deframer(100_000).feed(plain) if not isinstance(item, Torn)]
