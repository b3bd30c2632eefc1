"""What is printed has the name that intake gave, can be read by a machine, and leaves no trace of the name behind."""

import logging
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from billing.printing.statement_pdf import statement_pdf
from chassis.errors import NotFound, PermissionDenied, Unavailable
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from saguaro.intake.v1 import service_pb2 as intake
from saguaro.intake.v1 import types_pb2 as intake_types
from tests.billing.desk import START, VISITS, Desk
from verify import leak_sources
from verify.leaks import Source, find_leaks

# Letters of Navajo, Spanish and Vietnamese.
WHO: dict[str, Any] = {
    "given_name": "Łichííʼ",
    "family_name": "Quiñones-Nguyễn",
    "birth_date": "1984-03-07",
    "phone": "+16025550142",
    "email": "rosalinda.q@synthetic.example",
    "address_line": "4711 E Ocotillo Blossom Trl",
    "city": "Tuba City",
    "state": "AZ",
    "postal_code": "86045",
}


class FakeIntake:
    """Answers as intake does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: Exception | None = None

    def GetPerson(self, request: intake.GetPersonRequest) -> intake.GetPersonResponse:
        self.asked.append(request.person_id)
        if self.failure is not None:
            raise self.failure
        return intake.GetPersonResponse(person_id=request.person_id, identity=intake_types.PersonIdentity(**WHO))


@pytest.fixture
def intake_peer(desk: Desk) -> FakeIntake:
    """Intake, as billing asks it."""
    peer = FakeIntake()
    desk.harness.peers["intake"] = peer
    return peer


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def _history(desk: Desk) -> tuple[str, str]:
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    desk.evaluated(site, person)
    desk.charge(desk.closed(site, person, wasted_mg="460"))
    issued = desk.invoice(person, site)
    desk.overpay(issued.invoice_id, "600.00")
    return site, person


def _print(desk: Desk, person: str, site: str = "") -> bytes:
    request = pb.PrintStatementRequest(person_id=person, site_id=site, from_date="2026-07-01", until_date="2026-07-31")
    return bytes(desk.bill("PrintStatement", request).pdf)


def _print_estimate(desk: Desk, site: str, person: str) -> bytes:
    request = pb.CreateEstimateRequest(
        person_id=person, site_id=site, session_count=6, infusion_minutes=40, first_service_date="2026-08-03"
    )
    made = desk.bill("CreateEstimate", request, START).estimate
    return bytes(desk.bill("PrintEstimate", pb.PrintEstimateRequest(estimate_id=made.estimate_id)).pdf)


def test_a_statement_has_the_name_the_lines_and_the_sums(desk: Desk, intake_peer: FakeIntake) -> None:
    site, person = _history(desk)
    text = _text(_print(desk, person, site))
    for expected in (
        "Statement of account",
        "Łichííʼ Quiñones-Nguyễn",
        "4711 E Ocotillo Blossom Trl",
        "Tuba City, AZ 86045",
        "Jul 1, 2026 to Jul 31, 2026",
        "96365 Infusion, first hour: 1 x $350.00 = $350.00",
        "J3490 Drug given, NDC 67457010810, 0.80 mL: 1 x $12.25 = $12.25",
        "J3490-JW Drug discarded, NDC 67457010810, 9.20 mL: no charge = $0.00",
        "99214 Visit with a practitioner",
        "Charges $572.25",
        "Payments -$600.00",
        "Your credit $27.75",
    ):
        assert expected in text, expected
    assert intake_peer.asked == [person]
    for hidden in (WHO["birth_date"], WHO["phone"], WHO["email"]):
        assert hidden not in text


def test_an_estimate_has_the_codes_the_total_and_the_persons_rights(desk: Desk, intake_peer: FakeIntake) -> None:
    site, person = desk.priced_site(), desk.person()
    text = _text(_print_estimate(desk, site, person))
    for expected in (
        "Good-faith estimate",
        "Łichííʼ Quiñones-Nguyễn",
        "Made Jul 15, 2026, valid until Oct 13, 2026.",
        "96365 Infusion, first hour 6 $350.00 $2,100.00",
        "Expected in all $2,173.50",
        "Services of other providers and facilities.",
        "$400.00 or",
    ):
        assert expected in text, expected
    assert intake_peer.asked == [person]


def test_nothing_of_a_printed_name_stays_in_the_database_or_in_a_log(
    desk: Desk, intake_peer: FakeIntake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site, person = _history(desk)
    pdfs = [_print(desk, person, site), _print_estimate(desk, site, person)]
    assert all("Quiñones" in _text(pdf) for pdf in pdfs)
    url = desk.harness.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    sources = [*leak_sources.tables({"billing": url}), Source("logs", caplog.text)]
    assert len(sources) > 20
    looked_for = WHO | {"person_id": person}
    assert find_leaks([looked_for], sources) == []
    # And the search finds such a name where there is one.
    with desk.harness.database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO estimate_line SELECT estimate_id, 9, 'Łichííʼ', 1, 1, 1 FROM estimate")
    assert {leak.field for leak in find_leaks([looked_for], leak_sources.tables({"billing": url}))} == {"given_name"}


def test_the_pdf_is_letter_tagged_titled_and_in_a_language(desk: Desk, intake_peer: FakeIntake) -> None:
    site, person = _history(desk)
    reader = PdfReader(BytesIO(_print(desk, person, site)))
    root: Any = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("en-US", True)
    assert bool(root["/ViewerPreferences"]["/DisplayDocTitle"]) is True
    assert reader.metadata is not None
    assert reader.metadata.title == "Statement of account"
    box = reader.pages[0].mediabox
    assert (box.width, box.height) == (612, 792)
    elements = [one.get_object() for one in root["/StructTreeRoot"]["/K"][0].get_object()["/K"]]
    kinds = [one["/S"] for one in elements]
    assert (kinds[0], kinds.count("/H1"), "/H2" in kinds) == ("/H1", 1, True)
    # Every tagged piece of the page has its element.
    content = reader.pages[0].get_contents()
    assert content is not None
    assert content.get_data().count(b"/MCID") == len(elements)


def test_a_long_statement_goes_over_several_pages_and_loses_no_line() -> None:
    statement = types.Statement(
        from_date="2026-07-01", until_date="2026-07-31", opening_usd="0.00", closing_usd="0.00", charges_usd="0.00",
        payments_usd="0.00", refunds_usd="0.00", adjustments_usd="0.00",
    )  # fmt: skip
    for number in range(1, 121):
        amount = f"{number}.00"
        statement.lines.add(posted_on="2026-07-15", kind="payment", amount_usd=amount, balance_usd="0.00")
    pdf = statement_pdf(statement, intake_types.PersonIdentity(**WHO), START)
    reader = PdfReader(BytesIO(pdf))
    text = _text(pdf)
    assert len(reader.pages) > 2
    assert all(f"${number}.00" in text for number in range(1, 121))
    assert statement_pdf(statement, intake_types.PersonIdentity(**WHO), START) == pdf


def test_without_intake_nothing_is_printed(desk: Desk, intake_peer: FakeIntake) -> None:
    site, person = _history(desk)
    intake_peer.failure = Unavailable("PEER_UNAVAILABLE", rule="intake does not answer")
    with pytest.raises(Unavailable):
        _print(desk, person, site)


def test_who_may_not_print_and_what_cannot_be_printed_is_refused_before_intake_is_asked(
    desk: Desk, intake_peer: FakeIntake
) -> None:
    site, person = _history(desk)
    request = pb.PrintStatementRequest(person_id=person, from_date="2026-07-01", until_date="2026-07-31")
    with pytest.raises(PermissionDenied):
        desk.harness.call("PrintStatement", request, role="scheduler")
    with pytest.raises(NotFound):
        _print(desk, site)
    with pytest.raises(NotFound):
        _print(desk, person, person)
    with pytest.raises(NotFound):
        desk.bill("PrintEstimate", pb.PrintEstimateRequest(estimate_id=person))
    assert intake_peer.asked == []
