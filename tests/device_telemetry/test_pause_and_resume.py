"""Pause, resume, stop and another pump, as the nurse sees them: 'Resume needs a named nurse, a reason, vitals inside limits, the same echo,
VTBI remaining = ordered minus delivered within 0.5 mL.'"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.errors import FailedPrecondition, PermissionDenied
from device_telemetry.domain import codes
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from tests.device_telemetry.frames_by_hand import MONITOR, PUMP, START, frame, pump_report, usable
from tests.device_telemetry.ward import Ward


class Bed:
    """An infusion under way in the ward: 40 mL at 60 mL/h, one report of the pump after another."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        self._sequences: dict[UUID, int] = {}
        ward.order()
        ward.attach(PUMP)
        ward.attach(MONITOR)
        self.report(-10, "40", infusing=False)
        ward.start()
        self.report(0, "40")

    def report(self, at_s: float, total: str, infusing: bool = True, pump: UUID = PUMP, **more: Any) -> None:
        """What the pump says at this second."""
        self._sequences[pump] = self._sequences.get(pump, 0) + 1
        said = pump_report(total, infusing, **more)
        self.ward.read(frame(pump, self._sequences[pump], report=said, at_s=at_s, period_s=60.0))

    def vitals(self, at_s: float, sbp: float = 120, hr: float = 70, spo2: float = 97) -> None:
        """What the monitor measures at this second."""
        self._sequences[MONITOR] = self._sequences.get(MONITOR, 0) + 1
        samples = [
            *usable(codes.HEART_RATE, [(at_s, hr)]),
            *usable(codes.OXYGEN_SATURATION, [(at_s, spo2)]),
            *usable(codes.CUFF_SYSTOLIC, [(at_s, sbp)]),
        ]
        self.ward.read(frame(MONITOR, self._sequences[MONITOR], samples, period_s=60.0))

    def pause(self, at_s: float = 600, total: str = "50", remaining: str = "30", reason: str = "paused") -> None:
        """The pump came to stand, after ten minutes unless said otherwise."""
        self.report(at_s, total, infusing=False, not_delivering_reason=reason, vtbi_remaining_ml=remaining)

    def resume(self, at_s: float, role: str = "nurse", actor: UUID | None = None) -> Any:
        """The nurse lets it go on."""
        request = pb.ResumeInfusionRequest(session_id=self.ward.session_id, reason_code="line.cleared")
        at = START + timedelta(seconds=at_s)
        return self.ward.harness.call("ResumeInfusion", request, role=role, actor_id=actor, at=at)

    def stop(self, at_s: float, reason: str = "person.wish", role: str = "nurse") -> str:
        """Somebody asks for the end."""
        request = pb.RecordStopRequest(session_id=self.ward.session_id, reason_code=reason)
        answer = self.ward.harness.call("RecordStop", request, role=role, at=START + timedelta(seconds=at_s))
        return str(answer.state)

    def refused(self, at_s: float, **how: Any) -> FailedPrecondition:
        """The refusal of a resume, which changed nothing."""
        with pytest.raises(FailedPrecondition) as refused:
            self.resume(at_s, **how)
        assert self.ward.rows("SELECT * FROM resume") == []
        return refused.value

    def alarms(self) -> list[str]:
        """Kinds that were raised."""
        return [event.kind_code for event in self.ward.harness.events(events.AlarmRaised)]

    def moves(self) -> list[str]:
        """How the infusion moved."""
        return [
            type(event).__name__.removeprefix("Infusion")
            for event in self.ward.harness.events()
            if type(event).__name__.startswith("Infusion")
        ]


@pytest.fixture
def bed(ward: Ward) -> Bed:
    """An infusion that runs."""
    return Bed(ward)


def test_a_nurse_lets_a_paused_infusion_go_on(bed: Bed) -> None:
    """'Resume needs a named nurse, a reason, vitals inside limits, the same echo, VTBI remaining = ordered minus delivered'"""
    bed.report(580, "49.6")
    bed.vitals(590)
    bed.pause()
    assert bed.ward.telemetry().state == "paused"
    bed.resume(660)
    assert bed.ward.telemetry().state == "paused", "the pump goes on by itself; nothing commands it"
    bed.report(670, "50")
    bed.report(2470, "80", infusing=False, not_delivering_reason="completed")
    (resumed,) = bed.ward.harness.events(events.InfusionResumed)
    assert (resumed.pump_id, resumed.authorised_by) == (str(PUMP), str(bed.ward.harness.actor_id))
    assert resumed.reason_code == "line.cleared"
    (completed,) = bed.ward.harness.events(events.InfusionCompleted)
    assert (completed.delivered_ml, completed.delivering_seconds, completed.paused_seconds) == ("40", 2400, 70)
    assert [kind for kind in bed.alarms() if kind.startswith("pump.")] == []


