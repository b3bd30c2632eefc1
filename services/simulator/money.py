"""The desk's part: estimate and package before, invoices and payments after, a refund of what is not used."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from simulator.day import INFUSION_DAY
from simulator.episode import Episode
from simulator.places import Place
from simulator.unexpected import Unexpected

_METHODS: Final = ("card", "cash", "check", "transfer")
_PRICES_ON_THEIR_WAY: Final = ("PRICE_LIST_NOT_YET_KNOWN", "NOT_FOUND")
PACKAGE_SESSIONS: Final = 3
PACKAGE_USD: Final = "900.00"


@dataclass
class Account:
    """What came of a person's money. All amounts in dollars; charge sets are everything that the person was charged for."""

    charge_sets: list[types.ChargeSet] = field(default_factory=list)
    invoiced_usd: Decimal = Decimal(0)
    paid_usd: Decimal = Decimal(0)
    package_usd: Decimal = Decimal(0)
    refunded_usd: Decimal = Decimal(0)
    drawn: int = 0
    unpaid: list[str] = field(default_factory=list)


def before(episode: Episode, plan_id: str) -> str:
    """A good-faith estimate for everybody; one person pays for three sessions in advance. The package's id, or nothing."""
    place = episode.home
    estimate = pb.CreateEstimateRequest(
        person_id=episode.person_id,
        site_id=place.site_id,
        plan_id=plan_id,
        session_count=6,
        infusion_minutes=episode.script.duration_min,
        first_service_date=INFUSION_DAY.isoformat(),
        evaluation_codes=["99214"],
        assessments_per_session=2,
    )
    episode.ask("biller", "billing", "CreateEstimate", estimate, place=place, until=_PRICES_ON_THEIR_WAY)
    if episode.script.way != "package":
        return ""
    sale = pb.SellPackageRequest(
        person_id=episode.person_id,
        site_id=place.site_id,
        session_count=PACKAGE_SESSIONS,
        price_usd=PACKAGE_USD,
        method_code="card",
    )
    package_id: str = episode.ask("biller", "billing", "SellPackage", sale, place=place).package.package_id
    return package_id


def after(episode: Episode, sessions: int, package_id: str = "") -> Account:
    """Waits for every charge set, pays what each site invoices, and takes back what is left of a package."""
    account = Account()
    wanted = episode.billable + sessions
    listed = episode.calls.watch(
        "billing",
        "ListChargeSets",
        pb.ListChargeSetsRequest(person_id=episode.person_id, page_size=500, kind="all"),
        episode.context("biller", episode.home),
        until=lambda found: len(found.charge_sets) >= wanted,
        effect="what was done to its charge sets",
    )
    account.charge_sets = list(listed.charge_sets)
    for place in (episode.home, *episode.elsewhere):
        owed = [one for one in listed.charge_sets if one.site_id == place.site_id and one.state == "charged"]
        if any(not one.invoice_id and not one.package_id for one in owed):
            _invoice_and_pay(episode, place, account)
    if package_id:
        _end_package(episode, package_id, account)
    return account


def _invoice_and_pay(episode: Episode, place: Place, account: Account) -> None:
    episode.forward(2)
    asked = pb.IssueInvoiceRequest(person_id=episode.person_id, site_id=place.site_id)
    invoice = episode.ask("biller", "billing", "IssueInvoice", asked, place=place).invoice
    payment = pb.RecordPaymentRequest(
        invoice_id=invoice.invoice_id,
        amount_usd=invoice.total_usd,
        method_code=_METHODS[episode.script.index % len(_METHODS)],
    )
    episode.ask("biller", "billing", "RecordPayment", payment, place=place)
    read = pb.GetInvoiceRequest(invoice_id=invoice.invoice_id)
    now = episode.ask("biller", "billing", "GetInvoice", read, place=place).invoice
    account.invoiced_usd += Decimal(invoice.total_usd)
    account.paid_usd += Decimal(now.paid_usd)
    if now.state != types.INVOICE_STATE_PAID or now.paid_usd != now.total_usd:
        account.unpaid.append(invoice.invoice_id)


def _end_package(episode: Episode, package_id: str, account: Account) -> None:
    """One session was drawn, the rest goes back; a statement is printed, with the name that intake has and billing never keeps."""
    place = episode.home
    read = pb.GetPackageRequest(package_id=package_id)
    package = episode.ask("biller", "billing", "GetPackage", read, place=place).package
    refund = pb.RefundPackageRequest(package_id=package_id, method_code="card", reason_code="plan_ended")
    ended = episode.ask("biller", "billing", "RefundPackage", refund, place=place).package
    account.drawn, account.package_usd = package.drawn_count, Decimal(package.price_usd)
    account.refunded_usd = Decimal(ended.refunded_usd)
    day = INFUSION_DAY.isoformat()
    printed = pb.PrintStatementRequest(
        person_id=episode.person_id, site_id=place.site_id, from_date=day[:8] + "01", until_date=day[:8] + "31"
    )
    statement = episode.ask("biller", "billing", "PrintStatement", printed, place=place)
    if not statement.pdf.startswith(b"%PDF-"):
        raise Unexpected("a printed statement must be a PDF")
