"""One site with booked sessions, orders, pumps and monitors, and the two services that a start asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from chassis.records import Record
from chassis.remote import RemoteError
from chassis.testing import ServiceHarness
from chassis.values import to_timestamp
from device_telemetry.frames.decode import TOPIC, TYPE
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.intake.v1 import service_pb2 as intake
from saguaro.intake.v1 import types_pb2 as intake_types
from saguaro.scheduling.v1 import events_pb2 as scheduling
from saguaro.treatment_plan.v1 import events_pb2 as plan
from saguaro.treatment_plan.v1 import service_pb2 as plan_service
from saguaro.treatment_plan.v1 import types_pb2 as plan_types
from tests.device_telemetry.frames_by_hand import MONITOR, PUMP, START


@dataclass
class Peer:
    """Answers as told, and remembers what it was asked."""

    answer: Any
    asked: list[Any] = field(default_factory=list)

    def _answer(self, request: Any, timeout: float | None = None) -> Any:
        assert timeout is not None
        assert timeout <= 2.0
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    CheckStart = AuthoriseStart = _answer


def silent() -> RemoteError:
    """What the client raises when nobody answers."""
    return RemoteError("UNAVAILABLE", "PEER_UNAVAILABLE", {})


class Ward:
    """The service under test with a session that is ready to start."""

    def __init__(self, harness: ServiceHarness) -> None:
        self.harness = harness
        self.database = harness.database
        self.site_id, self.person_id, self.session_id, self.order_id = (str(uuid4()) for _ in range(4))
        self.authorisation_id = str(uuid4())
        self.intake = Peer(intake.CheckStartResponse(allowed=True))
        self.plan = Peer(plan_service.AuthoriseStartResponse(authorisation_id=self.authorisation_id))
        harness.peers |= {"intake": self.intake, "treatment_plan": self.plan}
        self._offset = self._revision = 0
        self.register(PUMP, types.DEVICE_KIND_PUMP)
        self.register(MONITOR, types.DEVICE_KIND_MONITOR, "0600dc750001")
        self.open_site()
        assert self.book(self.session_id) == "applied"
        assert self.ready() == "applied"

    def ready(self, **baseline: str) -> str:
        """The gate is closed; `baseline` by the names of SessionReady."""
        event = plan.SessionReady(
            session_id=self.session_id,
            person_id=self.person_id,
            site_id=self.site_id,
            ready_at=to_timestamp(START - timedelta(minutes=10)),
            **baseline,
        )
        return self.harness.deliver(event)

    def open_site(self) -> None:
        """The site with its zone, and the caller as somebody who may do everything there."""
        opened = scheduling.SiteOpened(site_id=self.site_id, time_zone="America/Phoenix")
        assert self.harness.deliver(opened) == "applied"
        self._revision += 1
        assert self.practitioner(self.harness.actor_id, revision=self._revision) == "applied"

    def practitioner(
        self, practitioner_id: UUID, *privileges: str, revision: int = 1, expires_on: str = "2027-12-31",
        site_id: str = "", dea: str = "2027-12-31",
    ) -> str:  # fmt: skip
        """Somebody with these privileges at the site; with those of a nurse who may also sign unless said otherwise."""
        event = intake_events.PractitionerRecorded(
            practitioner_id=str(practitioner_id),
            revision=revision,
            licence_type="RN",
            licence_state="AZ",
            licence_expires_on=expires_on,
            sites=[
                intake_types.SitePrivileges(
                    site_id=site_id or self.site_id, privileges=privileges or ("administer", "sign"), dea_expires_on=dea
                )
            ],
            recorded_at=to_timestamp(START - timedelta(days=30)),
        )
        return self.harness.deliver(event)

    def register(self, device_id: UUID, kind: Any, equipment_id: str = "") -> None:
        self.harness.call(
            "RegisterDevice",
            pb.RegisterDeviceRequest(
                device_id=str(device_id), site_id=self.site_id, kind=kind, equipment_id=equipment_id
            ),
        )

    def book(self, session_id: str) -> str:
        event = scheduling.SessionBooked(
            session_id=session_id,
            person_id=self.person_id,
            site_id=self.site_id,
            booked_at=to_timestamp(START - timedelta(days=1)),
        )
        return self.harness.deliver(event, at=START - timedelta(days=1))

    def order(self, **changed: str) -> str:
        programme = {
            "drug_code": "ketamine",
            "concentration_mg_per_ml": "1.0",
            "rate_ml_per_h": "60",
            "vtbi_ml": "40",
        } | changed
        event = plan.OrderIssued(
            order_id=self.order_id,
            session_id=self.session_id,
            person_id=self.person_id,
            site_id=self.site_id,
            programme=plan_types.PumpProgramme(**programme),
            weight_kg="80",
            issued_at=to_timestamp(START - timedelta(hours=1)),
            expires_at=to_timestamp(START + timedelta(hours=8)),
        )
        return self.harness.deliver(event)

    def attach(
        self, device_id: UUID, session_id: str = "", at: datetime = START - timedelta(minutes=5), role: str = "nurse"
    ) -> Any:
        request = pb.AttachDeviceRequest(
            device_id=str(device_id), session_id=session_id or self.session_id, identity_checked_twice=True
        )
        return self.harness.call("AttachDevice", request, role=role, at=at)

    def detach(self, device_id: UUID, at: datetime, session_id: str = "") -> Any:
        request = pb.DetachDeviceRequest(device_id=str(device_id), session_id=session_id or self.session_id)
        return self.harness.call("DetachDevice", request, role="nurse", at=at)

    def start(self, at: datetime = START, request_id: str = "") -> pb.StartInfusionResponse:
        request = pb.StartInfusionRequest(request_id=request_id, session_id=self.session_id, order_id=self.order_id)
        response: pb.StartInfusionResponse = self.harness.call("StartInfusion", request, role="nurse", at=at)
        return response

    def records(self, frames: Sequence[types.Frame], key: str = "") -> list[Record]:
        """The Kafka records that the api would have written."""
        made = []
        for frame in frames:
            log_id = key or self.session_id
            headers = (("ce_type", TYPE.encode()), ("ce_recordedtime", b"2026-07-15T16:00:00.000000Z"))
            made.append(Record(TOPIC, 0, self._offset, log_id.encode(), frame.SerializeToString(), headers, 0))
            self._offset += 1
        return made

    def read(self, *frames: types.Frame, key: str = "") -> None:
        """One polled batch of the frame log."""
        records = self.records(frames, key)
        self.harness.reader.ensure_offset(TOPIC, 0, records[0].offset)
        self.harness.reader.apply_stream(TOPIC, 0, records, expected=records[0].offset)

    def telemetry(self) -> pb.GetSessionTelemetryResponse:
        response: pb.GetSessionTelemetryResponse = self.harness.call(
            "GetSessionTelemetry", pb.GetSessionTelemetryRequest(session_id=self.session_id)
        )
        return response

    def rows(self, statement: str) -> list[Any]:
        with self.database.engine.connect() as connection:
            return list(connection.execute(text(statement)))


REFUSED = intake.CheckStartResponse(
    allowed=False,
    rules=[
        intake_types.DecidingRule(code="consent.ketamine.missing"),
        intake_types.DecidingRule(code="age.adult", met=True),
    ],
)
