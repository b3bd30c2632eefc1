"""What is charted, what others report, and what a console reads of a session."""

from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import ALDRETE, NOW, SITE, Treatment, Ward

END = NOW + timedelta(minutes=40)


@pytest.fixture
def ward(shared_ward: Ward) -> Ward:
    """Every test has a person of its own."""
    return shared_ward


def started(ward: Ward) -> Treatment:
    """A running infusion."""
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    assert ward.harness.deliver(treatment.started_event()) == "applied"
    return treatment


def paused(treatment: Treatment, minute: int) -> Any:
    """The pump pauses at a minute."""
    return device_events.InfusionPaused(
        session_id=treatment.session_id,
        person_id=treatment.plan.person_id,
        site_id=SITE,
        paused_at=to_timestamp(NOW + timedelta(minutes=minute)),
        reason_code="pump.paused",
    )


def resumed(treatment: Treatment, minute: int) -> Any:
    """The pump goes on at a minute."""
    return device_events.InfusionResumed(
        session_id=treatment.session_id,
        person_id=treatment.plan.person_id,
        site_id=SITE,
        resumed_at=to_timestamp(NOW + timedelta(minutes=minute)),
    )


def record_of(treatment: Treatment, at: Any = END) -> types.SessionRecord:
    """Everything on record."""
    request = pb.GetSessionRecordRequest(session_id=treatment.session_id)
    record: types.SessionRecord = treatment.nursing("GetSessionRecord", request, at).record
    return record


def test_the_session_follows_the_pump(ward: Ward) -> None:
    """planned -> prepared(2 persons) -> programmed(pump confirms program = order) -> infusing <-> paused -> completed | aborted ->
    recovering -> discharged.
    """
    treatment = ward.ordered()
    seen = [ward.state_of(treatment.session_id)]
    treatment.prepared()
    seen.append(ward.state_of(treatment.session_id))
    treatment.mark_ready()
    seen.append(ward.state_of(treatment.session_id))
    treatment.authorise()
    seen.append(ward.state_of(treatment.session_id))
    for event in (treatment.started_event(), paused(treatment, 10), resumed(treatment, 15), treatment.ended_event()):
        assert ward.harness.deliver(event) == "applied"
        seen.append(ward.state_of(treatment.session_id))
    assert seen == [
        types.SESSION_STATE_PLANNED,
        types.SESSION_STATE_PREPARED,
        types.SESSION_STATE_READY,
        types.SESSION_STATE_AUTHORISED,
        types.SESSION_STATE_INFUSING,
        types.SESSION_STATE_PAUSED,
        types.SESSION_STATE_INFUSING,
        types.SESSION_STATE_RECOVERING,
    ]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::4])
def test_reports_in_any_order_give_the_same_record(ward: Ward, order: tuple[int, ...]) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    reports = [treatment.started_event(), paused(treatment, 10), resumed(treatment, 15), treatment.ended_event()]
    for position in order:
        assert ward.harness.deliver(reports[position]) == "applied"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_RECOVERING
    infusion = record_of(treatment).infusion
    assert (infusion.started_at, infusion.stopped_at) == (to_timestamp(NOW), to_timestamp(END))
    assert infusion.last_paused_at == to_timestamp(NOW + timedelta(minutes=10))
    assert (infusion.outcome, infusion.delivered_ml) == (types.SESSION_OUTCOME_COMPLETED, "40")


def test_an_older_pause_does_not_pause_again(ward: Ward) -> None:
    treatment = started(ward)
    for event in (resumed(treatment, 15), paused(treatment, 10)):
        assert ward.harness.deliver(event) == "applied"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_INFUSING


