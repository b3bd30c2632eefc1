"""Calls to a running network that go on until there is an answer.

A lost connection, a process that is being started again and a deadline are no answer: the same request goes out again with the same
request_id. A refusal is one, except where the caller says that it waits for something which is still on its way.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from chassis.context import RequestContext
from chassis.grpc_client import Client
from chassis.remote import RemoteError
from saguaro.billing.v1 import service_pb2_grpc as billing
from saguaro.device_telemetry.v1 import service_pb2_grpc as device
from saguaro.intake.v1 import service_pb2_grpc as intake
from saguaro.scheduling.v1 import service_pb2_grpc as scheduling
from saguaro.treatment_plan.v1 import service_pb2_grpc as plan
from simulator.measured import Measured

STUBS: Final[dict[str, Callable[[Any], Any]]] = {
    "intake": intake.IntakeServiceStub,
    "scheduling": scheduling.SchedulingServiceStub,
    "treatment_plan": plan.TreatmentPlanServiceStub,
    "device_telemetry": device.DeviceTelemetryServiceStub,
    "device_stream": device.DeviceStreamServiceStub,
    "billing": billing.BillingServiceStub,
}
# What is no answer. INTERNAL is what an api says whose database went away in the middle of a statement.
NO_ANSWER: Final = frozenset(
    {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "ABORTED", "RESOURCE_EXHAUSTED", "INTERNAL"}
)
# How long nobody may answer before the journey is given up: longer than a killed network takes to come back.
PATIENCE_S: Final = 300.0
# A fault that a restart does not mend is not waited for as long as an outage.
_FAULT_PATIENCE_S: Final = 45.0
_FAULTS: Final = frozenset({"INTERNAL", "UNKNOWN"})
_DEADLINE_S: Final = 5.0
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.5
_LOOK_AGAIN_AFTER_S: Final = 0.25

Address = str | Callable[[], str]


class GaveUp(Exception):
    """Nobody answered, or what was waited for did not come, within the patience of the journey."""


class Addresses:
    """Where the network is. A mapping may change between two looks, and hold functions; a process that is down has none."""

    def __init__(self, addresses: Mapping[str, Address]) -> None:
        self._addresses = addresses
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, str]] = {}

    def of(self, name: str) -> str:
        """`host:port`. LookupError while nobody says where it is."""
        now = time.monotonic()
        with self._lock:
            seen = self._seen.get(name)
            if seen is not None and now - seen[0] < _LOOK_AGAIN_AFTER_S:
                return seen[1]
            found = self._addresses[name]
            address = found if isinstance(found, str) else found()
            self._seen[name] = (now, address)
            return address


class Calls:
    """The network as the journey sees it. Safe to use from several threads."""

    def __init__(self, addresses: Mapping[str, Address], patience_s: float = PATIENCE_S) -> None:
        self.addresses = Addresses(addresses)
        self.measured = Measured()
        self.patience_s = patience_s
        self._clients: dict[tuple[str, str], Client[Any]] = {}

    def client(self, service: str) -> Client[Any]:
        """The client of a service's present address. LookupError while there is none."""
        key = service, self.addresses.of(service)
        found = self._clients.get(key)
        if found is None:
            found = self._clients.setdefault(key, Client(STUBS[service], key[1]))
        return found

    def ask(
        self,
        service: str,
        rpc: str,
        request: Message,
        context: RequestContext,
        *,
        until: Collection[str] = (),
        timed: bool = True,
    ) -> Any:
        """The response. RemoteError for a refusal whose reason is not in `until`; those are waited for, and `timed`.

        GaveUp after the patience.
        """
        began = time.monotonic()
        pause_s, fault_since, waited = _FIRST_PAUSE_S, 0.0, ""
        while True:
            sent = time.monotonic()
            try:
                bound = self.client(service).bound(context, deadline_s=_DEADLINE_S)
                response = getattr(bound, rpc)(request)
            except LookupError:
                code, reason = "UNAVAILABLE", "NO_ADDRESS"
            except RemoteError as error:
                code, reason = error.code, error.reason
                if error.reason in until:
                    waited = error.reason
                elif error.code not in NO_ANSWER:
                    raise
            else:
                now = time.monotonic()
                self.measured.call(rpc, now - sent)
                if waited and timed:
                    self.measured.effect(f"{rpc} after {waited}", now - began)
                return response
            now = time.monotonic()
            fault_since = (fault_since or now) if code in _FAULTS else 0.0
            if now - began > self.patience_s or (fault_since and now - fault_since > _FAULT_PATIENCE_S):
                raise GaveUp(f"{service}.{rpc}: {code} {reason} for {now - began:.0f} s")
            if reason not in until:
                self.measured.again()
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.6, _LONGEST_PAUSE_S)

    def watch(
        self,
        service: str,
        rpc: str,
        request: Message,
        context: RequestContext,
        *,
        until: Callable[[Any], bool],
        effect: str,
    ) -> Any:
        """Reads again until the response is as wanted; what is not on record yet is waited for. GaveUp after the patience."""
        began, pause_s = time.monotonic(), _FIRST_PAUSE_S
        while True:
            response = self.ask(service, rpc, request, context, until=("NOT_FOUND",), timed=False)
            now = time.monotonic()
            if until(response):
                self.measured.effect(effect, now - began)
                return response
            if now - began > self.patience_s:
                raise GaveUp(f"{service}.{rpc}: {effect} did not come within {self.patience_s:.0f} s")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.6, _LONGEST_PAUSE_S)
