"""Every refusal of a start by itself, each with the line of the clinic's rules that it rests on; nothing changes by any of them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, PermissionDenied, SaguaroError
from chassis.remote import RemoteError
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from saguaro.intake.v1 import service_pb2 as intake
from saguaro.intake.v1 import types_pb2 as intake_types
from saguaro.scheduling.v1 import events_pb2 as scheduling
from saguaro.treatment_plan.v1 import events_pb2 as plan
from tests.device_telemetry.frames_by_hand import PUMP, START, frame, pump_report
from tests.device_telemetry.ward import Ward, silent


def ready(ward: Ward, echo_at_s: float = -10.0, **echo: Any) -> None:
    """Order, attached pump and its echo."""
    ward.order()
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False, **echo), at_s=echo_at_s))


def refusal(ward: Ward, **start: Any) -> SaguaroError:
    """The refusal of the start; nothing was authorised."""
    with pytest.raises(SaguaroError) as refused:
        ward.start(**start)
    assert ward.rows("SELECT * FROM authorisation") == []
    assert ward.telemetry().state == "waiting"
    return refused.value


def differs(ward: Ward, *fields: str) -> None:
    """The echo is refused, and these fields are named."""
    refused = refusal(ward)
    assert refused.reason == "ECHO_DIFFERS"
    assert [finding.field for finding in refused.findings] == [f"echoed_programme.{field}" for field in fields]
    assert ward.intake.asked == ward.plan.asked == []


def test_rate_plus_a_tenth(ward: Ward) -> None:
    """'each is compared as Decimal, after unit conversion, with the rounded order. Any difference or absence refuses and is named'"""
    ready(ward, rate_ml_per_h="60.1")
    differs(ward, "rate_ml_per_h")


def test_concentration_two_for_one(ward: Ward) -> None:
    """'each is compared as Decimal ... Any difference or absence refuses and is named'"""
    ready(ward, concentration_mg_per_ml="2")
    differs(ward, "concentration_mg_per_ml")


def test_volume_plus_a_tenth(ward: Ward) -> None:
    """'with drug, concentration, rate and VTBI ... Any difference or absence refuses and is named'"""
    ready(ward, vtbi_ml="40.1")
    differs(ward, "vtbi_ml")


def test_another_drug(ward: Ward) -> None:
    """'with drug, concentration, rate and VTBI ... Any difference or absence refuses and is named'"""
    ready(ward, drug_code="esketamine")
    differs(ward, "drug_code")


def test_no_concentration(ward: Ward) -> None:
    """'Any difference or absence refuses and is named.'"""
    ready(ward, concentration_mg_per_ml="")
    differs(ward, "concentration_mg_per_ml")


def test_all_that_differs_is_named_at_once(ward: Ward) -> None:
    """'Any difference or absence refuses and is named.'"""
    ready(ward, echo_at_s=-180.0, rate_ml_per_h="60.1", vtbi_ml="")
    refused = refusal(ward)
    assert refused.reason == "ECHO_TOO_OLD"
    assert refused.ids["codes"] == "ECHO_TOO_OLD,ECHO_DIFFERS"
    assert refused.ids["differing_fields"] == "rate_ml_per_h,vtbi_ml"


def test_an_echo_three_minutes_old(ward: Ward) -> None:
    """'The echo comes from the pump attached to this session, not older than 2 minutes'"""
    ready(ward, echo_at_s=-180.0)
    assert refusal(ward).reason == "ECHO_TOO_OLD"


def test_an_echo_exactly_two_minutes_old_will_do(ward: Ward) -> None:
    """'not older than 2 minutes'"""
    ready(ward, echo_at_s=-120.0)
    assert ward.start().authorisation_id == ward.authorisation_id


def test_a_pump_attached_elsewhere(ward: Ward) -> None:
    """'The echo comes from the pump attached to this session'"""
    other = str(uuid4())
    ward.book(other)
    ready(ward)
    ward.detach(PUMP, START - timedelta(seconds=5))
    ward.attach(PUMP, other, at=START - timedelta(seconds=4))
    assert refusal(ward).reason == "NO_PUMP_ATTACHED"


def test_a_revoked_order(ward: Ward) -> None:
    """'order unexpired and unused'; a revoked one authorises nothing."""
    ready(ward)
    revoked = plan.OrderRevoked(
        order_id=ward.order_id, session_id=ward.session_id, person_id=ward.person_id, revoked_at=to_timestamp(START)
    )
    assert ward.harness.deliver(revoked) == "applied"
    assert refusal(ward).reason == "ORDER_REVOKED"


def test_an_expired_order(ward: Ward) -> None:
    """'order unexpired and unused'"""
    ready(ward, echo_at_s=8 * 3600 - 10)
    assert refusal(ward, at=START + timedelta(hours=8)).reason == "ORDER_EXPIRED"


def test_a_used_order(ward: Ward) -> None:
    """'order unexpired and unused'; 'at most one infusion an order'"""
    ready(ward)
    used = plan.OrderUsed(
        order_id=ward.order_id, session_id=ward.session_id, person_id=ward.person_id, used_at=to_timestamp(START)
    )
    assert ward.harness.deliver(used) == "applied"
    assert refusal(ward).reason == "ORDER_USED"


@pytest.mark.parametrize("code", ["flag.none_open", "consent.ketamine"])
def test_flag_open_and_consent_withdrawn(ward: Ward, code: str) -> None:
    """'Authorising asks treatment-plan and intake by gRPC at that moment (order unexpired and unused, consent, no open flag)'"""
    ready(ward)
    rules = [intake_types.DecidingRule(code=code), intake_types.DecidingRule(code="age.adult", met=True)]
    ward.intake.answer = intake.CheckStartResponse(allowed=False, rules=rules)
    refused = refusal(ward)
    assert refused.reason == "NOT_CLEARED"
    assert [finding.field for finding in refused.findings] == [code]
    assert ward.plan.asked == []


def test_treatment_plan_not_answering(ward: Ward) -> None:
    """'and fails closed'; the ward's peers take no deadline over 2 s."""
    ready(ward)
    ward.plan.answer = silent()
    assert refusal(ward).reason == "NOT_AUTHORISED_UNREACHABLE"


