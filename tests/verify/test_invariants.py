"""Each invariant that is read from the databases holds on an untouched day, and is seen when a hand breaks it."""

from __future__ import annotations

import pytest

from tests.verify.conftest import Day
from tests.verify.rows_of_a_day import (
    AUTHORISATION,
    BAG,
    CHARGE_SET,
    CHARGED,
    CLEARANCE,
    CONSENT,
    DIAGNOSIS,
    FLAG,
    INVOICE,
    NURSE,
    ORDER,
    OTHER,
    PAYMENT,
    PERSON,
    PLAN,
    PRESCRIBER,
    SESSION,
    SITE,
    SUGGESTION,
    at,
)
from verify.checks import CHECKS

# These need the topics as well and are broken in their own files.
_FROM_TOPICS = {"delivery.totals"}

# check, service, statements, what is found.
BREAKS = [
    ("plan.clearance", "intake", ["DELETE FROM clearance"], f"plan {PLAN}: was drafted"),
    (
        "plan.clearance",
        "intake",
        [f"UPDATE clearance SET expires_at = '{at(-3850)}'"],
        f"plan {PLAN}: was signed without",
    ),
    (
        "plan.clearance",
        "treatment_plan",
        ["ALTER TABLE plan DROP CONSTRAINT plan_signed_by_somebody", "UPDATE plan SET signed_at = NULL"],
        f"plan {PLAN}: is in use",
    ),
    (
        "start.authorised",
        "device_telemetry",
        ["DELETE FROM authorisation"],
        f"session {SESSION}: an infusion without authorisation",
    ),
    (
        "start.once_an_order",
        "device_telemetry",
        [
            "ALTER TABLE authorisation DROP CONSTRAINT authorisation_one_an_order",
            "INSERT INTO authorisation SELECT (jsonb_populate_record(a, jsonb_build_object('authorisation_id', gen_random_uuid(),"
            " 'session_id', gen_random_uuid()))).* FROM authorisation a",
        ],
        f"order {ORDER}: was authorised more than once",
    ),
    (
        "start.once_an_order",
        "device_telemetry",
        [
            "ALTER TABLE authorisation DROP CONSTRAINT authorisation_one_a_session",
            "INSERT INTO authorisation SELECT (jsonb_populate_record(a, jsonb_build_object('authorisation_id', gen_random_uuid(),"
            " 'order_id', gen_random_uuid()))).* FROM authorisation a",
        ],
        f"session {SESSION}: was authorised more than once",
    ),
    ("start.order", "treatment_plan", ["DELETE FROM treatment_order"], f"order {ORDER}: is not on record"),
    (
        "start.order",
        "treatment_plan",
        [f"UPDATE treatment_order SET expires_at = '{at(0)}'"],
        f"order {ORDER}: was not in force",
    ),
    (
        "start.order",
        "treatment_plan",
        [
            "ALTER TABLE treatment_order DROP CONSTRAINT treatment_order_used_or_revoked",
            f"UPDATE treatment_order SET revoked_at = '{at(-1)}'",
        ],
        f"order {ORDER}: was revoked",
    ),
    (
        "start.order",
        "treatment_plan",
        [f"UPDATE plan SET signed_at = '{at(-30)}'"],
        f"order {ORDER}: was issued before its plan was signed",
    ),
    (
        "start.order",
        "treatment_plan",
        [f"UPDATE treatment_order SET pump_id = '{OTHER}'"],
        f"order {ORDER}: was used by another pump",
    ),
    (
        "start.order",
        "treatment_plan",
        [f"UPDATE treatment_order SET session_id = '{OTHER}'"],
        f"order {ORDER}: belongs to another session",
    ),
    (
        "start.echo",
        "device_telemetry",
        ["UPDATE authorisation SET rate_ml_per_h = 60.1"],
        f"order {ORDER}: the echo differs",
    ),
    (
        "start.ready",
        "treatment_plan",
        ["DELETE FROM session_readiness"],
        f"session {SESSION}: was started without being",
    ),
    (
        "start.ready",
        "treatment_plan",
        [f"UPDATE session_readiness SET ready_at = '{at(1)}'"],
        f"session {SESSION}: was started without being ready",
    ),
    (
        "start.consent",
        "intake",
        [f"UPDATE consent SET withdrawn_at = '{at(-1)}', withdrawn_by = '{OTHER}'"],
        f"session {SESSION}: was started without a consent",
    ),
    (
        "start.consent",
        "intake",
        [f"UPDATE consent SET site_id = '{OTHER}'"],
        f"session {SESSION}: was started without a consent",
    ),
    (
        "start.clearance",
        "intake",
        [f"UPDATE clearance SET expires_at = '{at(-1)}'"],
        f"session {SESSION}: was started without a clearance",
    ),
    (
        "start.no_open_flag",
        "intake",
        [f"UPDATE safety_flag SET cleared_at = '{at(1)}'"],
        f"session {SESSION}: was started under an open safety flag",
    ),
    (
        "delivery.at_most_ordered",
        "treatment_plan",
        ["UPDATE pump_totals SET delivered_ml = 40.1"],
        f"session {SESSION}: more was delivered",
    ),
    (
        "delivery.at_most_ordered",
        "treatment_plan",
        ["UPDATE session_closure SET delivered_mg = 40.000001"],
        f"session {SESSION}: more was delivered",
    ),
    (
        "delivery.account",
        "treatment_plan",
        [
            "ALTER TABLE session_closure DROP CONSTRAINT session_closure_balances",
            "UPDATE session_closure SET wasted_mg = 9",
        ],
        f"session {SESSION}: its drug account",
    ),
    (
        "delivery.account",
        "treatment_plan",
        [
            "ALTER TABLE session_closure DROP CONSTRAINT session_closure_witness",
            "UPDATE session_closure SET witnessed_by = closed_by",
        ],
        f"session {SESSION}: waste without a witness",
    ),
    (
        "booking.no_overlap",
        "scheduling",
        [
            "ALTER TABLE claim DROP CONSTRAINT claim_no_overlap",
            f"INSERT INTO claim SELECT '{OTHER}', kind, resource_id, person_id, site_id, during, active FROM claim"
            " WHERE kind = 'person'",
        ],
        f"person {PERSON}: held at once",
    ),
    (
        "booking.claims",
        "scheduling",
        ["UPDATE claim SET active = false WHERE kind = 'chair'"],
        f"session {SESSION}: does not hold",
    ),
    (
        "booking.claims",
        "scheduling",
        ["UPDATE booking SET state = 'cancelled', cancel_reason_code = 'x'"],
        f"session {SESSION}: was called off",
    ),
    ("booking.claims", "scheduling", ["DELETE FROM booking"], f"session {SESSION}: holds something without a booking"),
    ("charge.one_an_infusion", "billing", ["DELETE FROM charge_set"], f"session {SESSION}: ended and has 0"),
    (
        "charge.one_an_infusion",
        "billing",
        [
            "ALTER TABLE charge_set DROP CONSTRAINT charge_set_one_a_session",
            "ALTER TABLE charge_set DROP CONSTRAINT charge_set_one_a_source",
            "INSERT INTO charge_set SELECT (jsonb_populate_record(c, jsonb_build_object('charge_set_id', gen_random_uuid()))).*"
            " FROM charge_set c",
        ],
        f"session {SESSION}: ended and has 2",
    ),
    (
        "charge.one_an_infusion",
        "treatment_plan",
        ["DELETE FROM pump_totals"],
        f"session {SESSION}: has a charge set and no infusion",
    ),
    (
        "charge.facts",
        "billing",
        ["UPDATE charge_set SET delivered_mg = 41"],
        f"session {SESSION}: was charged by other",
    ),
    (
        "charge.lines",
        "billing",
        ["UPDATE charge_line SET amount_usd = 401, unit_price_usd = 401 WHERE line_number = 1"],
        f"charge set {CHARGE_SET}: its lines do not add up",
    ),
    (
        "charge.lines",
        "billing",
        ["UPDATE charge_line SET units = 2 WHERE line_number = 1"],
        f"charge set {CHARGE_SET}: a line is not units times price",
    ),
    (
        "charge.lines",
        "billing",
        [
            "DELETE FROM charge_line",
            "UPDATE charge_set SET state = 'none', total_usd = 0, invoice_id = NULL",
        ],
        f"charge set {CHARGE_SET}: is nothing although",
    ),
    (
        "ledger.sums_to_zero",
        "billing",
        ["UPDATE ledger_entry SET amount_usd = 101 WHERE account_code = 'cash'"],
        "the whole ledger: does not sum to zero",
    ),
    (
        "ledger.sums_to_zero",
        "billing",
        [
            "UPDATE ledger_entry SET amount_usd = amount_usd + 1 WHERE account_code = 'cash'",
            f"UPDATE ledger_entry SET amount_usd = amount_usd - 1 WHERE account_code = 'revenue.96365'",  # noqa: F541
        ],
        f"transaction {CHARGED}: does not sum to zero",
    ),
    (
        "ledger.postings",
        "billing",
        ["DELETE FROM ledger_entry", "DELETE FROM ledger_transaction"],
        f"payment {PAYMENT}: is not posted",
    ),
    ("ledger.postings", "billing", ["UPDATE payment SET amount_usd = 99"], f"payment {PAYMENT}: is not posted"),
    ("ledger.postings", "billing", ["DELETE FROM payment"], f"payment {PAYMENT}: is not posted"),
    ("ledger.invoices", "billing", ["UPDATE invoice SET total_usd = 449"], f"invoice {INVOICE}: is not the sum"),
    ("ledger.invoices", "billing", ["UPDATE payment SET amount_usd = 451"], f"invoice {INVOICE}: is paid more"),
    (
        "ledger.invoices",
        "billing",
        [f"UPDATE charge_set SET person_id = '{OTHER}'"],
        f"invoice {INVOICE}: holds a charge of another",
    ),
    (
        "copies.decisions",
        "treatment_plan",
        ["DELETE FROM consent"],
        f"treatment-plan's consent {CONSENT}: has not arrived",
    ),
    (
        "copies.decisions",
        "treatment_plan",
        ["UPDATE safety_flag SET cleared_at = NULL"],
        f"treatment-plan's safety flag {FLAG}: differs from its owner in cleared_at",
    ),
    (
        "copies.decisions",
        "intake",
        ["DELETE FROM clearance"],
        f"treatment-plan's clearance {CLEARANCE}: is not on its owner's record",
    ),
    ("copies.accounts", "billing", ["DELETE FROM account"], f"billing's account of person {PERSON}: has not arrived"),
    ("copies.sites", "billing", ["UPDATE site SET time_zone = 'America/Denver'"], f"billing's site {SITE}: differs"),
    ("copies.sites", "intake", ["DELETE FROM site"], f"intake's site {SITE}: has not arrived"),
    (
        "copies.follow_ups",
        "intake",
        ["DELETE FROM follow_up"],
        f"intake's follow-up of session {SESSION}: has not arrived",
    ),
    (
        "copies.plans",
        "scheduling",
        ["UPDATE plan SET state = 'suspended', sessions_planned = 5"],
        f"scheduling's plan {PLAN}: differs from its owner in state, sessions_planned",
    ),
    (
        "copies.orders",
        "device_telemetry",
        ["UPDATE infusion_order SET vtbi_ml = 41"],
        f"device-telemetry's order {ORDER}: differs from its owner in vtbi_ml",
    ),
    (
        "copies.sessions",
        "treatment_plan",
        ["DELETE FROM session_record"],
        f"treatment-plan's session {SESSION}: has not arrived",
    ),
    (
        "copies.sessions",
        "device_telemetry",
        [f"UPDATE infusion_session SET person_id = '{OTHER}'"],
        f"device-telemetry's session {SESSION}: differs",
    ),
    (
        "copies.session_states",
        "scheduling",
        ["UPDATE booking SET state = 'arrived'"],
        f"session {SESSION}: scheduling and treatment-plan differ on whether it took place",
    ),
    (
        "copies.session_states",
        "treatment_plan",
        ["UPDATE session_record SET state = 'cancelled'"],
        f"session {SESSION}: scheduling and treatment-plan differ on whether it was called off",
    ),
    (
        "copies.session_states",
        "device_telemetry",
        [f"UPDATE infusion_session SET cancelled_at = '{at(-1)}'"],
        f"session {SESSION}: scheduling and device-telemetry differ",
    ),
    (
        "qualified.acts",
        "intake",
        ["UPDATE practitioner_site SET privileges = '{clear,sign}' WHERE 'diagnose' = ANY (privileges)"],
        f"diagnosis {DIAGNOSIS}: by {PRESCRIBER}, without the privilege diagnose",
    ),
    (
        "qualified.acts",
        "intake",
        ["UPDATE practitioner_revision SET licence_expires_on = '2026-07-14' WHERE licence_type = 'RN'"],
        f"bag {BAG}: by {NURSE}, whose licence had expired",
    ),
    (
        "qualified.acts",
        "intake",
        [
            "ALTER TABLE practitioner_site DROP CONSTRAINT practitioner_site_dea",
            "UPDATE practitioner_site SET dea_expires_on = NULL",
        ],
        f"order {ORDER}: by {PRESCRIBER}, without a DEA registration",
    ),
    (
        "qualified.acts",
        "device_telemetry",
        [f"UPDATE authorisation SET authorised_by = '{OTHER}'"],
        f"start {AUTHORISATION}: by {OTHER}, who is not on record",
    ),
    (
        "gate.bag",
        "treatment_plan",
        ["UPDATE bag SET checked_by = NULL, checked_at = NULL"],
        f"session {SESSION}: the bag was not checked by a second person",
    ),
    (
        "gate.bag",
        "treatment_plan",
        ["UPDATE bag SET drawn_ml = 0.4"],
        f"session {SESSION}: the bag's concentration is not the order's",
    ),
    (
        "gate.bag",
        "treatment_plan",
        ["UPDATE bag SET expires_on = '2026-07-14'"],
        f"session {SESSION}: the lot was past its last day",
    ),
    (
        "gate.bag",
        "treatment_plan",
        ["UPDATE session_readiness SET bag_id = NULL"],
        f"session {SESSION}: was started without a bag",
    ),
    (
        "gate.identity",
        "treatment_plan",
        [f"UPDATE identity_check SET checked_at = '{at(1)}'"],
        f"session {SESSION}: was started without an identity check",
    ),
    (
        "gate.screening",
        "intake",
        ["DELETE FROM instrument_result WHERE instrument = 'C-SSRS-SCREENER'"],
        f"session {SESSION}: was started without a C-SSRS",
    ),
    (
        "gate.discharge",
        "treatment_plan",
        [f"UPDATE session_discharge SET discharged_at = '{at(40)}'"],
        f"session {SESSION}: was discharged before the infusion's end, without aftercare instructions",
    ),
    (
        "gate.discharge",
        "intake",
        [f"UPDATE safety_flag SET raised_at = '{at(30)}', cleared_at = '{at(171)}'"],
        f"session {SESSION}: was discharged under an open safety flag",
    ),
    (
        "series.orders",
        "treatment_plan",
        [
            "UPDATE treatment_order SET used_at = NULL, pump_id = NULL, authorisation_id = NULL",
            "UPDATE plan SET version = 2",
        ],
        f"order {ORDER}: is unused and was left in force",
    ),
    (
        "series.decided",
        "treatment_plan",
        ["UPDATE suggestion SET state = 'accepted'"],
        f"suggestion {SUGGESTION}: what was decided",
    ),
    (
        "series.holds",
        "treatment_plan",
        ["UPDATE prescriber_hold SET released_at = NULL, released_by = NULL, released_reason_code = NULL"],
        f"session {SESSION}: was started while the person's next order was held",
    ),
    (
        "series.apart",
        "treatment_plan",
        [
            "ALTER TABLE pump_totals DROP CONSTRAINT pump_totals_of_order",
            "INSERT INTO pump_totals SELECT (jsonb_populate_record(t, jsonb_build_object('session_id', gen_random_uuid(),"
            f" 'started_at', '{at(900).isoformat()}', 'stopped_at', '{at(940).isoformat()}'))).* FROM pump_totals t",
        ],
        "began too soon after the person's last infusion",
    ),
]


