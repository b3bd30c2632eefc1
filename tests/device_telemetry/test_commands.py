"""Devices, attachments and the start of an infusion, as a caller sees them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, PermissionDenied, SaguaroError
from chassis.remote import RemoteError
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from saguaro.scheduling.v1 import events_pb2 as scheduling
from saguaro.treatment_plan.v1 import events_pb2 as plan
from tests.device_telemetry.frames_by_hand import HR_LOW, MONITOR, PUMP, START, frame, pump_report
from tests.device_telemetry.ward import REFUSED, Ward, silent


def ready(ward: Ward, echo_at_s: float = -10.0, **echo: Any) -> None:
    """Order, attached pump and its echo."""
    ward.order()
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False, **echo), at_s=echo_at_s))


def refusal(ward: Ward, **start: Any) -> SaguaroError:
    with pytest.raises(SaguaroError) as refused:
        ward.start(**start)
    assert ward.rows("SELECT * FROM authorisation") == []
    return refused.value


def test_a_start_is_authorised_and_asks_both_services(ward: Ward) -> None:
    ready(ward)
    assert ward.start().authorisation_id == ward.authorisation_id
    assert ward.intake.asked[0].person_id == ward.person_id
    asked = ward.plan.asked[0]
    assert (asked.session_id, asked.order_id, asked.pump_id) == (ward.session_id, ward.order_id, str(PUMP))
    assert asked.echoed_at == to_timestamp(START - timedelta(seconds=10))
    assert ward.telemetry().state == "authorised"


def test_a_repeated_start_has_one_answer_and_asks_the_same_question(ward: Ward) -> None:
    ready(ward)
    request_id = str(uuid4())
    ward.plan.answer, granted = silent(), ward.plan.answer
    assert refusal(ward, request_id=request_id).reason == "NOT_AUTHORISED_UNREACHABLE"
    # Meanwhile the pump echoes again and treatment-plan, which had in fact said yes, has marked the order used.
    ward.read(frame(PUMP, 2, report=pump_report("40.0", infusing=False), at_s=-5.0))
    used = plan.OrderUsed(
        order_id=ward.order_id, session_id=ward.session_id, person_id=ward.person_id, used_at=to_timestamp(START)
    )
    assert ward.harness.deliver(used) == "applied"
    ward.plan.answer = granted
    assert ward.start(request_id=request_id).authorisation_id == ward.authorisation_id
    assert ward.start(request_id=request_id).authorisation_id == ward.authorisation_id
    assert len(ward.plan.asked) == 2
    assert ward.plan.asked[0] == ward.plan.asked[1]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"rate_ml_per_h": "60.1"}, "rate_ml_per_h"),
        ({"vtbi_ml": "39.9"}, "vtbi_ml"),
        ({"concentration_mg_per_ml": "2"}, "concentration_mg_per_ml"),
        ({"drug_code": "other"}, "drug_code"),
        ({"vtbi_ml": ""}, "vtbi_ml"),
    ],
)
def test_an_echo_that_differs_is_refused_and_named(ward: Ward, changed: dict[str, Any], field: str) -> None:
    ready(ward, **changed)
    refused = refusal(ward)
    assert refused.reason == "ECHO_DIFFERS"
    assert refused.ids["differing_fields"] == field
    assert ward.plan.asked == []


def test_an_echo_older_than_two_minutes_is_refused(ward: Ward) -> None:
    ready(ward, echo_at_s=-121.0)
    assert refusal(ward).reason == "ECHO_TOO_OLD"


def test_an_echo_from_the_future_is_refused(ward: Ward) -> None:
    ready(ward, echo_at_s=6.0)
    assert refusal(ward).reason == "ECHO_IN_FUTURE"


def test_without_pump_or_echo_nothing_starts(ward: Ward) -> None:
    ward.order()
    assert refusal(ward).reason == "NO_PUMP_ATTACHED"
    ward.attach(PUMP)
    assert refusal(ward).reason == "NO_ECHO"


def test_an_unknown_order_and_a_revoked_one_are_refused(ward: Ward) -> None:
    with pytest.raises(NotFound):
        ward.start()
    ready(ward)
    revoked = plan.OrderRevoked(
        order_id=ward.order_id, session_id=ward.session_id, person_id=ward.person_id, revoked_at=to_timestamp(START)
    )
    assert ward.harness.deliver(revoked) == "applied"
    assert refusal(ward).reason == "ORDER_REVOKED"


@pytest.mark.parametrize("peer", ["intake", "plan"])
@pytest.mark.parametrize("code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"])
def test_no_answer_is_a_refusal(ward: Ward, peer: str, code: str) -> None:
    ready(ward)
    getattr(ward, peer).answer = RemoteError(code, "PEER", {})
    assert refusal(ward).reason == "NOT_AUTHORISED_UNREACHABLE"


def test_the_refusals_of_the_other_services_are_passed_on(ward: Ward) -> None:
    ready(ward)
    ward.intake.answer = REFUSED
    refused = refusal(ward)
    assert refused.reason == "NOT_CLEARED"
    assert [finding.field for finding in refused.findings] == ["consent.ketamine.missing"]
    assert ward.plan.asked == []
    ward.intake.answer = type(REFUSED)(allowed=True)
    ward.plan.answer = RemoteError(
        "FAILED_PRECONDITION", "ORDER_REVOKED", {"field": "order_id", "rule": "must not be revoked"}
    )
    assert refusal(ward).reason == "ORDER_REVOKED"


def test_only_a_nurse_attaches(ward: Ward) -> None:
    with pytest.raises(PermissionDenied):
        ward.attach(PUMP, role="operator")


def test_a_device_belongs_to_one_session_at_a_time(ward: Ward) -> None:
    """A device belongs to at most one session at a time, attached by a named nurse after the two identifiers."""
    other = str(uuid4())
    ward.book(other)
    ward.attach(PUMP)
    with pytest.raises(AlreadyExists, match="DEVICE_ATTACHED"):
        ward.attach(PUMP, other, at=START)
    ward.detach(PUMP, START)
    ward.attach(PUMP, other, at=START)


def test_a_session_has_one_pump(ward: Ward) -> None:
    second = uuid4()
    ward.register(second, types.DEVICE_KIND_PUMP)
    ward.attach(PUMP)
    ward.attach(MONITOR)
    with pytest.raises(AlreadyExists, match="SESSION_HAS_DEVICE"):
        ward.attach(second)


def test_of_many_attachments_at_once_one_succeeds(ward: Ward) -> None:
    sessions = [str(uuid4()) for _ in range(8)]
    for session_id in sessions:
        ward.book(session_id)

    def attempt(session_id: str) -> bool:
        try:
            ward.attach(PUMP, session_id)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, sessions)) == 1


def test_unknown_things_are_not_found(ward: Ward) -> None:
    with pytest.raises(NotFound):
        ward.attach(uuid4())
    with pytest.raises(NotFound):
        ward.attach(PUMP, str(uuid4()))
    with pytest.raises(NotFound):
        ward.detach(PUMP, START)


def test_nothing_is_attached_to_a_cancelled_session(ward: Ward) -> None:
    cancelled = scheduling.SessionCancelled(session_id=ward.session_id, cancelled_at=to_timestamp(START))
    assert ward.harness.deliver(cancelled) == "applied"
    with pytest.raises(FailedPrecondition, match="SESSION_CANCELLED"):
        ward.attach(PUMP)


def test_a_device_that_is_registered_otherwise_is_refused(ward: Ward) -> None:
    ward.register(PUMP, types.DEVICE_KIND_PUMP)
    with pytest.raises(AlreadyExists, match="DEVICE_REGISTERED"):
        ward.register(PUMP, types.DEVICE_KIND_MONITOR)
    with pytest.raises(AlreadyExists, match="EQUIPMENT_ID_TAKEN"):
        ward.register(uuid4(), types.DEVICE_KIND_MONITOR, "0600dc750001")


def test_events_of_orders_wait_for_the_order(ward: Ward) -> None:
    used = plan.OrderUsed(
        order_id=ward.order_id, session_id=ward.session_id, person_id="p", used_at=to_timestamp(START)
    )
    assert ward.harness.deliver(used) == "early"
    assert ward.order() == "applied"
    assert ward.rows("SELECT used_at FROM infusion_order")[0].used_at == START


def test_an_alarm_is_acknowledged_once(ward: Ward) -> None:
    ward.attach(MONITOR)
    ward.read(frame(MONITOR, 1, HR_LOW))
    alarm_id = str(ward.rows("SELECT alarm_id FROM alarm ORDER BY measured_at, alarm_id")[0].alarm_id)
    for _ in range(2):
        ward.harness.call("AcknowledgeAlarm", pb.AcknowledgeAlarmRequest(alarm_id=alarm_id), role="nurse", at=START)
    assert [event.alarm_id for event in ward.harness.events(events.AlarmAcknowledged)] == [alarm_id]
    listed = ward.harness.call("ListAlarms", pb.ListAlarmsRequest(session_id=ward.session_id, page_size=1))
    assert [item.acknowledged for item in listed.alarms] == [True]
    rest = ward.harness.call(
        "ListAlarms", pb.ListAlarmsRequest(session_id=ward.session_id, page_size=1, page_token=listed.next_page_token)
    )
    assert [item.acknowledged for item in rest.alarms] == [False]
    assert rest.next_page_token == ""
