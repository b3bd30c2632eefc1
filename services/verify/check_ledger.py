"""The ledger sums to zero, per transaction and in all, and says the same as charges, invoices and payments (double entry)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from verify.outcome import Check, Outcome
from verify.world import World

_ZERO = Decimal(0)
_AT_MOST_ONCE = ("void", "rejection")
# What each did to what the person owes.
_OWED = """
SELECT 'charge' AS kind, charge_set_id AS source_id, total_usd AS owed, person_id FROM charge_set
    WHERE state = 'charged' AND total_usd <> 0
UNION ALL SELECT 'payment', payment_id, credit_usd - amount_usd, person_id FROM payment
UNION ALL SELECT 'refund', refund_id, amount_usd - from_credit_usd, person_id FROM refund
UNION ALL SELECT 'credit', credit_use_id, -amount_usd, person_id FROM credit_use
UNION ALL SELECT 'adjustment', adjustment_id, to_credit_usd - amount_usd, person_id FROM adjustment
UNION ALL SELECT 'package_sale', package_id, 0, person_id FROM package
UNION ALL SELECT 'package_draw', charge_set_id, -covered_usd, person_id FROM package_draw
UNION ALL SELECT 'package_refund', package_id, 0, person_id FROM package WHERE ended_at IS NOT NULL
"""
# What is on an invoice: money and credit for it, less what became credit and what refunds made due again, and what was taken off.
_PAID = """
SELECT invoice_id, sum(part) AS paid FROM (
    SELECT invoice_id, amount_usd - credit_usd AS part FROM payment
    UNION ALL SELECT invoice_id, amount_usd FROM credit_use
    UNION ALL SELECT invoice_id, amount_usd - to_credit_usd FROM adjustment
    UNION ALL SELECT p.invoice_id, r.from_credit_usd - r.amount_usd FROM refund r JOIN payment p USING (payment_id)
) parts GROUP BY invoice_id
"""


def sums_to_zero(world: World) -> Outcome:
    """Each transaction, each site, and all of it."""
    outcome = Outcome()
    for row in world.databases.rows(
        "billing", "SELECT transaction_id, sum(amount_usd) AS rest FROM ledger_entry GROUP BY transaction_id"
    ):
        outcome.look(row.rest == 0, f"transaction {row.transaction_id}: does not sum to zero")
    for row in world.databases.rows(
        "billing", "SELECT site_id, sum(amount_usd) AS rest FROM ledger_entry GROUP BY site_id"
    ):
        outcome.look(row.rest == 0, f"site {row.site_id}: its ledger does not sum to zero")
    for row in world.databases.rows("billing", "SELECT coalesce(sum(amount_usd), 0) AS rest FROM ledger_entry"):
        outcome.look(row.rest == 0, "the whole ledger: does not sum to zero")
    return outcome


def postings(world: World) -> Outcome:
    """Each charge, payment, refund, use of credit, adjustment and package is posted once, by what it did to what is owed; nothing else is.

    An invoice that was taken back and a charge that was rejected are posted at most once.
    """
    outcome = Outcome()
    wanted: dict[tuple[str, Any], tuple[Decimal, Any]] = {}
    for row in world.databases.rows("billing", _OWED):
        wanted[row.kind, row.source_id] = (row.owed, row.person_id)
    posted: dict[tuple[str, Any], list[tuple[Decimal, Any]]] = {}
    for row in world.databases.rows(
        "billing",
        "SELECT t.kind, t.source_id, t.person_id, coalesce(sum(e.amount_usd) FILTER (WHERE e.account_code = 'accounts_receivable'), 0)"
        " AS owed FROM ledger_transaction t LEFT JOIN ledger_entry e USING (transaction_id) GROUP BY t.transaction_id",
    ):
        if row.kind in _AT_MOST_ONCE:
            wanted.setdefault((row.kind, row.source_id), (row.owed, row.person_id))
        posted.setdefault((row.kind, row.source_id), []).append((row.owed, row.person_id))
    for place in sorted(wanted.keys() | posted.keys(), key=str):
        expected = [wanted[place]] if place in wanted else []
        outcome.look(posted.get(place, []) == expected, f"{place[0]} {place[1]}: is not posted once as it stands")
    return outcome


def invoices(world: World) -> Outcome:
    """An invoice is the sum of its charge sets and of its lines, all of its person and site; no more is on it than it says.

    One that was taken back has lines and no charge set.
    """
    outcome = Outcome()
    sets: dict[Any, list[Any]] = {}
    for row in world.databases.rows(
        "billing", "SELECT invoice_id, total_usd, person_id, site_id FROM charge_set WHERE invoice_id IS NOT NULL"
    ):
        sets.setdefault(row.invoice_id, []).append(row)
    paid = {row.invoice_id: row.paid for row in world.databases.rows("billing", _PAID)}
    for row in world.databases.rows(
        "billing",
        "SELECT invoice_id, total_usd, person_id, site_id, voided_at IS NOT NULL AS void,"
        " (SELECT coalesce(sum(amount_usd), 0) FROM invoice_line l WHERE l.invoice_id = invoice.invoice_id) AS lines"
        " FROM invoice",
    ):
        own = sets.get(row.invoice_id, [])
        total = sum((item.total_usd for item in own), _ZERO)
        outcome.look(row.lines == row.total_usd, f"invoice {row.invoice_id}: is not the sum of its lines")
        if row.void:
            outcome.look(not own, f"invoice {row.invoice_id}: was taken back and still holds charge sets")
            continue
        outcome.look(own and total == row.total_usd, f"invoice {row.invoice_id}: is not the sum of its charge sets")
        whose = {(item.person_id, item.site_id) for item in own}
        outcome.look(
            whose <= {(row.person_id, row.site_id)},
            f"invoice {row.invoice_id}: holds a charge of another person or site",
        )
        outcome.look(
            paid.get(row.invoice_id, _ZERO) <= row.total_usd, f"invoice {row.invoice_id}: is paid more than it says"
        )
    return outcome


CHECKS = (
    Check("ledger.sums_to_zero", sums_to_zero),
    Check("ledger.postings", postings),
    Check("ledger.invoices", invoices),
)
