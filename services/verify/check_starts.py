"""No infusion without clearance, consent, a signed order in force, a ready session and an echo that equals the order.

An infusion is what a pump reported (InfusionStarted) and what device-telemetry authorised; each start is judged at its own clinic time
against what the owners of the facts wrote down.
"""

from __future__ import annotations

from typing import Any

from verify.check_plans import clearance_in_force, decisions_of
from verify.outcome import Check, Outcome
from verify.parsed import events_of
from verify.world import World

_PROGRAMME = ("drug_code", "concentration_mg_per_ml", "rate_ml_per_h", "vtbi_ml")


def authorisations(world: World) -> list[Any]:
    """Every authorised start."""
    return world.databases.rows(
        "device_telemetry",
        "SELECT authorisation_id, session_id, order_id, person_id, site_id, pump_id, drug_code, concentration_mg_per_ml,"
        " rate_ml_per_h, vtbi_ml, authorised_at FROM authorisation ORDER BY authorised_at, authorisation_id",
    )


def _orders(world: World) -> dict[Any, Any]:
    return world.databases.by_id(
        "treatment_plan",
        "SELECT o.order_id, o.session_id, o.person_id, o.pump_id, o.authorisation_id, o.drug_code, o.concentration_mg_per_ml,"
        " o.rate_ml_per_h, o.vtbi_ml, o.issued_at, o.expires_at, o.used_at, o.revoked_at, p.signed_at, p.indication"
        " FROM treatment_order o JOIN plan p USING (plan_id)",
    )


def authorised(world: World) -> Outcome:
    """Each infusion that a pump reported, or that has totals, was authorised for that order."""
    outcome = Outcome()
    allowed = {(str(row.session_id), str(row.order_id)) for row in authorisations(world)}
    for event in events_of(world, "InfusionStarted", "InfusionCompleted", "InfusionAborted"):
        pair = (event.session_id, event.order_id)
        outcome.look(pair in allowed, f"session {event.session_id}: an infusion without authorisation")
    for row in world.databases.rows("treatment_plan", "SELECT session_id, order_id FROM pump_totals"):
        pair = (str(row.session_id), str(row.order_id))
        outcome.look(pair in allowed, f"session {row.session_id}: an infusion without authorisation")
    return outcome


def once_an_order(world: World) -> Outcome:
    """At most one start authorised, one start reported and one end reported for each order and each session."""
    outcome = Outcome()
    seen: set[tuple[str, str]] = set()

    def once(what: str, name: str, item: object) -> None:
        mark = (what, f"{name} {item}")
        outcome.look(mark not in seen, f"{name} {item}: {what} more than once")
        seen.add(mark)

    for row in authorisations(world):
        once("was authorised", "order", row.order_id)
        once("was authorised", "session", row.session_id)
    for event in events_of(world, "InfusionStarted"):
        once("started", "order", event.order_id)
    for event in events_of(world, "InfusionCompleted", "InfusionAborted"):
        once("ended", "order", event.order_id)
    return outcome


def order_in_force(world: World) -> Outcome:
    """The order of each start: of that session and person, of a signed plan, issued, not expired, not revoked, used by this start."""
    outcome = Outcome()
    orders = _orders(world)
    for start in authorisations(world):
        order, at = orders.get(start.order_id), start.authorised_at
        broken = [rule for holds, rule in _order_rules(start, order, at) if not holds]
        outcome.look(not broken, f"order {start.order_id}: {'; '.join(broken)}")
    return outcome


def _order_rules(start: Any, order: Any, at: Any) -> list[tuple[bool, str]]:
    if order is None:
        return [(False, "is not on record")]
    return [
        (order.session_id == start.session_id and order.person_id == start.person_id, "belongs to another session"),
        (order.signed_at is not None and order.signed_at <= order.issued_at, "was issued before its plan was signed"),
        (order.issued_at <= at < order.expires_at, "was not in force at the start"),
        (order.revoked_at is None, "was revoked"),
        (order.used_at is not None, "was not marked used"),
        (order.authorisation_id == start.authorisation_id, "was used by another start"),
        (order.pump_id == start.pump_id, "was used by another pump"),
    ]


def echo_matches(world: World) -> Outcome:
    """The programme that the pump echoed equals the order, number by number."""
    outcome = Outcome()
    orders = _orders(world)
    for start in authorisations(world):
        order = orders.get(start.order_id)
        same = order is not None and all(getattr(order, name) == getattr(start, name) for name in _PROGRAMME)
        outcome.look(same, f"order {start.order_id}: the echo differs from it")
    return outcome


def session_ready(world: World) -> Outcome:
    """The session was ready with that order before the start."""
    outcome = Outcome()
    ready = world.databases.by_id("treatment_plan", "SELECT order_id, session_id, ready_at FROM session_readiness")
    for start in authorisations(world):
        row = ready.get(start.order_id)
        holds = row is not None and row.session_id == start.session_id and row.ready_at <= start.authorised_at
        outcome.look(holds, f"session {start.session_id}: was started without being ready")
    return outcome


def consent_in_force(world: World) -> Outcome:
    """A treatment consent of the person at that site, granted, not expired and not withdrawn at the start."""
    outcome = Outcome()
    consents: dict[tuple[Any, Any], list[Any]] = {}
    for row in world.databases.rows(
        "intake",
        "SELECT person_id, site_id, granted_at, expires_at, withdrawn_at FROM consent WHERE kind = 'ketamine_treatment'",
    ):
        consents.setdefault((row.person_id, row.site_id), []).append(row)
    for start in authorisations(world):
        at = start.authorised_at
        holds = any(
            row.granted_at <= at < row.expires_at and (row.withdrawn_at is None or row.withdrawn_at > at)
            for row in consents.get((start.person_id, start.site_id), [])
        )
        outcome.look(holds, f"session {start.session_id}: was started without a consent in force")
    return outcome


def cleared(world: World) -> Outcome:
    """A clearance for the plan's indication was in force at the start."""
    outcome = Outcome()
    orders, decisions = _orders(world), decisions_of(world)
    for start in authorisations(world):
        order = orders.get(start.order_id)
        about = [] if order is None else decisions.get((start.person_id, order.indication), [])
        outcome.look(
            clearance_in_force(about, start.authorised_at),
            f"session {start.session_id}: was started without a clearance in force",
        )
    return outcome


def no_open_flag(world: World) -> Outcome:
    """No safety flag that blocks was open at the start."""
    outcome = Outcome()
    flags: dict[Any, list[Any]] = {}
    for row in world.databases.rows("intake", "SELECT person_id, raised_at, cleared_at FROM safety_flag WHERE blocks"):
        flags.setdefault(row.person_id, []).append(row)
    for start in authorisations(world):
        at = start.authorised_at
        is_open = any(
            row.raised_at <= at and (row.cleared_at is None or row.cleared_at > at)
            for row in flags.get(start.person_id, [])
        )
        outcome.look(not is_open, f"session {start.session_id}: was started under an open safety flag")
    return outcome


CHECKS = (
    Check("start.authorised", authorised),
    Check("start.once_an_order", once_an_order),
    Check("start.order", order_in_force),
    Check("start.echo", echo_matches),
    Check("start.ready", session_ready),
    Check("start.consent", consent_in_force),
    Check("start.clearance", cleared),
    Check("start.no_open_flag", no_open_flag),
)