def test_treatment_plan_refusing(ward: Ward) -> None:
    """'Authorising asks treatment-plan': its own refusal is told as it is."""
    ready(ward)
    ward.plan.answer = RemoteError("FAILED_PRECONDITION", "START_REFUSED", {"field": "session_id", "rule": "ready"})
    assert refusal(ward).reason == "START_REFUSED"


def test_a_change_of_the_booking_that_waits(ward: Ward) -> None:
    """'move and cancel as a saga over plan and devices': while it waits nothing starts, and when it is refused it may."""
    ready(ward)
    about: dict[str, Any] = {
        "change_id": str(uuid4()),
        "session_id": ward.session_id,
        "person_id": ward.person_id,
    }
    assert ward.harness.deliver(scheduling.SessionChangeProposed(**about, kind="move")) == "applied"
    assert refusal(ward).reason == "CHANGE_PENDING"
    refused = scheduling.SessionChangeRefused(**about, reason_code="no.answer", refused_at=to_timestamp(START))
    assert ward.harness.deliver(refused) == "applied"
    assert ward.start().authorisation_id == ward.authorisation_id


def test_somebody_asked_for_the_end(ward: Ward) -> None:
    """'The person's wish to stop is always honoured.'"""
    ready(ward)
    stop = pb.RecordStopRequest(session_id=ward.session_id, reason_code="person.wish")
    assert ward.harness.call("RecordStop", stop, role="nurse", at=START).state == "waiting"
    assert refusal(ward).reason == "STOP_RECORDED"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"expires_on": "2026-07-14"}, "LICENCE_EXPIRED"),
        ({"privileges": ("diagnose",)}, "PRIVILEGE_MISSING"),
        ({"site_id": str(uuid4())}, "PRIVILEGE_MISSING"),
    ],
)
def test_a_privilege_missing(ward: Ward, changed: dict[str, Any], reason: str) -> None:
    """'an expired licence, the wrong site ...: each refused'; 'Diagnose, clear, sign and administer are separate privileges.'"""
    ready(ward)
    privileges = changed.pop("privileges", ())
    assert ward.practitioner(ward.harness.actor_id, *privileges, revision=9, **changed) == "applied"
    with pytest.raises(PermissionDenied) as refused:
        ward.start()
    assert refused.value.reason == reason
    assert ward.rows("SELECT * FROM authorisation") == []