def test_everything_holds_on_an_untouched_day(day: Day) -> None:
    broken = {
        check.name: found
        for check in CHECKS
        if check.name not in _FROM_TOPICS and (found := day.check(check.name)["found"])
    }
    assert broken == {}


@pytest.mark.parametrize(("name", "service", "statements", "finding"), BREAKS)
def test_a_broken_invariant_is_found(day: Day, name: str, service: str, statements: list[str], finding: str) -> None:
    day.break_in(service, *statements)
    result = day.check(name)
    assert not result["ok"]
    assert any(text.startswith(finding) or finding in text for text in result["found"]), result["found"]
    assert len(result["found"]) <= 20


def test_every_check_of_the_databases_is_broken_once() -> None:
    from tests.verify.test_leftovers import LEFTOVERS

    topics = {name for name in (check.name for check in CHECKS) if name.startswith("events.")} | _FROM_TOPICS
    assert {check.name for check in CHECKS} - topics == {row[0] for row in BREAKS} | {row[0] for row in LEFTOVERS}


def test_more_than_ordered_with_an_alarm_is_no_breach(day: Day) -> None:
    day.break_in("treatment_plan", "UPDATE pump_totals SET delivered_ml = 41")
    day.break_in(
        "device_telemetry",
        "INSERT INTO alarm (alarm_id, session_id, person_id, site_id, kind_code, priority, category, measured_at, detected_at)"
        f" VALUES (gen_random_uuid(), '{SESSION}', '{PERSON}', '{SITE}', 'pump.over_delivery', 2, 2, '{at(40)}', '{at(40)}')",
    )
    assert day.check("delivery.at_most_ordered")["ok"]


def test_a_held_charge_set_with_a_reason_is_no_breach(day: Day) -> None:
    day.break_in(
        "billing",
        "DELETE FROM charge_line",
        "DELETE FROM ledger_entry",
        "UPDATE charge_set SET state = 'held', hold_reason_code = 'price.missing', total_usd = 0, invoice_id = NULL",
    )
    assert day.check("charge.lines")["ok"]
    assert day.check("charge.one_an_infusion")["ok"]


def test_a_check_that_cannot_be_made_does_not_hold(day: Day) -> None:
    day.break_in("intake", "DROP TABLE follow_up")
    result = day.check("copies.follow_ups")
    assert not result["ok"]
    assert result["found"] == ["the check could not be made: UndefinedTable"]
    assert day.check("copies.sites")["ok"]


def test_only_the_first_twenty_are_shown(day: Day) -> None:
    day.break_in(
        "billing",
        "INSERT INTO account SELECT gen_random_uuid(), site_id, opened_at, true FROM account, generate_series(1, 30)",
    )
    result = day.check("copies.accounts")
    assert result["looked_at"] == 31
    assert len(result["found"]) == 20
