"""Every invariant of the network, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verify import (
    check_bookings,
    check_charges,
    check_consumers,
    check_copies_of_bookings,
    check_copies_of_intake,
    check_copies_of_plans,
    check_delivery,
    check_envelopes,
    check_gates,
    check_ledger,
    check_plans,
    check_plumbing,
    check_qualified,
    check_sealed,
    check_sequences,
    check_series,
    check_starts,
)
from verify.outcome import Check, result_of
from verify.world import open_world

CHECKS: tuple[Check, ...] = (
    *check_plans.CHECKS,
    *check_starts.CHECKS,
    *check_qualified.CHECKS,
    *check_gates.CHECKS,
    *check_series.CHECKS,
    *check_delivery.CHECKS,
    *check_bookings.CHECKS,
    *check_charges.CHECKS,
    *check_ledger.CHECKS,
    *check_copies_of_intake.CHECKS,
    *check_copies_of_plans.CHECKS,
    *check_copies_of_bookings.CHECKS,
    *check_plumbing.CHECKS,
    *check_sequences.CHECKS,
    *check_consumers.CHECKS,
    *check_envelopes.CHECKS,
    *check_sealed.CHECKS,
)


def run_checks(urls: Mapping[str, str], kafka_bootstrap: str) -> dict[str, Any]:
    """Makes every check: `{"ok", "checks": [{"name", "ok", "looked_at", "found"}]}`.

    `urls` is a connection string of the role `saguaro_verify` for each service. Raises psycopg.Error, a Kafka error or TopicsUnread
    when a database or the broker is away.
    """
    with open_world(urls, kafka_bootstrap) as world:
        checks = [result_of(check, world) for check in CHECKS]
    return {"ok": all(check["ok"] for check in checks), "checks": checks}