def test_a_licence_holds_to_the_end_of_its_last_day_at_the_site(ward: Ward) -> None:
    """Phoenix 17:30 on its last day is the next day in UTC; an older revision of the practitioner changes nothing."""
    evening = START.replace(day=16, hour=0, minute=30)
    ward.order()
    assert ward.practitioner(ward.harness.actor_id, expires_on="2026-07-15", revision=9) == "applied"
    assert ward.practitioner(ward.harness.actor_id, expires_on="2020-01-01", revision=8) == "applied"
    ward.attach(PUMP, at=evening)
    with pytest.raises(PermissionDenied, match="LICENCE_EXPIRED"):
        ward.detach(PUMP, evening + timedelta(hours=6)) and ward.attach(PUMP, at=evening + timedelta(hours=7))


def test_an_unknown_practitioner_is_asked_to_come_again(ward: Ward) -> None:
    """A copy that is not there yet refuses and is told apart from a missing privilege."""
    request = pb.AttachDeviceRequest(device_id=str(PUMP), session_id=ward.session_id, identity_checked_twice=True)
    with pytest.raises(FailedPrecondition, match="PRACTITIONER_NOT_YET_KNOWN"):
        ward.harness.call("AttachDevice", request, role="nurse", actor_id=uuid4(), at=START)


DOSE: dict[str, Any] = {"weight_kg": "80", "dose_rate": "0.75", "dose_rate_unit": "mg/kg/h"}


@pytest.mark.parametrize(
    "dose", [DOSE, DOSE | {"dose_rate": "12.5", "dose_rate_unit": "ug/kg/min"}, DOSE | {"weight_kg": "80.0"}]
)
def test_dose_mode_after_conversion_of_units(ward: Ward, dose: dict[str, Any]) -> None:
    """'0.5 mg/kg/40 min = 0.75 mg/kg/h = 12.5 ug/kg/min'; '(weight and dose rate too in dose mode)'"""
    ready(ward, **dose)
    assert ward.start().authorisation_id == ward.authorisation_id


@pytest.mark.parametrize(
    ("dose", "field"),
    [
        (DOSE | {"weight_kg": "176"}, "weight_kg"),
        (DOSE | {"weight_kg": ""}, "weight_kg"),
        (DOSE | {"dose_rate": "0.76"}, "dose_rate"),
        (DOSE | {"dose_rate": ""}, "dose_rate"),
        (DOSE | {"dose_rate_unit": "furlong"}, "dose_rate_unit"),
        (DOSE | {"dose_rate_unit": ""}, "dose_rate_unit"),
    ],
)
def test_dose_mode_that_differs(ward: Ward, dose: dict[str, Any], field: str) -> None:
    """'with drug, concentration, rate and VTBI (weight and dose rate too in dose mode) ... Any difference or absence refuses'"""
    ready(ward, **dose)
    differs(ward, field)


def test_a_pump_that_is_swapped_before_the_start_needs_an_echo_of_its_own(ward: Ward) -> None:
    """'The echo comes from the pump attached to this session'"""
    second = uuid4()
    ward.register(second, types.DEVICE_KIND_PUMP)
    ready(ward)
    ward.detach(PUMP, START - timedelta(seconds=5))
    ward.attach(second, at=START - timedelta(seconds=4))
    assert refusal(ward).reason == "NO_ECHO"


def test_a_session_whose_readiness_has_not_arrived(ward: Ward) -> None:
    """The limits relative to the person rest on the baseline of SessionReady: without it no start; the caller repeats it."""
    ready(ward)
    with ward.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE infusion_session SET ready_at = NULL")
    assert refusal(ward).reason == "SESSION_NOT_YET_READY"
    assert ward.ready() == "applied"
    ward.start()
    assert ward.telemetry().state == "authorised"
