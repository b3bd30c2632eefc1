"""A small ward for the tests: people who are cleared, plans, booked sessions, orders, pumps that report."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis.errors import SaguaroError
from chassis.testing import ServiceHarness
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.intake.v1 import types_pb2 as intake_types
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types

NOW = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
SITE = str(uuid4())
KETAMINE_TREATMENT = intake_types.CONSENT_KIND_KETAMINE_TREATMENT


def findings_of(error: SaguaroError) -> set[str]:
    """The fields that a refusal names."""
    return {finding.field for finding in error.findings}


@dataclass
class Ward:
    """The service with what others would have told it, and helpers for the steps of a treatment."""

    harness: ServiceHarness
    prescriber: UUID = field(default_factory=uuid4)
    nurse: UUID = field(default_factory=uuid4)
    second_nurse: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        """The site is open; a prescriber who signs and a nurse who administers are on record there."""
        opened = scheduling_events.SiteOpened(
            site_id=SITE, site_code="PHX", time_zone="America/Phoenix", opened_at=to_timestamp(NOW)
        )
        assert self.harness.deliver(opened) == "applied"
        self.practitioner(self.prescriber, "diagnose", "clear", "sign", dea_expires_on="2027-12-31", licence_type="MD")
        self.practitioner(self.nurse, "administer")
        self.practitioner(self.second_nurse, "administer")

    def practitioner(
        self,
        practitioner_id: UUID,
        *privileges: str,
        site_id: str = SITE,
        dea_expires_on: str = "",
        licence_type: str = "RN",
        licence_expires_on: str = "2027-12-31",
        revision: int = 1,
    ) -> UUID:
        """A practitioner as intake tells; returns the id."""
        event = intake_events.PractitionerRecorded(
            practitioner_id=str(practitioner_id),
            revision=revision,
            licence_type=licence_type,
            licence_state="AZ",
            licence_expires_on=licence_expires_on,
            sites=[intake_types.SitePrivileges(site_id=site_id, privileges=privileges, dea_expires_on=dea_expires_on)],
            recorded_at=to_timestamp(NOW),
        )
        assert self.harness.deliver(event) == "applied"
        return practitioner_id

    def call(
        self, rpc: str, request: Any, role: str = "prescriber", at: datetime = NOW, actor: UUID | None = None
    ) -> Any:
        """Calls as prescriber or nurse."""
        person = actor or (self.nurse if role == "nurse" else self.prescriber)
        return self.harness.call(rpc, request, role=role, at=at, actor_id=person)

    def told(self, kind: type[Any], session_id: str) -> list[Any]:
        """The events of a kind that were raised about a session."""
        return [event for event in self.harness.events(kind) if event.session_id == session_id]

    def cleared(self, indication: str = "depression", person_id: str | None = None, at: datetime = NOW) -> str:
        """A person whom intake cleared; returns the id."""
        person_id = person_id or str(uuid4())
        event = intake_events.PatientCleared(
            clearance_id=str(uuid4()),
            person_id=person_id,
            site_id=SITE,
            indication=indication,
            cleared_at=to_timestamp(at),
            expires_at=to_timestamp(at + timedelta(days=90)),
        )
        assert self.harness.deliver(event, at=at) == "applied"
        return person_id

    def draft_request(self, person_id: str, **changes: Any) -> pb.DraftPlanRequest:
        """80 kg, depression, 1 mg/mL, the rest as the protocol says."""
        request = pb.DraftPlanRequest(
            request_id=str(uuid4()),
            person_id=person_id,
            site_id=SITE,
            protocol_code="depression",
            indication="depression",
            weight_kg="80",
            weight_kg_again="80",
            weight_unit="kg",
            concentration_mg_per_ml="1",
        )
        for name, value in changes.items():
            setattr(request, name, value)
        return request

    def signed_plan(self, **changes: Any) -> types.Plan:
        """A signed plan of a person who was cleared."""
        person_id = self.cleared(changes.get("indication", "depression"))
        plan = self.call("DraftPlan", self.draft_request(person_id, **changes)).plan
        signed: types.Plan = self.call("SignPlan", pb.SignPlanRequest(plan_id=plan.plan_id)).plan
        return signed

    def booked_event(self, plan: types.Plan, session_id: str | None = None, ordinal: int = 1) -> Any:
        """What scheduling says of a booking, an hour from now."""
        return scheduling_events.SessionBooked(
            session_id=session_id or str(uuid4()),
            person_id=plan.person_id,
            site_id=plan.site_id,
            plan_id=plan.plan_id,
            ordinal=ordinal,
            starts_at=to_timestamp(NOW + timedelta(hours=1)),
            ends_at=to_timestamp(NOW + timedelta(hours=3)),
            booked_at=to_timestamp(NOW),
        )

    def booked(self, plan: types.Plan, ordinal: int = 1) -> str:
        """A booked session; returns its id."""
        event = self.booked_event(plan, ordinal=ordinal)
        assert self.harness.deliver(event) == "applied"
        return str(event.session_id)

    def ordered(self, **changes: Any) -> "Treatment":
        """A booked session with an order in force."""
        return self.order_for(self.signed_plan(**changes))

    def order_for(self, plan: types.Plan, ordinal: int = 1) -> "Treatment":
        """The next session of a plan, with its order."""
        session_id = self.booked(plan, ordinal)
        order = self.call("IssueOrder", pb.IssueOrderRequest(session_id=session_id))
        return Treatment(self, plan, session_id, order, at=NOW + timedelta(hours=2) * (ordinal - 1))

    def state_of(self, session_id: str) -> int:
        """The state of a session."""
        session = self.call("GetSession", pb.GetSessionRequest(session_id=session_id)).session
        return int(session.state)

    def consent_granted(self, person_id: str, consent_id: str | None = None) -> str:
        """A treatment consent; returns its id."""
        consent_id = consent_id or str(uuid4())
        event = intake_events.ConsentGranted(
            consent_id=consent_id,
            person_id=person_id,
            site_id=SITE,
            kind=KETAMINE_TREATMENT,
            granted_at=to_timestamp(NOW),
            expires_at=to_timestamp(NOW + timedelta(days=365)),
        )
        assert self.harness.deliver(event) == "applied"
        return consent_id

    def consent_withdrawn(self, person_id: str, consent_id: str) -> None:
        """The consent is taken back."""
        event = intake_events.ConsentWithdrawn(
            consent_id=consent_id,
            person_id=person_id,
            site_id=SITE,
            kind=KETAMINE_TREATMENT,
            withdrawn_at=to_timestamp(NOW),
        )
        assert self.harness.deliver(event) == "applied"

    def flag_raised(self, person_id: str, *, blocks: bool = True) -> str:
        """A safety flag; returns its id."""
        flag_id = str(uuid4())
        event = intake_events.SafetyFlagRaised(
            flag_id=flag_id,
            person_id=person_id,
            site_id=SITE,
            reason_code="cssrs.high",
            blocks=blocks,
            raised_at=to_timestamp(NOW),
        )
        assert self.harness.deliver(event) == "applied"
        return flag_id

    def flag_cleared(self, person_id: str, flag_id: str) -> None:
        """A clinician's note clears the flag."""
        event = intake_events.SafetyFlagCleared(
            flag_id=flag_id, person_id=person_id, site_id=SITE, note_id=str(uuid4()), cleared_at=to_timestamp(NOW)
        )
        assert self.harness.deliver(event) == "applied"