def test_a_pump_that_goes_on_without_being_let_is_high(bed: Bed) -> None:
    """'Loss of link never resumes'; a pump that resumes without authorisation raises HIGH within one frame, until it stands."""
    bed.pause()
    bed.report(660, "50")
    assert "pump.unauthorised_resume" in bed.alarms()
    raised = [e for e in bed.ward.harness.events(events.AlarmRaised) if e.kind_code == "pump.unauthorised_resume"]
    assert [event.priority for event in raised] == [types.ALARM_PRIORITY_HIGH]
    bed.pause(720, "51", "29")
    (cleared,) = bed.ward.rows("SELECT cleared_at FROM alarm WHERE kind_code = 'pump.unauthorised_resume'")
    assert cleared.cleared_at == START + timedelta(seconds=720)


def test_a_resume_of_an_earlier_pause_is_none_of_this_one(bed: Bed) -> None:
    """Each pause needs its own resume."""
    bed.vitals(590)
    bed.pause()
    bed.resume(620)
    bed.report(630, "50")
    bed.pause(690, "51", "29")
    bed.report(700, "51")
    assert "pump.unauthorised_resume" in bed.alarms()


@pytest.mark.parametrize(("remaining", "allowed"), [("30.5", True), ("29.5", True), ("30.6", False), ("29.4", False)])
def test_what_is_still_to_go_in(bed: Bed, remaining: str, allowed: bool) -> None:
    """'VTBI remaining = ordered minus delivered within 0.5 mL'"""
    bed.vitals(590)
    bed.pause(remaining=remaining)
    if allowed:
        assert bed.resume(620).resume_id
    else:
        refused = bed.refused(620)
        assert (refused.reason, refused.field) == ("REMAINING_DIFFERS", "echoed_programme.vtbi_remaining_ml")


def test_a_pump_that_does_not_count_down_shows_what_is_left_as_its_volume(bed: Bed) -> None:
    """Without a remaining volume, the programmed one has to be it: 40 mL once more would be 10 mL too much."""
    bed.pause(remaining="")
    assert bed.refused(620).reason == "REMAINING_DIFFERS"


def test_the_same_echo(bed: Bed) -> None:
    """'the same echo': drug, concentration and rate."""
    bed.report(600, "50", infusing=False, not_delivering_reason="paused", vtbi_remaining_ml="30", rate_ml_per_h="61")
    refused = bed.refused(620)
    assert (refused.reason, refused.ids["differing_fields"]) == ("ECHO_DIFFERS", "rate_ml_per_h")
    bed.pause(630)
    assert bed.refused(751).reason == "ECHO_TOO_OLD"


def test_vitals_inside_limits(bed: Bed) -> None:
    """'vitals inside limits': every one that is not is named."""
    bed.vitals(590, sbp=165, spo2=91)
    bed.pause()
    refused = bed.refused(620)
    assert refused.reason == "VITALS_OUTSIDE_LIMITS"
    assert {finding.field for finding in refused.findings} == {"sbp.high.caution", "spo2.low.caution"}
    bed.vitals(625, sbp=150, spo2=96)
    assert bed.resume(630).resume_id


def test_vitals_that_nobody_hears_are_not_inside_limits(bed: Bed) -> None:
    """A silent metric says nothing of being inside a limit."""
    bed.pause()
    refused = bed.refused(620)
    assert refused.reason == "VITALS_SILENT"
    assert "hr.silent" in {finding.field for finding in refused.findings}


