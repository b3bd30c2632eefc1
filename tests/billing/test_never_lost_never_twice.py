"""No sequence of events, duplicates, delays and order, of payments, refunds, adjustments and packages loses or doubles a charge.

A machine plays the billing desk of one person at one site against a model that is as simple as it can be, on the real service. After every
step the ledger sums to zero, the receivable is what the invoices and the charges on none are, the statement closes with the ledger, and
the checks of `saguaro verify` hold. At the end all that was held back is delivered, and what was charged is what would be in any order.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from billing.domain.money import to_cents
from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.values import decimal_text, to_timestamp
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from saguaro.intake.v1 import events_pb2 as intake_events
from tests.billing.desk import START, VISITS, Desk
from verify.check_ledger import CHECKS

_INSTRUMENTS = ("PHQ-9", "GAD-7", "PCL-5", "Y-BOCS", "MADRS", "PEG")
_CAP = 4
_SEEN = (InvalidArgument, FailedPrecondition)


@dataclass
class Books:
    """What `verify` reads a database through."""

    desk: Desk

    def rows(self, _service: str, query: str) -> list[Any]:
        with self.desk.harness.database.engine.connect() as connection:
            return list(connection.execute(text(query)).all())


@dataclass
class Play:
    """A person at a site, the news about them that is not delivered yet, and the money that moved."""

    desk: Desk
    site: str
    person: str
    waiting: list[Message] = field(default_factory=list)
    delivered: list[Message] = field(default_factory=list)
    happened: list[Message] = field(default_factory=list)
    invoices: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    cash: Decimal = Decimal(0)

    def session(self, minutes: int) -> None:
        """An infusion that ends; its news is on the way."""
        self._happens(self.desk.closed(self.site, self.person, seconds=60 * minutes, wasted_mg="460"))

    def evaluation(self, day: int) -> None:
        """A visit with a practitioner."""
        at = to_timestamp(START + timedelta(days=day))
        ids = {"evaluation_id": str(uuid4()), "person_id": self.person, "site_id": self.site}
        self._happens(intake_events.EvaluationRecorded(**ids, cpt_code="99214", evaluated_at=at))

    def instrument(self, number: int) -> None:
        """An answered instrument."""
        event = intake_events.InstrumentCompleted(
            result_id=str(uuid4()),
            person_id=self.person,
            site_id=self.site,
            instrument=_INSTRUMENTS[number % len(_INSTRUMENTS)],
            completed_at=to_timestamp(START),
        )
        self._happens(event)

    def _happens(self, event: Message) -> None:
        self.happened.append(event)
        self.waiting.append(event)

    def arrives(self, which: int) -> None:
        """Some news arrives, in whatever order."""
        if self.waiting:
            event = self.waiting.pop(which % len(self.waiting))
            self.delivered.append(event)
            assert self.desk.harness.deliver(event, at=START) == "applied"

    def again(self, which: int) -> None:
        """News arrives once more, under another id."""
        if self.delivered:
            event = self.delivered[which % len(self.delivered)]
            assert self.desk.harness.deliver(event, at=START) == "applied"

    def invoice(self, _: int) -> None:
        """Everything that is on no invoice."""
        self._try(lambda: self.invoices.append(self.desk.invoice(self.person, self.site).invoice_id))

    def pay(self, amount: int) -> None:
        """A payment, perhaps of too much."""
        if self.invoices:
            usd = Decimal(amount) / 7
            self._try(lambda: self._paid(self.invoices[amount % len(self.invoices)], to_cents(usd)))

    def _paid(self, invoice_id: str, usd: Decimal) -> None:
        self.payments.append(self.desk.overpay(invoice_id, decimal_text(usd)).payment_id)
        self.cash += usd

    def refund(self, amount: int) -> None:
        """Money back, perhaps more than there is."""
        if self.payments:
            usd = to_cents(Decimal(amount) / 11)
            self._try(lambda: self._refunded(self.payments[amount % len(self.payments)], usd))

    def _refunded(self, payment_id: str, usd: Decimal) -> None:
        self.desk.refund(payment_id, decimal_text(usd))
        self.cash -= usd

    def adjust(self, amount: int) -> None:
        """A credit note or a write-off, perhaps of too much."""
        if self.invoices:
            kind = ("credit_note", "write_off", "discount")[amount % 3]
            invoice_id = self.invoices[amount % len(self.invoices)]
            self._try(lambda: self.desk.adjust(invoice_id, kind, decimal_text(to_cents(Decimal(amount) / 13))))

    def use_credit(self, amount: int) -> None:
        """Credit for an invoice, perhaps more than there is."""
        if self.invoices:
            request = pb.ApplyCreditRequest(
                invoice_id=self.invoices[amount % len(self.invoices)],
                amount_usd=decimal_text(to_cents(Decimal(amount) / 17)),
            )
            self._try(lambda: self.desk.bill("ApplyCredit", request))

    def void(self, which: int) -> None:
        """An invoice is taken back."""
        if self.invoices:
            self._try(lambda: self.desk.void(self.invoices[which % len(self.invoices)]))

    def sell(self, price: int) -> None:
        """A package of one to three sessions."""
        usd = to_cents(Decimal(price + 1) / 3)
        sold = self.desk.sell(self.site, self.person, 1 + price % 3, decimal_text(usd))
        self.packages.append(sold.package_id)
        self.cash += usd

    def end_package(self, which: int) -> None:
        """What is unused of a package is given back."""
        if self.packages:
            request = pb.RefundPackageRequest(
                package_id=self.packages[which % len(self.packages)], method_code="card", reason_code="plan_ended"
            )
            self._try(lambda: self._ended(request))

    def _ended(self, request: pb.RefundPackageRequest) -> None:
        self.cash -= Decimal(self.desk.bill("RefundPackage", request).package.refunded_usd)

    def _try(self, act: Any) -> None:
        """What is refused changes nothing."""
        before = self.desk.ledger(self.site)
        try:
            act()
        except _SEEN:
            assert self.desk.ledger(self.site) == before

    def look(self) -> None:
        """What holds after every step."""
        accounts, sum_usd = self.desk.ledger(self.site)
        assert sum_usd == "0.00"
        of = {name: Decimal(amount) for name, amount in accounts.items()}
        owed, credit = of.get("accounts_receivable", Decimal(0)), -of.get("customer_credit", Decimal(0))
        charged = [one for one in self.desk.charges(self.person) if one.state == "charged"]
        free = sum(Decimal(one.total_usd) for one in charged if not one.invoice_id and not one.package_id)
        invoices = [self.desk.invoice_now(one) for one in dict.fromkeys(self.invoices)]
        assert owed == free + sum(Decimal(one.due_usd) for one in invoices)
        assert credit >= 0
        for one in invoices:
            assert sum(Decimal(line.line.amount_usd) for line in one.lines) == Decimal(one.total_usd)
            assert Decimal(one.due_usd) >= 0
        assert of.get("cash", Decimal(0)) == self.cash
        deferred = [
            Decimal(self.desk.bill("GetPackage", pb.GetPackageRequest(package_id=one)).package.deferred_usd)
            for one in self.packages
        ]
        assert -of.get("deferred_revenue", Decimal(0)) == sum(deferred)
        assert -sum(amount for name, amount in of.items() if name.startswith("revenue.")) == sum(
            Decimal(one.total_usd) for one in charged
        )
        said = self.desk.statement(self.person)
        assert Decimal(said.closing_usd) == owed - credit
        assert Decimal(said.closing_usd) == (
            Decimal(said.opening_usd) + Decimal(said.charges_usd) - Decimal(said.payments_usd)
            + Decimal(said.refunds_usd) - Decimal(said.adjustments_usd)
        )  # fmt: skip

    def end(self) -> None:
        """All news has arrived: each thing that happened has one charge set, whatever the order was."""
        while self.waiting:
            self.arrives(0)
        self.look()
        found: list[types.ChargeSet] = self.desk.charges(self.person)
        sources = [one.source_id for one in found]
        assert sorted(sources) == sorted(_source(event) for event in self.happened)
        by_kind = {kind: [one for one in found if one.kind == kind] for kind in ("session", "evaluation", "assessment")}
        asked = {e.instrument for e in self.happened if isinstance(e, intake_events.InstrumentCompleted)} - {"PEG"}
        assert sum(one.state == "charged" for one in by_kind["assessment"]) == min(len(asked), _CAP)
        assert all(one.state == "charged" for one in by_kind["evaluation"] + by_kind["session"])
        for check in CHECKS:
            world: Any = SimpleNamespace(databases=Books(self.desk))
            assert check.run(world).found == [], check.name


def _source(event: Any) -> str:
    for name in ("session_id", "evaluation_id", "result_id"):
        if name in event.DESCRIPTOR.fields_by_name:
            return str(getattr(event, name))
    raise AssertionError("an event without a source")


_STEPS = (
    "session", "session", "evaluation", "instrument", "arrives", "arrives", "arrives", "again", "invoice", "invoice", "pay", "pay",
    "refund", "adjust", "use_credit", "void", "sell", "end_package",
)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(0, 9_999)), min_size=5, max_size=30))
def test_no_sequence_loses_or_doubles_a_charge(desk: Desk, steps: list[tuple[str, int]]) -> None:
    site = desk.site()
    desk.publish(site, **VISITS, **{"J3490-JW": "1.115"})
    play = Play(desk, site, desk.person())
    for name, number in steps:
        getattr(play, name)(number % 400 if name in ("session", "evaluation") else number)
        play.look()
    play.end()


@pytest.mark.parametrize("which", range(3))
def test_the_model_itself_sees_a_breach(desk: Desk, which: int) -> None:
    """Without it, a machine that never fails would prove nothing."""
    site = desk.site()
    desk.publish(site, **VISITS)
    play = Play(desk, site, desk.person())
    play.session(40)
    play.arrives(0)
    play.invoice(0)
    play.look()
    if which == 0:
        play.cash += 1
    elif which == 1:
        play.invoices.clear()
    else:
        play.happened.append(play.happened[0])
    with pytest.raises(AssertionError):
        play.end()
