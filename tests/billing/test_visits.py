"""Evaluations and instruments: charged beside the infusion, once each, in whatever order the news comes."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from chassis.values import to_timestamp
from saguaro.billing.v1 import events_pb2 as events
from saguaro.intake.v1 import events_pb2 as intake_events
from tests.billing.desk import START, VISITS, Desk


def _site(desk: Desk) -> str:
    site = desk.site()
    desk.publish(site, **VISITS)
    return site


def test_an_evaluation_has_a_charge_set_of_its_own(desk: Desk) -> None:
    site, person = _site(desk), desk.person()
    evaluation_id = desk.evaluated(site, person)
    (charged,) = desk.charges(person)
    assert (charged.kind, charged.source_id, charged.session_id) == ("evaluation", evaluation_id, "")
    assert [(line.code, line.units, line.amount_usd) for line in charged.lines] == [("99214", "1", "210.00")]
    (captured,) = desk.harness.events(events.ChargeCaptured)
    assert (captured.kind, captured.source_id, captured.session_id) == ("evaluation", evaluation_id, "")
    assert desk.charges(person, "session") == []


def test_the_same_evaluation_twice_is_charged_once(desk: Desk) -> None:
    site, person = _site(desk), desk.person()
    evaluation_id = desk.evaluated(site, person)
    desk.evaluated(site, person, evaluation_id=evaluation_id)
    assert desk.ledger(site)[0]["accounts_receivable"] == "210.00"


def test_a_site_without_a_price_charges_no_evaluation_and_says_so(desk: Desk) -> None:
    site, person = desk.priced_site(), desk.person()
    desk.evaluated(site, person)
    desk.answered(site, person)
    found = desk.charges(person)
    assert [(one.state, one.note_code, one.total_usd) for one in found] == [("none", "price.missing", "0.00")] * 2
    assert desk.ledger(site) == ({}, "0.00")


def test_an_evaluation_whose_code_the_policy_does_not_know_is_held(desk: Desk) -> None:
    site, person = _site(desk), desk.person()
    desk.evaluated(site, person, "12345")
    (held,) = desk.held(site, "evaluation_code.unknown")
    assert (held.kind, held.person_id) == ("evaluation", person)
    (told,) = desk.harness.events(events.ChargeHeld)
    assert (told.charge_set_id, told.hold_reason_code) == (held.charge_set_id, "evaluation_code.unknown")


def test_news_of_a_site_that_is_not_known_yet_waits(desk: Desk) -> None:
    site, person = str(uuid4()), desk.person()
    event = intake_events.InstrumentCompleted(
        result_id=str(uuid4()), person_id=person, site_id=site, instrument="PHQ-9", completed_at=to_timestamp(START)
    )
    desk.publish(site, **VISITS)
    assert desk.harness.deliver(event, at=START) == "early"
    assert desk.charges(person) == []
    desk.open_site(site)
    assert [one.total_usd for one in desk.charges(person)] == ["8.40"]


def test_each_instrument_is_charged_once_a_day_up_to_the_cap(desk: Desk) -> None:
    site, person = _site(desk), desk.person()
    for name in ("PHQ-9", "GAD-7", "PHQ-9", "PCL-5", "PEG", "Y-BOCS", "MADRS", "a scale of our own"):
        desk.answered(site, person, name)
    found = [(one.state, one.note_code) for one in desk.charges(person, "assessment")]
    assert found == [
        ("charged", ""), ("charged", ""), ("none", "instrument.repeated"), ("charged", ""),
        ("none", "instrument.not_billable"), ("charged", ""), ("none", "cap.reached"), ("none", "instrument.not_billable"),
    ]  # fmt: skip
    desk.answered(site, person, completed_at=to_timestamp(START + timedelta(days=1)))
    assert desk.charges(person, "assessment")[-1].state == "charged"
    assert desk.ledger(site)[0]["revenue.96127"] == "-42.00"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_modifier_25_is_decided_when_invoiced_in_whatever_order_they_came(desk: Desk, order: tuple[int, ...]) -> None:
    site, person = _site(desk), desk.person()
    steps = (
        lambda: desk.charge(desk.closed(site, person)),
        lambda: desk.evaluated(site, person),
        lambda: desk.answered(site, person),
    )
    for step in order:
        steps[step]()
    issued = desk.invoice(person, site)
    assert {(line.line.code, line.line.modifier) for line in issued.lines} == {
        ("96365", ""), ("J3490", ""), ("99214", "25"), ("96127", ""),
    }  # fmt: skip
    assert issued.total_usd == "580.65"


def test_an_evaluation_without_an_infusion_at_that_site_and_day_has_no_modifier(desk: Desk) -> None:
    site, other, person = _site(desk), _site(desk), desk.person()
    desk.charge(desk.closed(other, person))
    desk.charge(desk.closed(site, person, started_at=to_timestamp(START + timedelta(days=1))))
    desk.charge(desk.closed(site, person, seconds=30, delivered_mg="0"))
    desk.evaluated(site, person)
    assert {line.line.modifier for line in desk.invoice(person, site).lines if line.kind == "evaluation"} == {""}