def measured(changes: dict[str, Any]) -> dict[str, Any]:
    """Vital signs and scores of a person at rest, with changes; None leaves one out."""
    values: dict[str, Any] = {
        "systolic_mmhg": "120",
        "diastolic_mmhg": "80",
        "heart_rate_per_min": "72",
        "spo2_percent": "98",
        "respiratory_rate_per_min": "14",
        "moaas": types.MoaasScore(value=5, variant="squeeze"),
        "cadss": types.CadssScore(form="CADSS", total=0),
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


@dataclass
class Treatment:
    """One session with its order, and the steps of its day."""

    ward: Ward
    plan: types.Plan
    session_id: str
    order: pb.IssueOrderResponse
    pump_id: str = field(default_factory=lambda: str(uuid4()))
    # When it takes place; each later session of a plan after the one before.
    at: datetime = NOW

    def nursing(self, rpc: str, request: Any, at: datetime | None = None, actor: UUID | None = None) -> Any:
        """The nurse, or another person in that role."""
        return self.ward.call(rpc, request, role="nurse", at=at or self.at, actor=actor)

    def identified(self, at: datetime | None = None) -> "Treatment":
        """The nurse compares two identifiers."""
        kinds = ["full_name", "date_of_birth"]
        request = pb.RecordIdentityCheckRequest(session_id=self.session_id, identifier_kinds=kinds)
        self.nursing("RecordIdentityCheck", request, at)
        return self

    def arrived(self, at: datetime | None = None, **changes: Any) -> "Treatment":
        """Every item of the assessment on arrival; a change to None leaves the item out."""
        at = at or self.at
        values: dict[str, Any] = {
            "weight_kg": "80.5",
            "pregnancy_code": "test_negative",
            "last_food_at": to_timestamp(at - timedelta(hours=8)),
            "last_liquids_at": to_timestamp(at - timedelta(hours=2)),
            "driver_confirmed": True,
            "medications_reconciled": True,
        }
        values = {name: value for name, value in (values | changes).items() if value is not None}
        request = pb.RecordArrivalAssessmentRequest(
            session_id=self.session_id, assessment=types.ArrivalAssessment(**values)
        )
        self.nursing("RecordArrivalAssessment", request, at)
        return self

    def screened(self, at: datetime | None = None, band: str = "negative") -> "Treatment":
        """A C-SSRS since the last visit, as intake tells."""
        at = at or self.at
        event = intake_events.InstrumentCompleted(
            result_id=str(uuid4()),
            person_id=self.plan.person_id,
            site_id=SITE,
            instrument="C-SSRS-SCREENER",
            instrument_version="1",
            band=band,
            completed_at=to_timestamp(at),
        )
        assert self.ward.harness.deliver(event, at=at) == "applied"
        return self

    def observe(self, phase: str, at: datetime | None = None, actor: UUID | None = None, **seen: Any) -> Any:
        """An observation taken and recorded at a time; only what is given was looked at."""
        observation = types.Observation(phase=phase, taken_at=to_timestamp(at or self.at), **seen)
        request = pb.RecordObservationRequest(session_id=self.session_id, observation=observation)
        return self.nursing("RecordObservation", request, at, actor).observation

    def baseline(self, at: datetime | None = None, **changes: Any) -> "Treatment":
        """Every vital sign and score before an infusion; a change to None leaves it out."""
        self.observe("baseline", at, **measured(changes))
        return self

    def bag_request(self, **changes: str) -> pb.PrepareBagRequest:
        """0.8 mL of 50 mg/mL in 40 mL is 1 mg/mL."""
        values = {
            "ndc": "67457-108-10",
            "lot": "A123",
            "expires_on": "2027-06-30",
            "vial_concentration_mg_per_ml": "50",
            "drawn_ml": "0.8",
            "final_ml": "40",
        }
        return pb.PrepareBagRequest(session_id=self.session_id, bag=types.Bag(**(values | changes)))

    def bagged(self, at: datetime | None = None, **changes: str) -> "Treatment":
        """One nurse prepares the bag, another checks it."""
        bag_id = self.nursing("PrepareBag", self.bag_request(**changes), at).bag_id
        request = pb.CheckBagRequest(session_id=self.session_id, bag_id=bag_id)
        self.nursing("CheckBag", request, at, self.ward.second_nurse)
        return self

    def prepared(self, at: datetime | None = None) -> "Treatment":
        """Everything that the gate asks for is on record."""
        return self.screened(at).identified(at).arrived(at).baseline(at).bagged(at)

    def ready_request(self, **changes: Any) -> pb.MarkSessionReadyRequest:
        """Names who answers for the session and who gives the drug."""
        request = pb.MarkSessionReadyRequest(
            request_id=str(uuid4()),
            session_id=self.session_id,
            responsible_prescriber_id=str(self.ward.prescriber),
            administering_clinician_id=str(self.ward.nurse),
        )
        for name, value in changes.items():
            setattr(request, name, value)
        return request

    def mark_ready(self, at: datetime | None = None, **changes: Any) -> Any:
        """The nurse closes the gate."""
        return self.nursing("MarkSessionReady", self.ready_request(**changes), at)

    def make_ready(self, at: datetime | None = None, **changes: Any) -> "Treatment":
        """Everything is recorded, and the gate closed."""
        self.prepared(at).mark_ready(at, **changes)
        return self

    def start_request(self, at: datetime | None = None, **echoed: str) -> pb.AuthoriseStartRequest:
        """A fresh echo of the order's own programme, with changes."""
        programme = types.PumpProgramme()
        programme.CopyFrom(self.order.programme)
        for name, value in echoed.items():
            setattr(programme, name, value)
        return pb.AuthoriseStartRequest(
            request_id=str(uuid4()),
            session_id=self.session_id,
            order_id=self.order.order_id,
            pump_id=self.pump_id,
            echoed_programme=programme,
            echoed_at=to_timestamp((at or self.at) - timedelta(seconds=10)),
        )

    def authorise(
        self, request: pb.AuthoriseStartRequest | None = None, at: datetime | None = None, actor: UUID | None = None
    ) -> Any:
        """device-telemetry asks."""
        return self.ward.call(
            "AuthoriseStart", request or self.start_request(at), role="service", at=at or self.at, actor=actor
        )

    def started_event(self) -> Any:
        """The pump runs."""
        return device_events.InfusionStarted(
            session_id=self.session_id,
            person_id=self.plan.person_id,
            site_id=SITE,
            order_id=self.order.order_id,
            pump_id=self.pump_id,
            started_at=to_timestamp(self.at),
            start_total_ml="0",
        )

    def ended_event(self, kind: type = device_events.InfusionCompleted, **changes: Any) -> Any:
        """The pump's final totals: 40 mL in 40 minutes."""
        values: dict[str, Any] = {
            "session_id": self.session_id,
            "person_id": self.plan.person_id,
            "site_id": SITE,
            "order_id": self.order.order_id,
            "started_at": to_timestamp(self.at),
            "stopped_at": to_timestamp(self.at + timedelta(minutes=40)),
            "delivered_ml": "40.0",
            "keep_vein_open_ml": "0",
            "delivering_seconds": 2400,
            "paused_seconds": 0,
            "expected_ml": "40.000",
        }
        return kind(**(values | changes))

    def infused(self, **changes: Any) -> "Treatment":
        """Ready, authorised, started and ended as the pump reported."""
        self.make_ready()
        self.authorise()
        assert self.ward.harness.deliver(self.started_event()) == "applied"
        assert self.ward.harness.deliver(self.ended_event(**changes)) == "applied"
        return self

    def close_request(self, **changes: Any) -> pb.CloseSessionRequest:
        """One vial of 500 mg: 40 given, 460 wasted."""
        request = pb.CloseSessionRequest(
            request_id=str(uuid4()),
            session_id=self.session_id,
            opened_mg="500",
            returned_mg="0",
            wasted_mg="460",
            witnessed_by=str(uuid4()),
        )
        for name, value in changes.items():
            setattr(request, name, value)
        return request

    def close(self, **changes: Any) -> Any:
        """The nurse closes the session."""
        return self.nursing("CloseSession", self.close_request(**changes))

    def infusion_end(self) -> datetime:
        """When the pump of `ended_event` stops."""
        return self.at + timedelta(minutes=40)

    def recovered(self, at: datetime, **changes: Any) -> "Treatment":
        """Every observation of the recovery that a discharge at this time needs; a change to None leaves it out."""
        early = at - timedelta(minutes=15)
        values = measured({"aldrete": ALDRETE, "steady_gait": True, "nausea_controlled": True, "iv_out": True})
        values = {name: value for name, value in (values | changes).items() if value is not None}
        if "moaas" in values:
            self.observe("recovery", early, moaas=values["moaas"])
        if values:
            self.observe("recovery", at, **values)
        return self

    def instructed(self, at: datetime, status: str = "given") -> "Treatment":
        """Aftercare instructions."""
        request = pb.RecordAftercareRequest(
            session_id=self.session_id, status_code=status, instruction_codes=["no_driving", "emergency_contact"]
        )
        self.nursing("RecordAftercare", request, at)
        return self

    def discharge_request(self, **changes: Any) -> pb.DischargeSessionRequest:
        """The nurse names herself; the driver is there."""
        values: dict[str, Any] = {"clinician_id": str(self.ward.nurse), "driver_present": True}
        return pb.DischargeSessionRequest(session_id=self.session_id, **(values | changes))

    def discharge(self, at: datetime, **changes: Any) -> Any:
        """The nurse lets the person go."""
        return self.nursing("DischargeSession", self.discharge_request(**changes), at)


ALDRETE = types.AldreteScore(activity=2, respiration=2, consciousness=2, variant="mmhg")
