"""No plan without a clearance (house policy: a plan rests on a decision of intake for its indication)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from verify.outcome import Check, Outcome
from verify.world import World


def clearance_in_force(decisions: Sequence[Any], at: datetime) -> bool:
    """Whether the last of these decisions by then was a clearance that had not expired."""
    by_then = [row for row in decisions if row.decided_at <= at]
    if not by_then:
        return False
    last_at = max(row.decided_at for row in by_then)
    # Of two decisions of one moment none is the later: one for the person is enough.
    return any(row.outcome == "cleared" and row.expires_at > at for row in by_then if row.decided_at == last_at)


def decisions_of(world: World) -> dict[tuple[Any, str], list[Any]]:
    """Intake's decisions by person and indication."""
    found: dict[tuple[Any, str], list[Any]] = {}
    for row in world.databases.rows(
        "intake", "SELECT person_id, indication, outcome, decided_at, expires_at FROM clearance"
    ):
        found.setdefault((row.person_id, row.indication), []).append(row)
    return found


def plan_has_clearance(world: World) -> Outcome:
    """Each plan when it was drafted, and again when it was signed."""
    outcome = Outcome()
    decisions = decisions_of(world)
    for plan in world.databases.rows(
        "treatment_plan", "SELECT plan_id, person_id, indication, state, drafted_at, signed_at FROM plan"
    ):
        about = decisions.get((plan.person_id, plan.indication), [])
        for what, at in (("drafted", plan.drafted_at), ("signed", plan.signed_at)):
            if at is not None:
                outcome.look(
                    clearance_in_force(about, at), f"plan {plan.plan_id}: was {what} without a clearance in force"
                )
        outcome.look(
            plan.state == "draft" or plan.signed_at is not None, f"plan {plan.plan_id}: is in use without a signature"
        )
    return outcome


CHECKS = (Check("plan.clearance", plan_has_clearance),)
