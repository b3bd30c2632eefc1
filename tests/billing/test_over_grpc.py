"""Printing across two real apis: billing asks intake in the caller's own role, and the name is on the paper alone."""

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from io import BytesIO
from uuid import uuid4

import pytest
from pypdf import PdfReader

from billing.app import INDEX
from chassis.context import RequestContext
from chassis.database import Database
from chassis.grpc_client import Client
from chassis.grpc_link import close_links
from chassis.grpc_server import ServerOptions, serve
from chassis.grpc_servicer import Instruments
from chassis.peers import Peers
from chassis.remote import RemoteError
from chassis.runner import Runner
from chassis.testing import ServiceHarness
from chassis.values import to_timestamp
from intake.app import INDEX as INTAKE
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1.service_pb2_grpc import BillingServiceStub
from saguaro.intake.v1 import service_pb2 as intake
from saguaro.intake.v1 import types_pb2 as intake_types
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from tests.billing.desk import START, Desk
from verify import leak_sources
from verify.leaks import Source, find_leaks

WHO = intake_types.PersonIdentity(
    given_name="Marisol",
    family_name="Quintanilla-Zepeda",
    birth_date="1984-03-07",
    administrative_sex=intake_types.ADMINISTRATIVE_SEX_FEMALE,
    phone="+16025550147",
    email="marisol.qz@synthetic.example",
    address_line="4417 East Ironwood Wren Lane",
    city="Scottsdale",
    state="AZ",
    postal_code="85251",
)
_LOOKED_FOR = {
    field.name: getattr(WHO, field.name) for field, _ in WHO.ListFields() if field.name != "administrative_sex"
}
_QUIET = Instruments(span=lambda *_: nullcontext(), observe=lambda *_: None)


@pytest.fixture
def person(desk: Desk, database_of: Callable[..., Database]) -> Iterator[tuple[str, Client[BillingServiceStub]]]:
    """Somebody on record in intake with a charge in billing, and a client of billing's api; both apis listen on loopback."""
    front = ServiceHarness(INTAKE, database_of("intake"))
    site = desk.priced_site()
    opened = scheduling_events.SiteOpened(
        site_id=site, site_code="PHX", time_zone="America/Phoenix", opened_at=to_timestamp(START)
    )
    assert front.deliver(opened, at=START) == "applied"
    request = intake.RegisterPersonRequest(
        site_id=site, identity=WHO, medical_record_number=f"MRN-{uuid4().hex[:8]}", synthetic=True
    )
    person_id = str(front.call("RegisterPerson", request, role="intake_clerk", at=START).person_id)
    desk.register(person_id)
    desk.charge(desk.closed(site, person_id))
    intake_api = serve(INTAKE, front.runner, _QUIET, ServerOptions(), None)
    peers = Peers({"intake": f"127.0.0.1:{intake_api.port}"})
    billing_api = serve(INDEX, Runner(INDEX, desk.harness.database, peers), _QUIET, ServerOptions(), None)
    yield person_id, Client(BillingServiceStub, f"127.0.0.1:{billing_api.port}")
    for servers in (billing_api, intake_api):
        servers.stop(grace_s=0.2, stream_grace_s=0.0)
    close_links()


def _request(person_id: str) -> pb.PrintStatementRequest:
    return pb.PrintStatementRequest(person_id=person_id, from_date="2026-07-01", until_date="2026-07-31")


def _context(desk: Desk, role: str) -> RequestContext:
    return desk.harness.context(role, START)


def test_a_statement_is_joined_with_what_intake_answers_and_leaves_no_trace(
    desk: Desk, person: tuple[str, Client[BillingServiceStub]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person_id, client = person
    pdf = client.bound(_context(desk, "biller"), 20.0).PrintStatement(_request(person_id)).pdf
    text = PdfReader(BytesIO(pdf)).pages[0].extract_text()
    assert "Marisol Quintanilla-Zepeda" in text
    assert "Please pay $362.25" in text
    url = desk.harness.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    sources = [*leak_sources.tables({"billing": url}), Source("logs", caplog.text)]
    assert find_leaks([_LOOKED_FOR], sources) == []


def test_who_may_not_print_is_refused_and_the_refusal_of_intake_is_passed_on(
    desk: Desk, person: tuple[str, Client[BillingServiceStub]]
) -> None:
    person_id, client = person
    with pytest.raises(RemoteError) as refused:
        client.bound(_context(desk, "nurse"), 20.0).PrintStatement(_request(person_id))
    assert (refused.value.code, refused.value.reason) == ("PERMISSION_DENIED", "ROLE_NOT_ALLOWED")
    unknown = desk.person()
    with pytest.raises(RemoteError) as missing:
        client.bound(_context(desk, "biller"), 20.0).PrintStatement(_request(unknown))
    assert (missing.value.code, missing.value.ids) == ("NOT_FOUND", {})
