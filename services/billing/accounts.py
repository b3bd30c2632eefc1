"""A person's account: the lock under which their money moves, and their credit at a site."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from billing.domain import words
from billing.domain.money import to_cents
from billing.money_tables import ledger_entry
from billing.tables import account, site
from chassis.errors import Early, NotFound
from chassis.unit_of_work import UnitOfWork


def lock_account(uow: UnitOfWork, person_id: UUID) -> bool:
    """Holds the account until the transaction ends, so that nothing else moves the person's money; False when there is none."""
    query = select(account.c.person_id).where(account.c.person_id == person_id).with_for_update()
    return uow.execute(query).one_or_none() is not None


def require_account(uow: UnitOfWork, person_id: UUID) -> None:
    """For commands: NotFound when the person has no account."""
    if not lock_account(uow, person_id):
        raise NotFound("person_id", "must be a person on record", person_id=str(person_id))


def await_account(uow: UnitOfWork, person_id: UUID) -> None:
    """For reactions: Early while the person's account is not there.

    It is held against what moves the person's money, and not against other reactions: two batches that speak of the same people in
    another order would wait for each other.
    """
    query = select(account.c.person_id).where(account.c.person_id == person_id).with_for_update(read=True)
    if uow.execute(query).one_or_none() is None:
        raise Early(f"person:{person_id}")


def await_zone(uow: UnitOfWork, site_id: UUID) -> str:
    """For reactions: the site's zone, Early without it.

    Its row is locked against a new price list, so that none comes between price and charge.
    """
    zone = uow.execute(
        select(site.c.time_zone).where(site.c.site_id == site_id).with_for_update(read=True)
    ).scalar_one_or_none()
    if zone is None:
        raise Early(f"site:{site_id}")
    return str(zone)


def require_zone(uow: UnitOfWork, site_id: UUID) -> str:
    """For commands: the site's zone. NotFound for a site that is not known here."""
    zone = uow.execute(select(site.c.time_zone).where(site.c.site_id == site_id)).scalar_one_or_none()
    if zone is None:
        raise NotFound("site_id", "must be a site of the network", site_id=str(site_id))
    return str(zone)


def credit_usd(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> Decimal:
    """The person's credit at the site, from the ledger."""
    balance = uow.execute(
        select(func.coalesce(func.sum(ledger_entry.c.amount_usd), 0)).where(
            ledger_entry.c.person_id == person_id,
            ledger_entry.c.site_id == site_id,
            ledger_entry.c.account_code == words.CREDIT,
        )
    ).scalar_one()
    return to_cents(-balance)
