"""Posts to the ledger, append-only. The database refuses at commit what does not sum to zero."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, insert, select

from billing.domain.postings import Entries
from billing.money_tables import ledger_entry, ledger_transaction
from chassis.unit_of_work import UnitOfWork


def post(uow: UnitOfWork, kind: str, source_id: UUID, whose: dict[str, UUID], entries: Entries) -> None:
    """Posts `entries` (dollars by account) for what the kind says (a charge set, a payment ...), once for each source.

    `whose` is person_id and site_id. Without entries (all of it free of charge) nothing is posted.
    """
    if not entries:
        return
    transaction_id = uow.new_id()
    uow.execute(
        insert(ledger_transaction).values(
            transaction_id=transaction_id, kind=kind, source_id=source_id, posted_at=uow.clinic_time, **whose
        )
    )
    uow.execute(
        insert(ledger_entry),
        [
            {"transaction_id": transaction_id, "account_code": account, "amount_usd": amount, **whose}
            for account, amount in sorted(entries.items())
        ],
    )


def balances(uow: UnitOfWork, site_id: UUID) -> dict[str, Decimal]:
    """Dollars by account of a site, in the order of the accounts."""
    rows = uow.execute(
        select(ledger_entry.c.account_code, func.sum(ledger_entry.c.amount_usd).label("balance_usd"))
        .where(ledger_entry.c.site_id == site_id)
        .group_by(ledger_entry.c.account_code)
        .order_by(ledger_entry.c.account_code)
    )
    return {row.account_code: row.balance_usd for row in rows}