def test_paused_longer_than_thirty_minutes_needs_a_prescriber(bed: Bed) -> None:
    """'Paused longer than 30 minutes or a second stop-limit: prescriber.'"""
    nurse, prescriber = uuid4(), uuid4()
    bed.ward.practitioner(nurse, "administer")
    bed.ward.practitioner(prescriber, "sign")
    bed.vitals(590)
    bed.pause()
    at_s = 600 + 30 * 60 + 1
    bed.vitals(at_s - 20)
    bed.pause(at_s - 10)
    with pytest.raises(PermissionDenied, match="PRIVILEGE_MISSING"):
        bed.resume(at_s, actor=nurse)
    assert bed.resume(at_s, role="prescriber", actor=prescriber).resume_id
    assert [row.privilege for row in bed.ward.rows("SELECT privilege FROM resume")] == ["sign"]


def test_paused_for_thirty_minutes_does_not_yet(bed: Bed) -> None:
    """'Paused longer than 30 minutes'"""
    nurse = uuid4()
    bed.ward.practitioner(nurse, "administer")
    bed.pause()
    bed.vitals(2390)
    bed.pause(2395)
    assert bed.resume(2400, actor=nurse).resume_id


def test_a_second_stop_limit_needs_a_prescriber(bed: Bed) -> None:
    """'Paused longer than 30 minutes or a second stop-limit: prescriber.'"""
    nurse, prescriber = uuid4(), uuid4()
    bed.ward.practitioner(nurse, "administer")
    bed.ward.practitioner(prescriber, "administer", "sign")
    bed.vitals(580, sbp=205)
    bed.pause()
    bed.vitals(630)
    bed.resume(640, actor=nurse)
    bed.report(650, "50")
    bed.vitals(700, sbp=205)
    bed.pause(710, "51", "29")
    bed.vitals(760)
    with pytest.raises(PermissionDenied, match="PRIVILEGE_MISSING"):
        bed.resume(765, actor=nurse)
    assert bed.resume(765, role="prescriber", actor=prescriber).resume_id


def test_a_signer_without_registration_is_no_prescriber(bed: Bed) -> None:
    """'a signer without DEA: each refused'"""
    prescriber = uuid4()
    bed.ward.practitioner(prescriber, "sign", dea="2026-07-14")
    bed.pause()
    bed.pause(2495)
    with pytest.raises(PermissionDenied, match="DEA_REGISTRATION_MISSING"):
        bed.resume(2500, role="prescriber", actor=prescriber)


def test_what_runs_is_not_resumed(bed: Bed) -> None:
    """State changes only on the pump's own report."""
    assert bed.refused(30).reason == "NOT_PAUSED"


def test_a_pump_changed_in_the_middle(bed: Bed) -> None:
    """'delivered mL = cumulative volume ... summed over segments'; a second pump is authorised again, and the volumes are added."""
    second = uuid4()
    bed.ward.register(second, types.DEVICE_KIND_PUMP)
    bed.report(580, "49.6")
    bed.vitals(590)
    bed.pause(reason="occluded")
    bed.ward.detach(PUMP, START + timedelta(seconds=620))
    bed.ward.attach(second, at=START + timedelta(seconds=630))
    bed.report(640, "7.5", infusing=False, pump=second, vtbi_ml="30", vtbi_remaining_ml="30")
    bed.vitals(645)
    bed.resume(650)
    bed.report(660, "7.5", pump=second, vtbi_ml="30", vtbi_remaining_ml="30")
    bed.report(2460, "37.5", infusing=False, pump=second, vtbi_ml="30", not_delivering_reason="completed")
    assert bed.moves() == ["Started", "Paused", "Resumed", "Completed"]
    (completed,) = bed.ward.harness.events(events.InfusionCompleted)
    assert (completed.delivered_ml, completed.delivering_seconds, completed.paused_seconds) == ("40.0", 2400, 60)
    (resumed,) = bed.ward.harness.events(events.InfusionResumed)
    assert resumed.pump_id == str(second)
    assert [kind for kind in bed.alarms() if kind.startswith("pump.")] == ["pump.occluded"]


def test_a_second_pump_that_nobody_let_is_high(bed: Bed) -> None:
    """'A pump that infuses without authorisation ... raises HIGH within one frame.'"""
    second = uuid4()
    bed.ward.register(second, types.DEVICE_KIND_PUMP)
    bed.pause()
    bed.ward.detach(PUMP, START + timedelta(seconds=620))
    bed.ward.attach(second, at=START + timedelta(seconds=630))
    bed.report(640, "0", pump=second, vtbi_ml="30")
    assert "pump.unauthorised_start" in bed.alarms()
    assert bed.ward.telemetry().state == "paused"


