"""Nothing is left over: no event unsent, none refused by the broker, none parked."""

from __future__ import annotations

from verify.outcome import Check, Outcome
from verify.world import World


def outbox_empty(world: World) -> Outcome:
    """No row is left in an outbox."""
    outcome = Outcome()
    for service in world.databases.services:
        outcome.looked_at += 1
        for row in world.databases.rows(service, "SELECT event_id, topic, key FROM outbox ORDER BY id"):
            outcome.found.append(f"{service}: event {row.event_id} of {row.topic} {row.key} is not sent")
    return outcome


def none_refused(world: World) -> Outcome:
    """The broker refused no event for good."""
    outcome = Outcome()
    for service in world.databases.services:
        outcome.looked_at += 1
        for row in world.databases.rows(service, "SELECT event_id, topic, key, rule FROM outbox_refused ORDER BY id"):
            outcome.found.append(f"{service}: event {row.event_id} of {row.topic} {row.key} is refused: {row.rule}")
    return outcome


def none_parked(world: World) -> Outcome:
    """No event waits for another, for an operator, or behind one that does."""
    outcome = Outcome()
    for service in world.databases.services:
        outcome.looked_at += 1
        for row in world.databases.rows(
            service, "SELECT event_id, topic, key, type, reason, rule FROM parked ORDER BY parked_id"
        ):
            outcome.found.append(
                f"{service}: event {row.event_id} of {row.topic} {row.key} ({row.type}) is parked, {row.reason}: {row.rule}"
            )
    return outcome


CHECKS = (
    Check("plumbing.outbox_empty", outbox_empty),
    Check("plumbing.none_refused", none_refused),
    Check("plumbing.none_parked", none_parked),
)
