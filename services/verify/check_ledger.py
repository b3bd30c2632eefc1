"""The ledger sums to zero, per transaction and in all, and says the same as charges, invoices and payments (double entry)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from verify.outcome import Check, Outcome
from verify.world import World

_ZERO = Decimal(0)


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
    """Each charge debits what is owed once by its total, each payment credits it once by its amount; nothing else is posted."""
    outcome = Outcome()
    wanted: dict[tuple[str, Any], tuple[Decimal, Any]] = {}
    for row in world.databases.rows(
        "billing",
        "SELECT charge_set_id, total_usd, person_id FROM charge_set WHERE state = 'charged' AND total_usd <> 0",
    ):
        wanted["charge", row.charge_set_id] = (row.total_usd, row.person_id)
    for row in world.databases.rows("billing", "SELECT payment_id, amount_usd, person_id FROM payment"):
        wanted["payment", row.payment_id] = (-row.amount_usd, row.person_id)
    posted: dict[tuple[str, Any], list[tuple[Decimal, Any]]] = {}
    for row in world.databases.rows(
        "billing",
        "SELECT t.kind, t.source_id, t.person_id, coalesce(sum(e.amount_usd) FILTER (WHERE e.account_code = 'accounts_receivable'), 0)"
        " AS owed FROM ledger_transaction t LEFT JOIN ledger_entry e USING (transaction_id) GROUP BY t.transaction_id",
    ):
        posted.setdefault((row.kind, row.source_id), []).append((row.owed, row.person_id))
    for place in sorted(wanted.keys() | posted.keys(), key=str):
        expected = [wanted[place]] if place in wanted else []
        outcome.look(posted.get(place, []) == expected, f"{place[0]} {place[1]}: is not posted once as it stands")
    return outcome


def invoices(world: World) -> Outcome:
    """An invoice is the sum of its charge sets, all of its person and site, and no more was paid than it says."""
    outcome = Outcome()
    sets: dict[Any, list[Any]] = {}
    for row in world.databases.rows(
        "billing", "SELECT invoice_id, total_usd, person_id, site_id FROM charge_set WHERE invoice_id IS NOT NULL"
    ):
        sets.setdefault(row.invoice_id, []).append(row)
    paid: dict[Any, Decimal] = {}
    for row in world.databases.rows("billing", "SELECT invoice_id, amount_usd FROM payment"):
        paid[row.invoice_id] = paid.get(row.invoice_id, _ZERO) + row.amount_usd
    for row in world.databases.rows("billing", "SELECT invoice_id, total_usd, person_id, site_id FROM invoice"):
        own = sets.get(row.invoice_id, [])
        total = sum((item.total_usd for item in own), _ZERO)
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
