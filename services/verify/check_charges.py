"""Each ended infusion has one charge set, and each charge set its infusion.

A set may be held with a reason, be rejected by a review, or be nothing: under one minute of delivery and no drug (CPT 96374 needs a push
of at least a minute). Evaluations and instruments have sets of their own, which say why when they are nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from verify.outcome import Check, Outcome
from verify.world import World


def one_an_infusion(world: World) -> Outcome:
    """Between the ended infusions, the closed sessions and the charge sets."""
    outcome = Outcome()
    sets: dict[Any, int] = {}
    for row in world.databases.rows("billing", "SELECT session_id FROM charge_set WHERE kind = 'session'"):
        sets[row.session_id] = sets.get(row.session_id, 0) + 1
    ended = {row.session_id for row in world.databases.rows("treatment_plan", "SELECT session_id FROM pump_totals")}
    for session_id in sorted(ended):
        count = sets.get(session_id, 0)
        outcome.look(count == 1, f"session {session_id}: ended and has {count} charge sets")
    for session_id in sorted(set(sets) - ended):
        outcome.look(False, f"session {session_id}: has a charge set and no infusion that ended")
    return outcome


def facts_as_closed(world: World) -> Outcome:
    """What was charged is what was closed: person, site, dose, seconds and product."""
    outcome = Outcome()
    closed = world.databases.by_id(
        "treatment_plan",
        "SELECT c.session_id, c.person_id, c.site_id, c.delivered_mg, t.delivering_seconds, r.ndc"
        " FROM session_closure c JOIN pump_totals t USING (session_id) LEFT JOIN session_readiness r USING (order_id)",
    )
    for row in world.databases.rows(
        "billing",
        "SELECT session_id, person_id, site_id, delivered_mg, delivering_seconds, ndc FROM charge_set"
        " WHERE kind = 'session'",
    ):
        owner = closed.get(row.session_id)
        same = owner is not None and all(getattr(owner, name) == getattr(row, name) for name in row._fields)
        outcome.look(same, f"session {row.session_id}: was charged by other facts than it was closed with")
    return outcome


def lines_and_state(world: World) -> Outcome:
    """The lines add up to the total; a held set has a reason; nothing is charged only where there was nothing."""
    outcome = Outcome()
    lines: dict[Any, list[Any]] = {}
    for row in world.databases.rows(
        "billing", "SELECT charge_set_id, units, unit_price_usd, amount_usd FROM charge_line"
    ):
        lines.setdefault(row.charge_set_id, []).append(row)
    for row in world.databases.rows(
        "billing",
        "SELECT charge_set_id, kind, state, hold_reason_code, note_code, total_usd, delivering_seconds, delivered_mg"
        " FROM charge_set",
    ):
        own = lines.pop(row.charge_set_id, [])
        broken = [rule for holds, rule in _set_rules(row, own) if not holds]
        outcome.look(not broken, f"charge set {row.charge_set_id}: {'; '.join(broken)}")
    for charge_set_id in lines:
        outcome.look(False, f"charge set {charge_set_id}: has lines and is not on record")
    return outcome


def _set_rules(row: Any, own: list[Any]) -> list[tuple[bool, str]]:
    if row.state == "charged":
        total = sum((line.amount_usd for line in own), Decimal(0))
        exact = all(abs(line.units * line.unit_price_usd - line.amount_usd) <= Decimal("0.005") for line in own)
        return [
            (bool(own), "is charged without a line"),
            (total == row.total_usd, "its lines do not add up to its total"),
            (exact, "a line is not units times price"),
        ]
    rules = [(not own and row.total_usd == 0, "is not charged and has an amount")]
    if row.state == "held":
        rules.append((bool(row.hold_reason_code), "is held without a reason"))
    elif row.state == "none" and row.kind != "session":
        rules.append((bool(row.note_code), "is nothing and does not say why"))
    elif row.state == "none":
        rules.append((row.delivering_seconds < 60 and not row.delivered_mg, "is nothing although something was given"))
    return rules


CHECKS = (
    Check("charge.one_an_infusion", one_an_infusion),
    Check("charge.facts", facts_as_closed),
    Check("charge.lines", lines_and_state),
)
