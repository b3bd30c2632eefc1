"""PCD-01 of monitors and pumps: containment, times, units, terms, what is unusable and what is refused, by field and rule."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from device_telemetry.domain.mdc_units import Quantity, in_house_unit
from device_telemetry.ingest.hl7_frames import frames_of, report_of
from tests.device_telemetry.frames_by_hand import MESSAGES as PUBLISHED
from tests.device_telemetry.hl7_by_hand import (
    BEAT,
    HR,
    MESSAGES,
    MG_PER_ML,
    ML,
    ML_PER_H,
    PUMP_ID,
    device,
    findings,
    message,
    pump_rows,
    read,
    row,
    rules,
)


def at(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


FOUR_PM = at(datetime(2026, 7, 15, 16, tzinfo=UTC))


def test_the_published_monitor_message() -> None:
    """(The published monitor message has X on all nine values and a cuff time 6 h 37 min before its MSH-7 if read so.)"""
    found = read((PUBLISHED / "pcd01-monitor.hl7").read_bytes())
    # Two QT intervals and a perfusion index are no metrics here; the rhythm is no number.
    assert len(found.observations) == 6
    assert not any(item.usable for item in found.observations)
    cuff = [item for item in found.observations if item.channel in (150021, 150022, 150023)]
    sent = at(datetime(2015, 1, 22, 18, 26, 58, tzinfo=UTC))
    assert {sent - item.at_ms for item in cuff} == {(6 * 3600 + 36 * 60 + 58) * 1000}
    assert found.zone_assumed
    assert found.warnings == ()


def test_the_published_episodic_message() -> None:
    found = read((PUBLISHED / "pcd01-nibp-episodic.hl7").read_bytes())
    assert [(item.channel, item.value_e6, item.usable) for item in found.observations] == [
        (150021, 111_000_000, True),
        (150022, 60_000_000, True),
        (150023, 80_000_000, True),
        (149546, 63_000_000, True),
    ]
    assert {item.at_ms for item in found.observations} == {at(datetime(2011, 6, 2, 4, 58, 42, tzinfo=UTC))}


def test_a_pump_as_live_pumps_write_it() -> None:
    """B. Braun message oddities: no CR before PID, PID-3 empty with PID-31=Y (unknown patient), MSH-3 EUI is the gateway: the pump is in
    OBX-18 / ATTR_SYS_ID; MSH-21 OID 1.3.6.1.4.1.19376.1.6.4.1; empty OBX-2.
    """
    found = read((MESSAGES / "pcd01-pump.hl7").read_bytes())
    assert found.patients == ()
    assert found.warnings == ()
    (said,) = found.pumps
    assert said.equipment[0] == PUMP_ID
    made = report_of(said)
    assert (made.drug_code, made.concentration_mg_per_ml, made.rate_ml_per_h, made.vtbi_ml) == (
        "ketamine",
        "1",
        "60",
        "40",
    )
    assert (made.infusing, made.current_rate_ml_per_h, made.delivered_total_ml) == (True, "60", "0.5")
    assert (made.keep_vein_open, made.not_delivering_reason, made.vtbi_remaining_ml) == (False, "", "39.5")


@pytest.mark.parametrize("trap", ["157985", "157986", "157994"])
def test_the_traps_are_no_flow_no_concentration_and_no_volume(trap: str) -> None:
    """Traps: 157985/157986/157994 are PCA limits/container start, **not** flow/concentration/delivered (a public generator, a public
    generator, has them wrong, and 150020 as systolic).
    """
    rows = pump_rows(flow="", rate="", concentration="", total=row(f"{trap}^X^MDC", "9", ML, place="1.1.2.6"))
    (said,) = read(message(*rows)).pumps
    assert (said.current_rate_ml_per_h, said.rate_ml_per_h, said.concentration_mg_per_ml, said.total_ml) == (None,) * 4


def test_the_group_of_a_cuff_is_no_systolic_pressure() -> None:
    group = row("150020^MDC_PRESS_BLD_NONINV^MDC", "120", "266016^MDC_DIM_MMHG^MDC")
    assert read(message(device(), group)).observations == ()


@pytest.mark.parametrize(
    ("code", "channel"),
    [
        ("0^MDC_PULS_OXIM_SAT_O2^MDC", 150456),
        ("^MDC_RESP_RATE^MDC", 151562),
        ("MDC_ECG_HEART_RATE^147842^MDC", 147842),
        ("8867-4^Heart rate^LN^147842^MDC_ECG_HEART_RATE^MDC", 147842),
    ],
)
def test_terms_are_found_by_name_where_the_code_is_pending(code: str, channel: int) -> None:
    """Code 0 = "pending" in older messages: match by REFID."""
    unit = {150456: "%", 151562: "264928"}.get(channel, "264864")
    assert [item.channel for item in read(message(device(), row(code, "95", unit))).observations] == [channel]


def test_code_and_name_of_two_terms_are_refused() -> None:
    assert rules(message(row("157784^MDC_CONC_DRUG^MDC", "1", MG_PER_ML))) == {
        "OBX-3: code and name must be of the same term"
    }


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "expected"),
    [
        ("16", "265987^MDC_DIM_KILO_PASCAL^MDC", Quantity.PRESSURE, "120.009852"),
        ("120", "mm[Hg]^mm[Hg]^UCUM", Quantity.PRESSURE, "120"),
        ("1", "mL/min^mL/min^UCUM", Quantity.FLOW, "60"),
        ("0.06", "L/h^L/h^UCUM", Quantity.FLOW, "60"),
        ("60", "0^MDC_DIM_MILLI_L_PER_HR^MDC", Quantity.FLOW, "60"),
        ("1000", "264307^MDC_DIM_MICRO_G_PER_ML^MDC", Quantity.CONCENTRATION, "1"),
        ("1", "g/L^g/L^UCUM", Quantity.CONCENTRATION, "1"),
        ("0.04", "263744^MDC_DIM_X_L^MDC", Quantity.VOLUME, "40"),
        ("40", "263762^MDC_DIM_MILLI_L^MDC^mL^mL^UCUM", Quantity.VOLUME, "40"),
        ("176", "[lb_av]^[lb_av]^UCUM", Quantity.WEIGHT, "79.832257"),
    ],
)
def test_units_of_both_systems_are_converted_exactly(value: str, unit: str, quantity: Quantity, expected: str) -> None:
    """MDC and UCUM units both accepted."""
    assert in_house_unit(Decimal(value), unit.split("^"), quantity) == Decimal(expected)


@pytest.mark.parametrize("unit", ["", "mm[Hg]^mm[Hg]^UCUM", "furlong", "263762^MDC_DIM_MILLI_L^MDC^L^L^UCUM"])
def test_a_unit_that_is_missing_of_another_quantity_unknown_or_contradictory_is_none(unit: str) -> None:
    assert in_house_unit(Decimal(1), unit.split("^"), Quantity.VOLUME) is None


def test_a_message_whose_only_metric_has_an_unknown_unit_is_refused() -> None:
    (finding,) = findings(message(device(), row(HR, "70", "furlong")))
    assert finding.text == "OBX-6: must be a known unit of the metric, in MDC or UCUM"
    assert finding.row == 2


def test_beside_a_row_that_is_refused_the_others_are_taken() -> None:
    saturation = row("150456^MDC_PULS_OXIM_SAT_O2^MDC", "97", "%^%^UCUM", place="1.1.1.2")
    found = read(message(device(), row(HR, "70", "furlong"), saturation))
    assert [item.channel for item in found.observations] == [150456]
    assert [finding.location for finding in found.warnings] == ["OBX-6"]


def test_half_a_programme_is_none() -> None:
    """A pump whose rate has an unknown unit gives no report: what is missing of it must not look like what was left out."""
    found = read(message(*pump_rows(rate=row("157784^MDC_FLOW_FLUID_PUMP^MDC", "60", "drops/min", place="1.1.2.4"))))
    assert found.pumps == ()
    assert [finding.location for finding in found.warnings] == ["OBX-6"]


def test_places_are_unique_within_an_obr_and_free_between_two() -> None:
    again = row("150456^MDC_PULS_OXIM_SAT_O2^MDC", "97", "%", place="1.1.1.1")
    assert rules(message(device(), row(HR, "70", BEAT), again)) == {"OBX-4: must be unique within its OBR"}
    second = "OBR|2||2|69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||20260715160100"
    found = read(message(device(), row(HR, "70", BEAT), second, device(), again, sent="20260715160200+0000"))
    assert [item.at_ms - FOUR_PM for item in found.observations] == [0, 60_000]


@pytest.mark.parametrize(
    ("own", "channel", "vmd", "expected"),
    [
        ("20260715155901", "20260715155902", "20260715155903", "155901"),
        ("", "20260715155902", "20260715155903", "155902"),
        ("", "", "20260715155903", "155903"),
        ("", "", "", "160000"),
    ],
)
def test_times_are_inherited(own: str, channel: str, vmd: str, expected: str) -> None:
    """Timestamps inherit OBX-14 -> channel -> OBR-7."""
    rows = [
        device(),
        device("70686^MDC_DEV_PRESS_BLD_NONINV_VMD^MDC", "1.1.0.0", "", vmd),
        device("70687^MDC_DEV_PRESS_BLD_NONINV_CHAN^MDC", "1.1.1.0", "", channel),
        row(HR, "70", BEAT, at=own),
    ]
    (found,) = read(message(*rows)).observations
    assert datetime.fromtimestamp(found.at_ms / 1000, UTC).strftime("%H%M%S") == expected


def test_a_time_without_a_zone_takes_that_of_the_message_and_is_marked() -> None:
    """A time without a zone takes MSH-7's offset, marked assumed (never the server's)."""
    content = message(device(), row(HR, "70", BEAT, at="20260715090000"), sent="20260715090010-0700")
    (assumed,) = read(content).observations
    assert (assumed.at_ms, assumed.zone_assumed) == (FOUR_PM, True)
    content = message(device(), row(HR, "70", BEAT, at="20260715160000+0000"), sent="20260715090010-0700")
    (told,) = read(content).observations
    assert (told.at_ms, told.zone_assumed) == (FOUR_PM, False)


def test_without_any_zone_there_is_no_time() -> None:
    assert rules(message(device(), row(HR, "70", BEAT), sent="20260715160000")) == {
        "OBX-14: must be a time, or be inherited, with a zone here or in MSH-7"
    }


@pytest.mark.parametrize(("second", "usable"), [("05", True), ("06", False)])
def test_more_than_five_seconds_in_the_future_is_unusable(second: str, usable: bool) -> None:
    """More than 5 s in the future: unusable and alarmed."""
    (found,) = read(message(device(), row(HR, "70", BEAT, at=f"202607151600{second}"))).observations
    assert (found.usable, found.in_future) == (usable, not usable)


@pytest.mark.parametrize("flag", ["INV", "NAV", "BUSY", "CAL", "TEST", "DEMO", "L~DEMO", "L^INV"])
def test_flags_that_make_a_value_unusable(flag: str) -> None:
    """OBX-11 X, or OBX-8 INV, NAV, BUSY, CAL, TEST or DEMO; 0 and empty in the recordings: no freshness, no alarm raised or cleared."""
    (found,) = read(message(device(), row(HR, "70", BEAT, flag=flag))).observations
    assert not found.usable


@pytest.mark.parametrize("flag", ["", "L", "HH", "A", "QUES", "EARLY", "ALACT"])
def test_flags_that_do_not(flag: str) -> None:
    (found,) = read(message(device(), row(HR, "70", BEAT, flag=flag))).observations
    assert found.usable


def test_a_flow_of_zero_is_a_value_and_a_heart_rate_of_zero_is_none() -> None:
    standing = pump_rows(
        status=row("184519^MDC_PUMP_INFUSING_STATUS^MDC", "^pump-status-not-infusing", place="1.1.1.1", kind="CWE"),
        flow=row("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "0", ML_PER_H, place="1.1.1.2"),
    )
    flow = [item for item in read(message(*standing)).observations if item.channel == 158014]
    assert [item.usable for item in flow] == [True]
    (heart,) = read(message(device(), row(HR, "0", BEAT))).observations
    assert not heart.usable


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("pump-stopped-by-clinician", "paused"),
        ("pump-stopped-user", "paused"),
        ("pump-stopped-alarming", "alarming"),
        ("pump-stopped-powered-off", "stopped"),
        ("pump-stopped-by-magic", "unknown"),
    ],
)
def test_why_a_pump_does_not_deliver(reason: str, expected: str) -> None:
    rows = pump_rows(
        status=row("184519^MDC_PUMP_INFUSING_STATUS^MDC", "^pump-status-not-infusing", place="1.1.1.1", kind="CWE"),
        flow=row("158014^MDC_FLOW_FLUID_PUMP_CURRENT^MDC", "0", ML_PER_H, place="1.1.1.2"),
        reason=row("158006^MDC_PUMP_NOT_DELIVERING_REASON^MDC", f"^{reason}", place="1.1.2.9", kind="CWE"),
    )
    (said,) = read(message(*rows)).pumps
    assert report_of(said).not_delivering_reason == expected


def test_the_programme_is_that_of_the_active_source() -> None:
    rows = pump_rows(
        sources=row("158016^MDC_PUMP_ACTIVE_SOURCES^MDC", "^pump-source-info-secondary", place="1.1.1.3", kind="CWE"),
        second=device("0^MDC_DEV_PUMP_INFUSATE_SOURCE_SECONDARY_CHAN^MDC", "1.1.3.0", ""),
        rate_2=row("157784^MDC_FLOW_FLUID_PUMP^MDC", "30", ML_PER_H, place="1.1.3.1"),
    )
    (said,) = read(message(*rows)).pumps
    assert said.rate_ml_per_h == Decimal(30)


def test_several_devices_in_one_message_keep_apart() -> None:
    rows = [device(equipment="M1"), row(HR, "70", BEAT), "OBR|2||2|x|||20260715160000", device(equipment="M2")]
    rows.append(row(HR, "80", BEAT))
    found = read(message(*rows))
    made = frames_of(found, {"M1": "a", "M2": "b"})
    assert {device_id: len(frames) for device_id, frames in made.items()} == {"a": 1, "b": 1}


def test_a_day_between_two_rows_is_two_frames() -> None:
    rows = [device(), row(HR, "70", BEAT), row(HR, "70", BEAT, place="1.1.1.2", at="20260601160000")]
    made = frames_of(read(message(*rows)), {"M1": "a"})
    assert len(made["a"]) == 2


def test_training_messages_of_a_pump_give_no_report() -> None:
    """**DEMO/TEST data must never enter a chart.**"""
    assert read(message(*pump_rows(), processing="T")).pumps == ()


@pytest.mark.parametrize(
    "profile",
    [
        "",
        "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
        "PCD_DEC_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
        "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.4.1^ISO",
        "A~IHE_PCD_ORU_R01^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
    ],
)
def test_the_trigger_says_what_a_message_is_whatever_its_profile(profile: str) -> None:
    assert len(read(message(device(), row(HR, "70", BEAT), profile=profile)).observations) == 1


def test_other_delimiters_and_escapes() -> None:
    content = message(*pump_rows(drug=row("184514^X^MDC", "Keta\\S\\mine \\F\\", place="1.1.2.7", kind="ST")))
    (said,) = read(content).pumps
    assert said.drug_label == "Keta^mine |"
    other = message(device(), row(HR, "70", BEAT)).replace(b"|", b"!").replace(b"^", b"@").replace(b"!@~", b"!@~")
    assert [item.channel for item in read(other).observations] == [147842]
