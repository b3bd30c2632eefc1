"""A small clinic for the tests: a site with a chair, a pump, a monitor, a nurse on shift, and people with signed plans."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from chassis.testing import ServiceHarness
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

# A Wednesday, 08:00 in Phoenix.
NOW = datetime(2026, 7, 15, 15, 0, tzinfo=UTC)
NINE = NOW + timedelta(hours=1)
KINDS = {
    "chair": types.RESOURCE_KIND_CHAIR,
    "pump": types.RESOURCE_KIND_PUMP,
    "monitor": types.RESOURCE_KIND_MONITOR,
    "nurse": types.RESOURCE_KIND_NURSE,
}
STAFF = {"room": types.RESOURCE_KIND_ROOM, "practitioner": types.RESOURCE_KIND_PRACTITIONER}
PRIVILEGED = "charge_nurse"


def setting_aside(*rules: str) -> types.Override:
    """An override of the rules."""
    return types.Override(rules=rules, reason_code="clinician.decided")


@dataclass
class Place:
    """An opened site with the ids of what it has, by kind."""

    site_id: str
    resources: dict[str, list[str]] = field(default_factory=dict)

    def set_of(self, number: int = 0) -> dict[str, str]:
        """One chair, pump, monitor and nurse as the request names them."""
        return {f"{kind}_id": ids[number] for kind, ids in self.resources.items()}


@dataclass
class Clinic:
    """Builds what a test needs through the service's own commands and reactions."""

    harness: ServiceHarness

    def open(self, time_zone: str = "America/Phoenix", sets: int = 1, shift: bool = True) -> Place:
        """A site with so many of each kind; its nurses work from six hours before to two days after 08:00."""
        place = Place(str(uuid4()))
        site = types.Site(site_id=place.site_id, site_code=f"S-{uuid4().hex[:8].upper()}", time_zone=time_zone)
        self.harness.call("OpenSite", pb.OpenSiteRequest(site=site), at=NOW)
        for kind in KINDS:
            place.resources[kind] = [self.add(place.site_id, kind) for _ in range(sets)]
        if shift:
            for nurse in place.resources["nurse"]:
                for day in range(-1, 9):
                    self.shift(nurse, place.site_id, NOW + timedelta(days=day), NOW + timedelta(days=day + 1))
        return place

    def add(self, site_id: str, kind: str) -> str:
        """A resource of the site."""
        resource = types.Resource(
            resource_id=str(uuid4()),
            site_id=site_id,
            kind=(KINDS | STAFF)[kind],
            resource_code=f"{kind}-{uuid4().hex[:8]}",
        )
        return str(self.harness.call("AddResource", pb.AddResourceRequest(resource=resource), at=NOW).resource_id)

    def shift(self, nurse_id: str, site_id: str, start: datetime, end: datetime) -> str:
        """A shift of the nurse at the site."""
        request = pb.AddShiftRequest(
            nurse_id=nurse_id, site_id=site_id, starts_at=to_timestamp(start), ends_at=to_timestamp(end)
        )
        return str(self.harness.call("AddShift", request, at=NOW).shift_id)

    def plan(self, person_id: str, *, sessions: int = 6, indication: str = "depression") -> str:
        """A signed plan of the person, as treatment-plan tells of it."""
        event = plan_events.PlanSigned(
            plan_id=str(uuid4()),
            person_id=person_id,
            site_id=str(uuid4()),
            protocol_code="trd-iv",
            indication=indication,
            sessions_planned=sessions,
            ordered_mg="40",
            duration_min=40,
            signed_by=str(uuid4()),
            signed_at=to_timestamp(NOW),
        )
        assert self.harness.deliver(event, at=NOW) == "applied"
        return event.plan_id

    def request(self, place: Place, person_id: str, plan_id: str, **changes: object) -> pb.BookSessionRequest:
        """A booking of the site's first set at 09:00 for 40 minutes, with changes."""
        starts_at = changes.pop("starts_at", NINE)
        assert isinstance(starts_at, datetime)
        values: dict[str, object] = {
            "person_id": person_id,
            "site_id": place.site_id,
            "plan_id": plan_id,
            "ordinal": 1,
            "infusion_min": 40,
            **place.set_of(),
        }
        return pb.BookSessionRequest(starts_at=to_timestamp(starts_at), **(values | changes))  # type: ignore[arg-type]

    def book(self, request: pb.BookSessionRequest, role: str = "scheduler") -> pb.BookSessionResponse:
        """Books at 08:00, as a scheduler unless another role is named."""
        response = self.harness.call("BookSession", request, role=role, at=NOW)
        assert isinstance(response, pb.BookSessionResponse)
        return response

    def hold_request(self, place: Place, person_id: str, plan_id: str, **changes: object) -> pb.HoldTimeRequest:
        """The same request as `request`, for a hold."""
        asked = self.request(place, person_id, plan_id, **changes)
        return pb.HoldTimeRequest.FromString(asked.SerializeToString())

    def hold(self, request: pb.HoldTimeRequest, at: datetime = NOW) -> pb.HoldTimeResponse:
        """Holds as a scheduler."""
        response = self.harness.call("HoldTime", request, role="scheduler", at=at)
        assert isinstance(response, pb.HoldTimeResponse)
        return response

    def booked(self, place: Place, **changes: object) -> pb.BookSessionResponse:
        """Somebody new with a plan of their own, booked."""
        person_id = str(uuid4())
        return self.book(self.request(place, person_id, self.plan(person_id), **changes))

    def get(self, session_id: str) -> types.Booking:
        """The booking as it stands."""
        response = self.harness.call("GetBooking", pb.GetBookingRequest(session_id=session_id), at=NOW)
        assert isinstance(response.booking, types.Booking)
        return response.booking

    def call(self, rpc: str, request: Message, role: str = "scheduler", at: datetime = NOW) -> Any:
        """Calls as a scheduler at 08:00, unless another role or time is named."""
        return self.harness.call(rpc, request, role=role, at=at)

    def cancel(self, session_id: str, at: datetime = NOW) -> str:
        """Proposes the cancellation; the change's id."""
        request = pb.CancelSessionRequest(session_id=session_id, reason_code="person.asked")
        return str(self.call("CancelSession", request, at=at).change_id)

    def move(self, session_id: str, starts_at: datetime, *, role: str = "scheduler", **changes: object) -> str:
        """Proposes the move; the change's id."""
        request = pb.MoveSessionRequest(
            session_id=session_id,
            starts_at=to_timestamp(starts_at),
            reason_code="person.asked",
            **changes,  # type: ignore[arg-type]
        )
        return str(self.call("MoveSession", request, role).change_id)

    def plan_says(
        self, change_id: str, accepted: bool = True, reason_code: str = ""
    ) -> plan_events.SessionChangeAnswered:
        """Treatment-plan's answer."""
        change = self.change(change_id)
        return plan_events.SessionChangeAnswered(
            change_id=change_id, session_id=change.session_id, accepted=accepted, reason_code=reason_code
        )

    def devices_say(
        self, change_id: str, accepted: bool = True, reason_code: str = ""
    ) -> device_events.SessionChangeAnswered:
        """Device-telemetry's answer."""
        change = self.change(change_id)
        return device_events.SessionChangeAnswered(
            change_id=change_id, session_id=change.session_id, accepted=accepted, reason_code=reason_code
        )

    def agree(self, change_id: str, at: datetime = NOW) -> None:
        """Both say yes."""
        for event in (self.plan_says(change_id), self.devices_say(change_id)):
            assert self.harness.deliver(event, at=at) == "applied"

    def cancelled(self, session_id: str, at: datetime = NOW) -> None:
        """Cancels, and both agree."""
        self.agree(self.cancel(session_id, at), at)

    def change(self, change_id: str) -> types.SessionChange:
        """The change as it stands."""
        response = self.harness.call("GetSessionChange", pb.GetSessionChangeRequest(change_id=change_id), at=NOW)
        assert isinstance(response.change, types.SessionChange)
        return response.change

    def checked(self, session_id: str, *items: str, at: datetime = NOW) -> list[str]:
        """Confirms the items with the person, all three unless some are named; what is missing still."""
        request = pb.ConfirmChecklistRequest(
            session_id=session_id, items=items or ("fasting", "driver", "medicines_held"), confirmed_with="person"
        )
        return list(self.call("ConfirmChecklist", request, "nurse", at).missing)
