"""The service behind a real gRPC server: answers and refusals as another service sees them."""

from collections.abc import Iterator
from contextlib import nullcontext
from uuid import uuid4

import pytest

from chassis.grpc_client import Client
from chassis.grpc_link import close_links
from chassis.grpc_server import ServerOptions, serve
from chassis.grpc_servicer import Instruments
from chassis.remote import RemoteError
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1.service_pb2_grpc import TreatmentPlanServiceStub
from tests.treatment_plan.ward import Ward
from treatment_plan.app import INDEX


@pytest.fixture
def client(ward: Ward) -> Iterator[Client[TreatmentPlanServiceStub]]:
    """A client of the ward's service on loopback."""
    instruments = Instruments(span=lambda *_: nullcontext(), observe=lambda *_: None)
    servers = serve(INDEX, ward.harness.runner, instruments, ServerOptions(), None)
    yield Client(TreatmentPlanServiceStub, f"127.0.0.1:{servers.port}")
    servers.stop(grace_s=0.2, stream_grace_s=0.0)
    close_links()


def test_a_refused_start_arrives_with_everything_that_stands_against_it(
    ward: Ward, client: Client[TreatmentPlanServiceStub]
) -> None:
    treatment = ward.ordered()
    calls = client.bound(ward.harness.context("service"), 10.0)
    with pytest.raises(RemoteError) as refused:
        calls.AuthoriseStart(treatment.start_request(rate_ml_per_h="61", vtbi_ml=""))
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "START_REFUSED")
    assert [finding.field for finding in refused.value.findings] == [
        "session_id",
        "echoed_programme.rate_ml_per_h",
        "echoed_programme.vtbi_ml",
    ]
    assert refused.value.ids["order_id"] == treatment.order.order_id
    treatment.make_ready()
    assert calls.AuthoriseStart(treatment.start_request()).dose_mg == "40"


def test_a_session_on_its_way_is_told_apart_from_other_refusals(
    ward: Ward, client: Client[TreatmentPlanServiceStub]
) -> None:
    calls = client.bound(ward.harness.context("prescriber"), 10.0)
    with pytest.raises(RemoteError) as refused:
        calls.IssueOrder(pb.IssueOrderRequest(request_id=str(uuid4()), session_id=str(uuid4())))
    assert (refused.value.code, refused.value.reason) == ("FAILED_PRECONDITION", "SESSION_NOT_YET_KNOWN")


def test_what_breaks_the_contract_names_each_field(client: Client[TreatmentPlanServiceStub], ward: Ward) -> None:
    calls = client.bound(ward.harness.context("prescriber"), 10.0)
    with pytest.raises(RemoteError) as refused:
        calls.DraftPlan(ward.draft_request(str(uuid4()), weight_kg="80 kg", site_id="here"))
    assert refused.value.code == "INVALID_ARGUMENT"
    assert {finding.field for finding in refused.value.findings} == {"weight_kg", "site_id"}
