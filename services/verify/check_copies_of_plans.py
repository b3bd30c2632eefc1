"""What others copied of treatment-plan's plans and orders is what treatment-plan has."""

from __future__ import annotations

from verify.agree import agree
from verify.outcome import Check, Outcome
from verify.world import World


def plans(world: World) -> Outcome:
    """Scheduling's plans: every plan that was ever signed, as it stands now."""
    outcome, data = Outcome(), world.databases
    agree(
        outcome,
        "scheduling's plan",
        data.by_id(
            "treatment_plan",
            "SELECT p.plan_id, p.person_id, p.site_id, p.state, p.indication, v.sessions_planned"
            " FROM plan p JOIN plan_version v USING (plan_id, version) WHERE p.state <> 'draft'",
        ),
        data.by_id("scheduling", "SELECT plan_id, person_id, site_id, state, indication, sessions_planned FROM plan"),
        ("person_id", "site_id", "state", "indication", "sessions_planned"),
    )
    return outcome


def orders(world: World) -> Outcome:
    """Device-telemetry's orders: programme, term, use and revocation."""
    outcome, data = Outcome(), world.databases
    columns = ("session_id", "person_id", "site_id", "drug_code", "concentration_mg_per_ml", "rate_ml_per_h", "vtbi_ml")
    agree(
        outcome,
        "device-telemetry's order",
        data.by_id(
            "treatment_plan",
            "SELECT order_id, session_id, person_id, site_id, drug_code, concentration_mg_per_ml, rate_ml_per_h, vtbi_ml,"
            " issued_at, expires_at, used_at, revoked_at FROM treatment_order",
        ),
        data.by_id(
            "device_telemetry",
            "SELECT order_id, session_id, person_id, site_id, drug_code, concentration_mg_per_ml, rate_ml_per_h, vtbi_ml,"
            " issued_at, expires_at, used_at, revoked_at FROM infusion_order",
        ),
        (*columns, "issued_at", "expires_at", "used_at", "revoked_at"),
    )
    return outcome


CHECKS = (Check("copies.plans", plans), Check("copies.orders", orders))
