"""Reads the forms, items, bands and rules of the instruments that are in force at a site at a moment of clinic time."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Table

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.policy import in_force
from chassis.unit_of_work import UnitOfWork
from intake.domain.scale import Band, Form, Item
from intake.instrument_tables import (
    instrument_band,
    instrument_code,
    instrument_form,
    instrument_item,
    instrument_question,
    instrument_rule,
)

VERSION = ("instrument", "version")
# What tells the rows of one version apart.
PART = {
    instrument_item: "item",
    instrument_question: "item",
    instrument_band: "code",
    instrument_rule: "rule_code",
    instrument_code: "part",
}


def versions(uow: UnitOfWork, site_id: str, at: datetime) -> list[Row[Any]]:
    """Every instrument and version in force, in their order."""
    return list(uow.execute(in_force(instrument_form, VERSION, site_id, at)).all())


def version_of(uow: UnitOfWork, instrument: str, version: str, site_id: str, at: datetime) -> Row[Any]:
    """The row of one version. InvalidArgument when there is no such instrument, or no such version of it."""
    found = versions(uow, site_id, at)
    if instrument not in {row.instrument for row in found}:
        raise InvalidArgument("instrument", f"must be one of: {', '.join(sorted({row.instrument for row in found}))}")
    of_instrument = {row.version: row for row in found if row.instrument == instrument}
    if version not in of_instrument:
        raise InvalidArgument("instrument_version", f"must be a version in use: {', '.join(sorted(of_instrument))}")
    return of_instrument[version]


def rows_of(uow: UnitOfWork, table: Table, instrument: str, version: str, site_id: str, at: datetime) -> list[Row[Any]]:
    """The rows of a table that are in force for one version."""
    query = in_force(table, (*VERSION, PART[table]), site_id, at)
    return list(uow.execute(query.where(table.c.instrument == instrument, table.c.version == version)).all())


def form(uow: UnitOfWork, instrument: str, version: str, site_id: str, at: datetime) -> Form:
    """The form in force. InvalidArgument as `version_of`; POLICY_INCOMPLETE for a form without items."""
    found = version_of(uow, instrument, version, site_id, at)
    items = _items(uow, instrument, version, site_id, at)
    bands = sorted(rows_of(uow, instrument_band, instrument, version, site_id, at), key=lambda row: row.lowest)
    return Form(
        instrument,
        version,
        items,
        tuple(Band(row.code, row.lowest, row.highest) for row in bands),
        found.max_missing,
        rules(uow, instrument, version, site_id, at),
        found.rated_by,
    )


def _items(uow: UnitOfWork, instrument: str, version: str, site_id: str, at: datetime) -> tuple[Item, ...]:
    """In their order: those that are scored, then the questions that are only kept."""

    def of(table: Table) -> list[Row[Any]]:
        found = rows_of(uow, table, instrument, version, site_id, at)
        return sorted(found, key=lambda row: (row.position, row.item))

    items = [Item(row.item, row.lowest, row.highest, row.level, subscale=row.subscale) for row in of(instrument_item)]
    if not items:
        raise FailedPrecondition("POLICY_INCOMPLETE", field="instrument", rule="the form must have items")
    names = {item.name for item in items}
    kept = [row for row in of(instrument_question) if row.item not in names]
    return (*items, *(Item(row.item, row.lowest, row.highest, scored=False) for row in kept))


def rules(uow: UnitOfWork, instrument: str, version: str, site_id: str, at: datetime) -> dict[str, Decimal]:
    """The numbers of its rules by code."""
    return {row.rule_code: row.value for row in rows_of(uow, instrument_rule, instrument, version, site_id, at)}
