"""What others copied of intake's people, decisions, consents and flags is what intake has; and intake's copy of sites."""

from __future__ import annotations

from verify.agree import agree
from verify.outcome import Check, Outcome
from verify.world import World


def decisions(world: World) -> Outcome:
    """Treatment-plan's clearances, consents and safety flags."""
    outcome, data = Outcome(), world.databases
    agree(
        outcome,
        "treatment-plan's clearance",
        data.by_id(
            "intake",
            "SELECT clearance_id, person_id, site_id, indication, outcome = 'cleared' AS cleared, decided_at, expires_at FROM clearance",
        ),
        data.by_id(
            "treatment_plan",
            "SELECT clearance_id, person_id, site_id, indication, cleared, decided_at, expires_at FROM clearance",
        ),
        ("person_id", "site_id", "indication", "cleared", "decided_at", "expires_at"),
    )
    consent = ("person_id", "site_id", "kind", "granted_at", "expires_at", "withdrawn_at")
    agree(
        outcome,
        "treatment-plan's consent",
        data.by_id(
            "intake", "SELECT consent_id, person_id, site_id, kind, granted_at, expires_at, withdrawn_at FROM consent"
        ),
        data.by_id(
            "treatment_plan",
            "SELECT consent_id, person_id, site_id, kind, granted_at, expires_at, withdrawn_at FROM consent",
        ),
        consent,
    )
    flag = ("person_id", "site_id", "blocks", "raised_at", "cleared_at")
    agree(
        outcome,
        "treatment-plan's safety flag",
        data.by_id("intake", "SELECT flag_id, person_id, site_id, blocks, raised_at, cleared_at FROM safety_flag"),
        data.by_id(
            "treatment_plan", "SELECT flag_id, person_id, site_id, blocks, raised_at, cleared_at FROM safety_flag"
        ),
        flag,
    )
    return outcome


def people(world: World) -> Outcome:
    """Billing's accounts."""
    outcome, data = Outcome(), world.databases
    agree(
        outcome,
        "billing's account of person",
        data.by_id("intake", "SELECT person_id, site_id, synthetic, registered_at AS since FROM person"),
        data.by_id("billing", "SELECT person_id, site_id, synthetic, opened_at AS since FROM account"),
        ("site_id", "synthetic", "since"),
    )
    return outcome


def sites(world: World) -> Outcome:
    """Intake's and billing's sites."""
    outcome, data = Outcome(), world.databases
    owned = data.by_id("scheduling", "SELECT site_id, site_code, time_zone, opened_at FROM site")
    agree(
        outcome,
        "intake's site",
        owned,
        data.by_id("intake", "SELECT site_id, site_code, time_zone, opened_at FROM site"),
        ("site_code", "time_zone", "opened_at"),
    )
    agree(
        outcome, "billing's site", owned, data.by_id("billing", "SELECT site_id, time_zone FROM site"), ("time_zone",)
    )
    return outcome


def follow_ups(world: World) -> Outcome:
    """Intake asks after each closed session, once (house policy)."""
    outcome, data = Outcome(), world.databases
    agree(
        outcome,
        "intake's follow-up of session",
        data.by_id("treatment_plan", "SELECT session_id, person_id, site_id FROM session_closure"),
        data.by_id("intake", "SELECT session_id, person_id, site_id FROM follow_up WHERE kind = 'after_session'"),
        ("person_id", "site_id"),
    )
    return outcome


CHECKS = (
    Check("copies.decisions", decisions),
    Check("copies.accounts", people),
    Check("copies.sites", sites),
    Check("copies.follow_ups", follow_ups),
)