def test_a_pause_without_an_authorised_start_is_poison(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    assert ward.harness.deliver(paused(treatment, 10)) == "poison"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_READY


def test_a_pump_changed_in_the_middle_changes_only_the_totals(ward: Ward) -> None:
    """summed over segments where the counter was cleared"""
    treatment = started(ward)
    for event in (paused(treatment, 10), resumed(treatment, 25)):
        ward.harness.deliver(event)
    ended = treatment.ended_event(delivered_ml="40.0", paused_seconds=900)
    assert ward.harness.deliver(ended) == "applied"
    infusion = record_of(treatment).infusion
    assert (infusion.delivered_ml, infusion.delivering_seconds, infusion.paused_seconds) == ("40", 2400, 900)


@pytest.mark.parametrize(
    ("phase", "field", "seen"),
    [
        ("baseline", "observation", {}),
        ("baseline", "observation", {"on_oxygen": True}),
        ("baseline", "observation.diastolic_mmhg", {"systolic_mmhg": "120"}),
        ("baseline", "observation.systolic_mmhg", {"systolic_mmhg": "80", "diastolic_mmhg": "80"}),
        ("baseline", "observation.spo2_percent", {"spo2_percent": "100.1"}),
        ("baseline", "observation.cadss.total", {"cadss": types.CadssScore(form="CADSS-6", total=25)}),
        ("baseline", "observation.cadss.items", {"cadss": types.CadssScore(form="CADSS", items=[1] * 6)}),
        ("baseline", "observation.aldrete.circulation", {"aldrete": ALDRETE}),
    ],
)
def test_what_cannot_be_is_refused_by_field(ward: Ward, phase: str, field: str, seen: dict[str, Any]) -> None:
    treatment = ward.ordered()
    with pytest.raises(InvalidArgument) as caught:
        treatment.observe(phase, **seen)
    assert caught.value.field == field


def test_an_observation_belongs_to_its_phase(ward: Ward) -> None:
    treatment = ward.ordered()
    for phase in ("infusion", "recovery"):
        with pytest.raises(FailedPrecondition) as caught:
            treatment.observe(phase, heart_rate_per_min="70")
        assert caught.value.reason == "SESSION_STATE"
        assert "the session is planned" in caught.value.rule
    treatment.make_ready()
    treatment.authorise()
    treatment.observe("infusion", heart_rate_per_min="70")
    with pytest.raises(FailedPrecondition):
        treatment.observe("baseline", heart_rate_per_min="70")


def test_times_lie_on_their_side_of_the_end(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    for phase, minutes in (("recovery", -1), ("infusion", 1)):
        request = pb.RecordObservationRequest(
            session_id=treatment.session_id,
            observation=types.Observation(
                phase=phase, taken_at=to_timestamp(END + timedelta(minutes=minutes)), heart_rate_per_min="70"
            ),
        )
        with pytest.raises(InvalidArgument) as caught:
            treatment.nursing("RecordObservation", request, END + timedelta(minutes=5))
        assert caught.value.field == "observation.taken_at"
        with pytest.raises(InvalidArgument):
            treatment.nursing("RecordObservation", request, END - timedelta(minutes=30))


def test_scores_come_back_with_bands_and_sums(ward: Ward) -> None:
    treatment = ward.ordered().infused()
    seen = treatment.observe(
        "recovery",
        END + timedelta(minutes=5),
        systolic_mmhg="145",
        diastolic_mmhg="85",
        spo2_percent="95",
        on_oxygen=True,
        cadss=types.CadssScore(form="CADSS-6", items=[0, 1, 0, 1, 0, 0]),
        aldrete=ALDRETE,
        side_effects=[types.GradedCode(code="nausea", severity_code="mild")],
    )
    assert (seen.cadss_band, seen.observation.cadss.total) == ("dissociation", 2)
    # 25 mmHg above the baseline is one point, SpO2 on oxygen another.
    score = seen.observation.aldrete
    assert (score.circulation, score.oxygen_saturation, seen.aldrete_total) == (1, 1, 8)
    assert seen.observation.side_effects[0].code == "nausea"


def test_who_may_not_administer_charts_nothing(ward: Ward) -> None:
    treatment, visitor = ward.ordered(), ward.practitioner(uuid4(), "diagnose")
    with pytest.raises(PermissionDenied) as caught:
        treatment.observe("baseline", actor=visitor, heart_rate_per_min="70")
    assert caught.value.reason == "PRIVILEGE_MISSING"


def test_what_is_due_and_what_was_made(ward: Ward) -> None:
    """MOAA/S at 0, 15, 30, 40 then 15-min; post: every 15 min"""
    treatment = ward.ordered()

    def due(at: Any, phase: str, measure: str) -> list[tuple[int, str]]:
        request = pb.ListObservationsDueRequest(session_id=treatment.session_id)
        found = treatment.nursing("ListObservationsDue", request, at).observations
        return [
            (int((item.due_at.ToDatetime(tzinfo=NOW.tzinfo) - NOW).total_seconds() // 60), item.status_code)
            for item in found
            if (item.phase, item.measure_code) == (phase, measure)
        ]

    assert due(NOW, "infusion", "moaas") == []
    treatment.make_ready()
    treatment.authorise()
    ward.harness.deliver(treatment.started_event())
    # The baseline of the start itself counts for minute 0.
    assert due(NOW + timedelta(minutes=14), "infusion", "moaas") == [(0, "done"), (15, "due")]
    alert = types.MoaasScore(value=5, variant="squeeze")
    treatment.observe("infusion", NOW + timedelta(minutes=16), moaas=alert)
    late = NOW + timedelta(minutes=36)
    assert due(late, "infusion", "moaas") == [(0, "done"), (15, "done"), (30, "missed"), (40, "due")]
    ward.harness.deliver(treatment.ended_event())
    assert due(END + timedelta(minutes=21), "recovery", "aldrete") == [(55, "overdue"), (70, "due")]
    assert due(END + timedelta(minutes=21), "recovery", "moaas") == [(55, "overdue"), (70, "due")]


def test_an_adverse_event_is_kept_whole_and_holds_what_comes_next(ward: Ward) -> None:
    """as does an adverse event (kind, severity, time, action, outcome)"""
    treatment = started(ward)
    happened = NOW + timedelta(minutes=12)
    request = pb.RecordAdverseEventRequest(
        session_id=treatment.session_id,
        kind_code="hypertension.severe",
        severity_code="severe",
        occurred_at=to_timestamp(happened),
        action_codes=["infusion_paused", "medication_given"],
        outcome_code="recovered",
    )
    treatment.nursing("RecordAdverseEvent", request, NOW + timedelta(minutes=20))
    (told,) = ward.told(events.AdverseEventRecorded, treatment.session_id)
    assert (told.severity_code, told.occurred_at) == ("severe", to_timestamp(happened))
    (kept,) = record_of(treatment).adverse_events
    assert (list(kept.action_codes), kept.outcome_code) == (["infusion_paused", "medication_given"], "recovered")
    next_session = ward.booked(treatment.plan, 2)
    with pytest.raises(FailedPrecondition) as caught:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=next_session))
    assert "no hold may wait" in caught.value.rule


def test_an_adverse_event_of_tomorrow_is_refused(ward: Ward) -> None:
    treatment = ward.ordered()
    request = pb.RecordAdverseEventRequest(
        session_id=treatment.session_id,
        kind_code="fall",
        severity_code="mild",
        occurred_at=to_timestamp(NOW + timedelta(days=1)),
    )
    with pytest.raises(InvalidArgument) as caught:
        treatment.nursing("RecordAdverseEvent", request)
    assert caught.value.field == "occurred_at"


def test_the_whole_record_says_what_the_next_gate_misses(ward: Ward) -> None:
    treatment = ward.ordered()
    missing = {item.item_code: item.soft for item in record_of(treatment, NOW).missing_items}
    assert missing["identity"] is False
    assert missing["fasting_food"] is True
    treatment.prepared()
    left = {item.item_code for item in record_of(treatment, NOW).missing_items}
    assert left == {"responsible_prescriber", "administering_clinician"}
    treatment.mark_ready()
    assert not record_of(treatment, NOW).missing_items
    treatment.authorise()
    ward.harness.deliver(treatment.started_event())
    ward.harness.deliver(treatment.ended_event())
    leaving = END + timedelta(minutes=120)
    treatment.recovered(leaving).instructed(leaving)
    assert {item.item_code for item in record_of(treatment, leaving).missing_items} == {"driver_present", "clinician"}
    treatment.discharge(leaving)
    treatment.close()
    record = record_of(treatment, leaving)
    assert record.session.state == types.SESSION_STATE_CLOSED
    assert list(record.identity_checks[0].identifier_kinds) == ["full_name", "date_of_birth"]
    assert (record.arrival.weight_kg, record.arrival.pregnancy_code) == ("80.5", "test_negative")
    assert (record.bag.prepared_by, record.bag.checked_by) == (str(ward.nurse), str(ward.second_nurse))
    assert record.bag.bag.ndc == "67457010810"
    assert [item.observation.phase for item in record.observations] == ["baseline", "recovery", "recovery"]
    assert record.responsible_prescriber_id == str(ward.prescriber)
    assert (record.discharged_by, record.follow_up.status_code) == (str(ward.nurse), "due")
    assert record.aftercare.status_code == "given"
    assert record.HasField("reconciled_at")


def test_nobody_reads_a_session_that_there_is_not(ward: Ward) -> None:
    for rpc, request in (
        ("GetSessionRecord", pb.GetSessionRecordRequest(session_id=str(uuid4()))),
        ("ListObservationsDue", pb.ListObservationsDueRequest(session_id=str(uuid4()))),
    ):
        with pytest.raises(NotFound) as caught:
            ward.call(rpc, request)
        assert caught.value.field == "session_id"


def test_sessions_of_a_site_are_listed_by_their_start_in_pages(ward: Ward) -> None:
    plan = ward.signed_plan()
    site_id, sessions = str(uuid4()), []
    for ordinal in range(1, 4):
        booked = ward.booked_event(plan, ordinal=ordinal)
        booked.site_id = site_id
        booked.starts_at.CopyFrom(to_timestamp(NOW + timedelta(days=ordinal)))
        assert ward.harness.deliver(booked) == "applied"
        sessions.append(booked.session_id)
    request = pb.ListSessionsRequest(site_id=site_id, page_size=2)
    first = ward.call("ListSessions", request)
    assert [item.session_id for item in first.sessions] == sessions[:2]
    request.page_token = first.next_page_token
    second = ward.call("ListSessions", request)
    assert ([item.session_id for item in second.sessions], second.next_page_token) == (sessions[2:], "")
    window = pb.ListSessionsRequest(site_id=site_id, until=to_timestamp(NOW + timedelta(days=3)))
    getattr(window, "from").CopyFrom(to_timestamp(NOW + timedelta(days=2)))
    assert [item.session_id for item in ward.call("ListSessions", window).sessions] == [sessions[1]]
