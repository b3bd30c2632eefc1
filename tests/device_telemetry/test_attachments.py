"""Who a device belongs to: 'A device belongs to at most one session at a time, attached by a named nurse after the two identifiers.'"""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, PermissionDenied
from chassis.values import to_timestamp
from device_telemetry.device_alarms import clear_device_alarm, raise_device_alarm
from device_telemetry.domain.alarm_kinds import WRONG_PERSON
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from saguaro.scheduling.v1 import events_pb2 as scheduling
from tests.device_telemetry.frames_by_hand import HR_LOW, MONITOR, PUMP, START, START_MS, frame, pump_report
from tests.device_telemetry.ward import Ward

BEFORE = START - timedelta(minutes=5)


def device_alarms(ward: Ward, role: str = "nurse") -> list[pb.DeviceAlarm]:
    """The technical alarms of the site's devices."""
    answer = ward.harness.call("ListDeviceAlarms", pb.ListDeviceAlarmsRequest(site_id=ward.site_id), role=role)
    return list(answer.alarms)


def test_a_named_nurse_attaches_and_detaches(ward: Ward) -> None:
    """Who attached it stays with the attachment; both are told."""
    ward.attach(PUMP)
    (row,) = ward.rows("SELECT attached_by FROM attachment")
    assert row.attached_by == ward.harness.actor_id
    ward.detach(PUMP, START)
    (attached,) = ward.harness.events(events.DeviceAttached)
    (detached,) = ward.harness.events(events.DeviceDetached)
    assert (attached.device_id, attached.kind) == (str(PUMP), types.DEVICE_KIND_PUMP)
    assert (attached.session_id, attached.attached_by) == (ward.session_id, str(ward.harness.actor_id))
    assert attached.attached_at == to_timestamp(BEFORE)
    assert (detached.device_id, detached.session_id) == (str(PUMP), ward.session_id)
    assert detached.detached_at == to_timestamp(START)


def test_without_the_two_identifiers_nothing_is_attached(ward: Ward) -> None:
    """'attached by a named nurse after the two identifiers'"""
    request = pb.AttachDeviceRequest(device_id=str(PUMP), session_id=ward.session_id)
    with pytest.raises(FailedPrecondition) as refused:
        ward.harness.call("AttachDevice", request, role="nurse", at=BEFORE)
    assert (refused.value.reason, refused.value.field) == ("IDENTITY_NOT_CHECKED", "identity_checked_twice")
    assert ward.rows("SELECT * FROM attachment") == []
    assert ward.harness.events() == []


def test_administering_is_a_privilege(ward: Ward) -> None:
    """'Diagnose, clear, sign and administer are separate privileges.'"""
    assert ward.practitioner(ward.harness.actor_id, "sign", "clear", "diagnose", revision=9) == "applied"
    with pytest.raises(PermissionDenied, match="PRIVILEGE_MISSING"):
        ward.attach(PUMP)
    assert ward.rows("SELECT * FROM attachment") == []


def test_a_device_that_belongs_to_nobody_is_a_technical_alarm(ward: Ward) -> None:
    """'a device attached to nothing: kept unassigned for an operator, never charted, a technical alarm'"""
    first, second = frame(MONITOR, 1, HR_LOW), frame(MONITOR, 2, at_s=60, report=pump_report("0", infusing=False))
    ward.read(first, first, key=str(MONITOR))
    ward.read(second, key=str(MONITOR))
    assert ward.rows("SELECT 1 FROM alarm") == ward.rows("SELECT 1 FROM frame") == []
    (found,) = device_alarms(ward)
    assert (found.device_id, found.kind_code, found.active, found.frames) == (
        str(MONITOR), "device.unassigned", True, 2,
    )  # fmt: skip
    assert (found.first_at, found.last_at) == (to_timestamp(START), to_timestamp(START + timedelta(minutes=1)))
    ward.attach(MONITOR, at=START + timedelta(minutes=2))
    ward.read(frame(MONITOR, 3, HR_LOW), key=str(MONITOR))
    assert [item.active for item in device_alarms(ward, "operator")] == [False]