def test_a_pump_that_is_taken_off_while_it_runs_leaves_the_infusion_waiting(bed: Bed) -> None:
    """A pump that failed says nothing more: the infusion waits for another one, and what it gave stays counted."""
    bed.report(600, "50")
    bed.ward.detach(PUMP, START + timedelta(seconds=700))
    bed.report(690, "51.5")
    telemetry = bed.ward.telemetry()
    assert (telemetry.state, telemetry.delivered_ml, telemetry.remaining_ml) == ("paused", "11.5", "28.500000")
    (paused,) = bed.ward.harness.events(events.InfusionPaused)
    assert paused.reason_code == "detached"


def test_the_persons_wish_while_it_runs(bed: Bed) -> None:
    """'The person's wish to stop is always honoured': HIGH until the pump stands, and its reason is that of the abort."""
    assert bed.stop(300) == "infusing"
    assert "pump.stop_requested" in bed.alarms()
    bed.report(310, "45.2")
    bed.report(320, "45.3", infusing=False, not_delivering_reason="paused")
    (aborted,) = bed.ward.harness.events(events.InfusionAborted)
    assert (aborted.reason_code, aborted.delivered_ml) == ("person.wish", "5.3")
    assert bed.alarms().count("pump.stop_requested") == 1
    (row,) = bed.ward.rows("SELECT cleared_at FROM alarm WHERE kind_code = 'pump.stop_requested'")
    assert row.cleared_at is not None


def test_the_persons_wish_while_it_is_paused(bed: Bed) -> None:
    """The pump stands already: the infusion ended when it came to stand, and nothing goes on."""
    bed.vitals(590)
    bed.pause()
    assert bed.stop(660, "adverse.event", role="prescriber") == "aborted"
    assert bed.stop(670) == "aborted"
    (aborted,) = bed.ward.harness.events(events.InfusionAborted)
    assert (aborted.reason_code, aborted.delivering_seconds) == ("adverse.event", 600)
    assert aborted.stopped_at.ToDatetime(tzinfo=START.tzinfo) == START + timedelta(seconds=600)
    assert "STOP_RECORDED" in bed.refused(680).ids["codes"]
    bed.report(700, "50", infusing=False, not_delivering_reason="stopped")
    assert bed.moves() == ["Started", "Paused", "Aborted"]


def test_nothing_is_stopped_that_went_in(bed: Bed) -> None:
    """A stop after the end is refused and kept nowhere."""
    bed.report(2400, "80", infusing=False, not_delivering_reason="completed")
    with pytest.raises(FailedPrecondition, match="INFUSION_COMPLETED"):
        bed.stop(2410)
    assert bed.ward.rows("SELECT * FROM infusion_stop") == []


def test_an_unauthorised_start_is_high_within_one_frame(ward: Ward) -> None:
    """'A pump that infuses without authorisation ... raises HIGH within one frame.'"""
    ward.order()
    ward.attach(PUMP)
    ward.read(frame(PUMP, 1, report=pump_report("40.0"), at_s=0))
    (raised,) = ward.harness.events(events.AlarmRaised)
    assert (raised.kind_code, raised.priority) == ("pump.unauthorised_start", types.ALARM_PRIORITY_HIGH)
    assert raised.measured_at == raised.detected_at
    assert ward.telemetry().state == "waiting"


@pytest.mark.parametrize("changed", [{"rate_ml_per_h": "61"}, {"vtbi_ml": "41"}, {"drug_code": "other"}])
def test_a_change_at_minute_twenty_is_high_within_one_frame(bed: Bed, changed: dict[str, Any]) -> None:
    """'or changes rate, VTBI or drug while running, raises HIGH within one frame.'"""
    bed.report(1190, "59.8")
    assert "pump.programme_changed" not in bed.alarms()
    bed.report(1200, "60", **changed)
    (raised,) = [e for e in bed.ward.harness.events(events.AlarmRaised) if e.kind_code == "pump.programme_changed"]
    assert raised.priority == types.ALARM_PRIORITY_HIGH
    assert raised.measured_at.ToDatetime(tzinfo=START.tzinfo) == START + timedelta(minutes=20)
    assert raised.detected_at == raised.measured_at
