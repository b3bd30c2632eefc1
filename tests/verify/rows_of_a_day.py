"""One person's way through the five services, as rows: registered, cleared, planned, booked, infused, closed, charged, paid.

Every value is made up; money in dollars, doses in mg. The rows agree with each other, so that every check holds on them.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

START = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)


def uid(number: int) -> UUID:
    """A fixed id."""
    return UUID(int=0x0198_0000_0000_7000_8000_0000_0000_0000 + number)


def at(minutes: float) -> datetime:
    """Clinic time, so many minutes after the authorised start."""
    return START + timedelta(minutes=minutes)


PERSON, SITE, PLAN, SESSION, ORDER = uid(1), uid(2), uid(3), uid(4), uid(5)
PUMP, CHAIR, MONITOR, NURSE, AUTHORISATION = uid(6), uid(7), uid(8), uid(9), uid(10)
CLEARANCE, CONSENT, FLAG, CHARGE_SET, INVOICE, PAYMENT = uid(11), uid(12), uid(13), uid(14), uid(15), uid(16)
CHARGED, PAID, PRESCRIBER, WITNESS, OTHER = uid(17), uid(18), uid(19), uid(20), uid(99)
BAG, SUGGESTION, HOLD, DIAGNOSIS = uid(21), uid(22), uid(23), uid(34)
WHOSE: dict[str, Any] = {"person_id": PERSON, "site_id": SITE}
SEALED = b"\x01" + bytes(range(128, 168))

Rows = dict[str, list[tuple[str, dict[str, Any]]]]


def intake() -> list[tuple[str, dict[str, Any]]]:
    """A person with a clearance, a consent and a flag that was cleared in time."""
    return [
        ("site", {"site_id": SITE, "site_code": "PHX", "time_zone": "America/Phoenix", "opened_at": at(-9000)}),
        ("person", WHOSE | {"synthetic": True, "registered_at": at(-5000)}),
        *_practitioners(),
        (
            "clearance",
            WHOSE
            | {"clearance_id": CLEARANCE, "indication": "depression", "outcome": "cleared", "decided_by": PRESCRIBER}
            | {"decided_at": at(-4000), "expires_at": at(90_000)},
        ),
        (
            "consent",
            WHOSE
            | {"consent_id": CONSENT, "kind": "ketamine_treatment", "granted_at": at(-4500), "expires_at": at(90_000)}
            | {"granted_by": NURSE},
        ),
        (
            "instrument_result",
            WHOSE
            | {"result_id": uid(30), "instrument": "PHQ-9", "version": "1", "total": 18, "band": "moderately_severe"}
            | {"prorated": False, "completed_at": at(-4800), "completed_by": NURSE},
        ),
        (
            "instrument_result",
            WHOSE
            | {"result_id": uid(33), "instrument": "C-SSRS-SCREENER", "version": "1", "total": None, "band": "negative"}
            | {"prorated": False, "completed_at": at(-15), "completed_by": NURSE},
        ),
        (
            "diagnosis",
            WHOSE
            | {
                "diagnosis_id": DIAGNOSIS,
                "icd10cm_code": "F33.2",
                "icd10cm_release": "2026",
                "recorded_at": at(-4200),
                "recorded_by": PRESCRIBER,
            },
        ),
        (
            "note",
            WHOSE | {"note_id": uid(31), "text_sealed": SEALED, "written_at": at(-4100), "written_by": PRESCRIBER},
        ),
        (
            "safety_flag",
            WHOSE
            | {"flag_id": FLAG, "result_id": uid(30), "reason_code": "cssrs.high", "blocks": True}
            | {"raised_at": at(-4800), "due_at": at(-4700), "cleared_at": at(-4100), "cleared_by": PRESCRIBER}
            | {"note_id": uid(31)},
        ),
        (
            "follow_up",
            WHOSE | {"follow_up_id": uid(32), "session_id": SESSION, "kind": "after_session", "due_at": at(1480)},
        ),
    ]


def _practitioners() -> list[tuple[str, dict[str, Any]]]:
    """A prescriber, a nurse, and a second one who checks and bears witness."""
    rows: list[tuple[str, dict[str, Any]]] = []
    holders = (
        (PRESCRIBER, "1000000004", "MD", ["diagnose", "clear", "sign"]),
        (NURSE, "1000000012", "RN", ["administer"]),
        (WITNESS, "1000000020", "RN", ["administer"]),
    )
    for who, npi, licence_type, privileges in holders:
        papers = {"practitioner_id": who, "revision": 1}
        dea = {"dea_number_sealed": SEALED, "dea_expires_on": "2027-06-30"} if "sign" in privileges else {}
        rows += [
            ("practitioner", papers | {"npi": npi}),
            (
                "practitioner_revision",
                papers
                | {"licence_type": licence_type, "licence_state": "AZ", "licence_number_sealed": SEALED, "npi": npi}
                | {"licence_expires_on": "2027-12-31", "recorded_at": at(-8000), "recorded_by": OTHER},
            ),
            ("practitioner_site", papers | {"site_id": SITE, "privileges": privileges} | dea),
        ]
    return rows


def treatment_plan() -> list[tuple[str, dict[str, Any]]]:
    """A signed plan, a used order, a closed session."""
    programme = {"concentration_mg_per_ml": Decimal(1), "rate_ml_per_h": Decimal("60.0"), "vtbi_ml": Decimal("40.0")}
    return [
        (
            "clearance",
            WHOSE
            | {"clearance_id": CLEARANCE, "indication": "depression", "cleared": True}
            | {"decided_at": at(-4000), "expires_at": at(90_000)},
        ),
        (
            "consent",
            WHOSE
            | {"consent_id": CONSENT, "kind": "ketamine_treatment", "granted_at": at(-4500), "expires_at": at(90_000)},
        ),
        ("safety_flag", WHOSE | {"flag_id": FLAG, "blocks": True, "raised_at": at(-4800), "cleared_at": at(-4100)}),
        (
            "plan",
            WHOSE
            | {"plan_id": PLAN, "protocol_code": "made-up", "protocol_version": 1, "library_code": "made-up"}
            | {"indication": "depression", "state": "signed", "version": 1, "drafted_by": PRESCRIBER}
            | {"drafted_at": at(-3900), "signed_by": PRESCRIBER, "signed_at": at(-3800), "phase": "induction"},
        ),
        (
            "plan_version",
            WHOSE
            | {"plan_id": PLAN, "version": 1, "weight_kg": 80, "dose_mg_per_kg": Decimal("0.5"), "duration_min": 40}
            | {"concentration_mg_per_ml": 1, "sessions_planned": 6, "ordered_mg": 40, "dose_mg": 40, "limits": "[]"}
            | {"rate_ml_per_h": 60, "vtbi_ml": 40, "programme_duration_min": 40, "recorded_by": PRESCRIBER}
            | {"recorded_at": at(-3900), "measured_weight_kg": 80, "weight_rule": "actual"},
        ),
        (
            "session_record",
            WHOSE
            | {"session_id": SESSION, "plan_id": PLAN, "ordinal": 1, "state": "closed", "starts_at": at(-20)}
            | {"booked_at": at(-3000)},
        ),
        (
            "treatment_order",
            WHOSE
            | programme
            | {"order_id": ORDER, "plan_id": PLAN, "plan_version": 1, "session_id": SESSION, "drug_code": "ketamine"}
            | {"ordered_mg": 40, "dose_mg": 40, "duration_min": 40, "weight_kg": 80, "prescriber_id": PRESCRIBER}
            | {"issued_at": at(-60), "expires_at": at(600), "used_at": at(0), "pump_id": PUMP}
            | {"authorisation_id": AUTHORISATION, "measured_weight_kg": 80, "responsible_prescriber_id": PRESCRIBER},
        ),
        (
            "bag",
            WHOSE
            | {"bag_id": BAG, "session_id": SESSION, "order_id": ORDER, "ndc": "67457010810", "lot": "L1"}
            | {"expires_on": "2027-12-31", "vial_concentration_mg_per_ml": 50, "drawn_ml": 1, "final_ml": 50}
            | {"prepared_by": NURSE, "prepared_at": at(-10), "checked_by": WITNESS, "checked_at": at(-8)},
        ),
        (
            "session_readiness",
            WHOSE
            | {"session_id": SESSION, "order_id": ORDER, "arrival_weight_kg": 80, "bag_prepared_by": NURSE}
            | {"bag_checked_by": WITNESS, "ndc": "67457010810", "vial_concentration_mg_per_ml": 50, "drawn_ml": 1}
            | {"bag_volume_ml": 50, "recorded_by": NURSE, "ready_at": at(-5), "bag_id": BAG},
        ),
        (
            "identity_check",
            WHOSE
            | {"check_id": uid(50), "session_id": SESSION, "identifier_kinds": ["full_name", "date_of_birth"]}
            | {"checked_by": NURSE, "checked_at": at(-15)},
        ),
        (
            "infusion_progress",
            WHOSE | {"session_id": SESSION, "started_at": at(1), "ended_at": at(41)},
        ),
        (
            "aftercare",
            WHOSE
            | {"aftercare_id": uid(51), "session_id": SESSION, "status_code": "given"}
            | {"instruction_codes": ["no_driving"], "recorded_by": NURSE, "recorded_at": at(165)},
        ),
        (
            "session_discharge",
            WHOSE | {"session_id": SESSION, "discharged_by": NURSE, "discharged_at": at(170)},
        ),
        (
            "suggestion",
            WHOSE
            | {"suggestion_id": SUGGESTION, "plan_id": PLAN, "kind_code": "raise_dose", "after_sessions": 3}
            | {"result_id": uid(52), "suggested_dose_mg_per_kg": Decimal("0.6"), "suggested_at": at(500)}
            | {"state": "declined", "decided_by": PRESCRIBER, "reason_code": "made_up", "decided_at": at(600)},
        ),
        (
            "prescriber_hold",
            WHOSE
            | {"hold_id": HOLD, "plan_id": PLAN, "session_id": uid(53), "reason_code": "made_up"}
            | {"placed_at": at(-3500), "released_by": PRESCRIBER, "released_reason_code": "made_up"}
            | {"released_at": at(-3400)},
        ),
        (
            "pump_totals",
            WHOSE
            | {"session_id": SESSION, "order_id": ORDER, "outcome": "completed", "started_at": at(1)}
            | {"stopped_at": at(41), "delivered_ml": 40, "keep_vein_open_ml": 0, "expected_ml": 40}
            | {"delivering_seconds": 2400, "paused_seconds": 0},
        ),
        (
            "session_closure",
            WHOSE
            | {"session_id": SESSION, "opened_mg": 50, "returned_mg": 0, "wasted_mg": 10, "pump_mg": 40}
            | {"delivered_ml": 40, "delivered_mg": 40, "discrepancy": False, "closed_by": NURSE}
            | {"witnessed_by": WITNESS, "closed_at": at(60)},
        ),
    ]


def scheduling() -> list[tuple[str, dict[str, Any]]]:
    """A fulfilled booking with its five claims."""
    held = {"chair": CHAIR, "pump": PUMP, "monitor": MONITOR, "nurse": NURSE}
    claims: list[tuple[str, dict[str, Any]]] = [
        (
            "claim",
            WHOSE
            | {"session_id": SESSION, "kind": kind, "resource_id": resource, "active": True}
            | {"during": f"[{at(-20).isoformat()},{at(90).isoformat()})"},
        )
        for kind, resource in (held | {"person": PERSON}).items()
    ]
    return [
        ("site", {"site_id": SITE, "site_code": "PHX", "time_zone": "America/Phoenix", "opened_at": at(-9000)}),
        (
            "plan",
            WHOSE | {"plan_id": PLAN, "state": "signed", "sessions_planned": 6, "indication": "depression"},
        ),
        (
            "booking",
            WHOSE
            | {"session_id": SESSION, "plan_id": PLAN, "ordinal": 1, "state": "fulfilled", "starts_at": at(-20)}
            | {"infusion_min": 40, "ends_at": at(90), "booked_at": at(-3000), "changed_at": at(1)}
            | {"infusion_starts_at": at(-5), "infusion_ends_at": at(45)}
            | {f"{kind}_id": resource for kind, resource in held.items()},
        ),
        *claims,
    ]


def device_telemetry() -> list[tuple[str, dict[str, Any]]]:
    """The session, the order as copied, and the authorised start."""
    programme: dict[str, Any] = {"drug_code": "ketamine", "concentration_mg_per_ml": 1, "rate_ml_per_h": 60}
    programme |= {"vtbi_ml": 40}
    return [
        (
            "infusion_session",
            WHOSE | {"session_id": SESSION, "correlation_id": uid(40), "booked_at": at(-3000), "ready_at": at(-5)},
        ),
        (
            "infusion_order",
            WHOSE
            | programme
            | {"order_id": ORDER, "session_id": SESSION, "issued_at": at(-60), "expires_at": at(600), "used_at": at(0)},
        ),
        (
            "authorisation",
            WHOSE
            | programme
            | {"authorisation_id": AUTHORISATION, "session_id": SESSION, "order_id": ORDER, "pump_id": PUMP}
            | {"authorised_at": at(0), "authorised_by": NURSE},
        ),
    ]


def billing() -> list[tuple[str, dict[str, Any]]]:
    """A charged session, its invoice and a payment of part of it."""
    return [
        ("site", {"site_id": SITE, "time_zone": "America/Phoenix"}),
        ("account", WHOSE | {"opened_at": at(-5000), "synthetic": True}),
        ("invoice", WHOSE | {"invoice_id": INVOICE, "total_usd": "450.00", "issued_at": at(70)}),
        (
            "charge_set",
            WHOSE
            | {"charge_set_id": CHARGE_SET, "session_id": SESSION, "source_id": SESSION, "service_date": "2026-07-15"}
            | {"stopped": True}
            | {"delivering_seconds": 2400, "delivered_mg": 40, "vial_mg_per_ml": 50, "ndc": "67457010810"}
            | {"state": "charged", "hold_reason_code": "", "total_usd": "450.00", "captured_at": at(60)}
            | {"invoice_id": INVOICE},
        ),
        (
            "charge_line",
            {"charge_set_id": CHARGE_SET, "line_number": 1, "code": "96365", "units": 1, "unit_price_usd": "400"}
            | {"amount_usd": "400.00", "ndc": ""},
        ),
        (
            "charge_line",
            {"charge_set_id": CHARGE_SET, "line_number": 2, "code": "J3490", "units": 1, "unit_price_usd": "50"}
            | {"amount_usd": "50.00", "ndc": "67457010810", "product_ml": "0.80"},
        ),
        *(
            (
                "invoice_line",
                {"invoice_id": INVOICE, "line_number": number, "charge_set_id": CHARGE_SET, "code": code, "units": 1}
                | {"unit_price_usd": amount, "amount_usd": amount, "modifier": "", "ndc": "", "note_code": ""},
            )
            for number, code, amount in ((1, "96365", "400.00"), (2, "J3490", "50.00"))
        ),
        (
            "payment",
            WHOSE
            | {"payment_id": PAYMENT, "invoice_id": INVOICE, "amount_usd": "100.00", "method_code": "card"}
            | {"received_at": at(80)},
        ),
        ("ledger_transaction", _posting(CHARGED, "charge", CHARGE_SET, 60)),
        ("ledger_transaction", _posting(PAID, "payment", PAYMENT, 80)),
        *(
            ("ledger_entry", WHOSE | {"transaction_id": transaction, "account_code": account, "amount_usd": amount})
            for transaction, account, amount in (
                (CHARGED, "accounts_receivable", "450.00"),
                (CHARGED, "revenue.96365", "-400.00"),
                (CHARGED, "revenue.J3490", "-50.00"),
                (PAID, "cash", "100.00"),
                (PAID, "accounts_receivable", "-100.00"),
            )
        ),
    ]


def _posting(transaction_id: UUID, kind: str, source_id: UUID, minutes: float) -> dict[str, Any]:
    return WHOSE | {
        "transaction_id": transaction_id,
        "kind": kind,
        "source_id": source_id,
        "posted_at": at(minutes),
    }


DAY = {
    "intake": intake,
    "treatment_plan": treatment_plan,
    "scheduling": scheduling,
    "device_telemetry": device_telemetry,
    "billing": billing,
}