def test_a_message_about_another_person_is_an_alarm_of_the_session(ward: Ward) -> None:
    """'A PID that contradicts it ...: kept unassigned for an operator, never charted, a technical alarm.'"""
    ward.attach(MONITOR)
    for act in (raise_device_alarm, raise_device_alarm, clear_device_alarm, clear_device_alarm):
        with ward.database.unit_of_work(ward.harness.context(at=START)) as uow:
            act(uow, ward.session_id, str(MONITOR), WRONG_PERSON, START_MS)
    (raised,) = ward.harness.events(events.AlarmRaised)
    assert (raised.kind_code, raised.category, raised.device_id) == (
        "device.wrong_person", types.ALARM_CATEGORY_TECHNICAL, str(MONITOR),
    )  # fmt: skip
    assert len(ward.harness.events(events.AlarmCleared)) == 1


def change(ward: Ward) -> dict[str, str]:
    """What every message of one change says."""
    about = {"session_id": ward.session_id, "person_id": ward.person_id, "site_id": ward.site_id}
    return about | {"change_id": str(uuid4())}


def answers(ward: Ward) -> list[tuple[bool, str]]:
    """What we answered to changes."""
    return [(event.accepted, event.reason_code) for event in ward.harness.events(events.SessionChangeAnswered)]


def propose(ward: Ward, about: dict[str, str], kind: str = "move") -> str:
    """Scheduling asks."""
    return ward.harness.deliver(
        scheduling.SessionChangeProposed(**about, kind=kind, proposed_at=to_timestamp(START)), at=START
    )


def test_a_change_is_accepted_while_nothing_runs_and_answered_once(ward: Ward) -> None:
    """The saga: each answers; the same proposal again changes nothing."""
    ward.attach(PUMP)
    about = change(ward)
    assert propose(ward, about) == "applied"
    assert propose(ward, about) == "applied"
    assert answers(ward) == [(True, "")]


def test_a_moved_session_gives_its_devices_back(ward: Ward) -> None:
    """Moved: the devices are detached, the change is settled, and another session may have them."""
    ward.attach(PUMP)
    ward.attach(MONITOR)
    about = change(ward)
    propose(ward, about)
    moved = scheduling.SessionMoved(**about, moved_at=to_timestamp(START + timedelta(minutes=1)))
    assert ward.harness.deliver(moved) == "applied"
    assert {event.device_id for event in ward.harness.events(events.DeviceDetached)} == {str(PUMP), str(MONITOR)}
    assert [row.outcome for row in ward.rows("SELECT outcome FROM session_change")] == ["moved"]
    other = str(uuid4())
    ward.book(other)
    ward.attach(PUMP, other, at=START + timedelta(minutes=2))


def test_a_change_is_refused_once_a_start_was_authorised(ward: Ward) -> None:
    """'devices.infusing': authorised is enough, the pump may run at any moment."""
    ward.order()
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0", infusing=False), at_s=-10.0))
    ward.start()
    assert propose(ward, change(ward), "cancel") == "applied"
    assert answers(ward) == [(False, "devices.infusing")]


def test_a_change_is_refused_while_a_pump_runs_that_nobody_let(ward: Ward) -> None:
    """What the pump reports is the fact, authorised or not."""
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0"), at_s=0))
    propose(ward, change(ward))
    assert answers(ward) == [(False, "devices.infusing")]


def test_a_cancelled_session_gives_its_devices_back(ward: Ward) -> None:
    """A cancellation without a saga, as an earlier release raised it, is settled in the same way."""
    ward.attach(MONITOR)
    cancelled = scheduling.SessionCancelled(
        session_id=ward.session_id, person_id=ward.person_id, site_id=ward.site_id, cancelled_at=to_timestamp(START)
    )
    assert ward.harness.deliver(cancelled) == "applied"
    assert [event.device_id for event in ward.harness.events(events.DeviceDetached)] == [str(MONITOR)]
