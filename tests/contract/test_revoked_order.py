"""A start asks at that moment: what a service has not heard yet cannot authorise anything. Two real services, one conversation."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from chassis.database import Database
from chassis.errors import SaguaroError
from chassis.remote import RemoteError
from chassis.testing import ServiceHarness
from device_telemetry.app import INDEX as DEVICE_TELEMETRY
from saguaro.device_telemetry.v1 import types_pb2 as types
from saguaro.scheduling.v1 import events_pb2 as scheduling
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from saguaro.treatment_plan.v1 import service_pb2 as plan
from tests.device_telemetry.frames_by_hand import frame, pump_report
from tests.device_telemetry.ward import Ward as Bedside
from tests.treatment_plan.ward import NOW, Treatment
from tests.treatment_plan.ward import Ward as Prescribing
from treatment_plan.app import INDEX as TREATMENT_PLAN

# A pump of the site where the session is.
PUMP_THERE = UUID(int=0xB7)


class Asks:
    """What device telemetry asks goes to the other service as it is."""

    def __init__(self, prescribing: Prescribing) -> None:
        self._prescribing = prescribing

    def AuthoriseStart(self, request: plan.AuthoriseStartRequest, timeout: float | None = None) -> Any:
        """The real answer, with errors as they cross the wire."""
        try:
            return self._prescribing.call("AuthoriseStart", request, role="service", at=NOW)
        except SaguaroError as error:
            raise RemoteError(error.code, error.reason, dict(error.ids), error.findings) from None


@pytest.fixture
def both(database_of: Callable[..., Database]) -> tuple[Treatment, Bedside]:
    """A session that is ready to start in both services; the pump is attached and has echoed the programme."""
    prescribing = Prescribing(ServiceHarness(TREATMENT_PLAN, database_of("treatment_plan")))
    treatment = prescribing.ordered().make_ready()
    bedside = Bedside(ServiceHarness(DEVICE_TELEMETRY, database_of("device_telemetry")))
    bedside.session_id, bedside.order_id = treatment.session_id, treatment.order.order_id
    bedside.person_id, bedside.site_id = treatment.plan.person_id, treatment.plan.site_id
    bedside.open_site()
    bedside.harness.peers["treatment_plan"] = Asks(prescribing)
    assert bedside.book(treatment.session_id) == "applied"
    for event in prescribing.harness.events(plan_events.OrderIssued):
        assert bedside.harness.deliver(event) == "applied"
    for event in prescribing.harness.events(plan_events.SessionReady):
        bedside.harness.deliver(event)
    bedside.register(PUMP_THERE, types.DEVICE_KIND_PUMP)
    bedside.attach(PUMP_THERE)
    bedside.read(frame(PUMP_THERE, 1, report=pump_report("40.0", infusing=False), at_s=-5.0))
    return treatment, bedside


def test_what_is_ready_starts(both: tuple[Treatment, Bedside]) -> None:
    """Without a revocation the same conversation authorises the start."""
    _, bedside = both
    assert bedside.start().authorisation_id


def test_an_order_revoked_while_the_consumer_of_orders_is_stopped_cannot_be_started(
    both: tuple[Treatment, Bedside],
) -> None:
    """Device telemetry has not heard of the revocation; the start is refused all the same, and nothing is authorised."""
    treatment, bedside = both
    treatment.ward.call(
        "RevokeOrder", plan.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="prescriber_changed_mind")
    )
    assert treatment.ward.harness.events(plan_events.OrderRevoked)
    with pytest.raises(SaguaroError) as refused:
        bedside.start()
    assert refused.value.code == "FAILED_PRECONDITION"
    assert bedside.telemetry().state == "waiting"


def test_a_cancelled_session_cannot_be_started(both: tuple[Treatment, Bedside]) -> None:
    """The same for a booking that was cancelled and that only treatment plan has heard of."""
    treatment, bedside = both
    cancelled = scheduling.SessionCancelled(
        session_id=treatment.session_id, person_id=treatment.plan.person_id, site_id=treatment.plan.site_id
    )
    assert treatment.ward.harness.deliver(cancelled) == "applied"
    with pytest.raises(SaguaroError):
        bedside.start()
