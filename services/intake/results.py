"""Results of instruments as they are on record: read for a whole page at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, select

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake.outcomes import outcome_fields
from intake.series_tables import instrument_outcome, instrument_subscore
from intake.tables import instrument_answer, safety_flag
from saguaro.intake.v1 import types_pb2 as types


def result_messages(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> list[types.InstrumentResult]:
    """One for each row of instrument_result, in their order, with answers, parts, flags and outcomes."""
    ids = [row.result_id for row in rows]
    flags, parts, answers = flag_ids(uow, ids), subscore_messages(uow, ids), _answers(uow, ids)
    outcomes = {row.result_id: row for row in _of(uow, instrument_outcome, ids, "result_id")}
    return [
        types.InstrumentResult(
            result_id=str(row.result_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            instrument=row.instrument,
            instrument_version=row.version,
            total=row.total,
            score=score_text(row),
            band=row.band,
            prorated=row.prorated,
            finding_codes=row.finding_codes or [],
            subscores=parts.get(row.result_id, []),
            flag_ids=flags.get(row.result_id, []),
            completed_at=to_timestamp(row.completed_at),
            completed_by=str(row.completed_by),
            answers=answers.get(row.result_id, []),
            **outcome_fields(outcomes.get(row.result_id)),
        )
        for row in rows
    ]


def score_text(row: Row[Any]) -> str:
    """The score as it is shown. The first release wrote totals alone, of instruments that are shown by their total."""
    if row.score is not None:
        return str(row.score)
    return "" if row.total is None else str(row.total)


def flag_ids(uow: UnitOfWork, result_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Result -> the flags that it raised."""
    found: dict[UUID, list[str]] = {}
    for row in _of(uow, safety_flag, result_ids, "flag_id"):
        found.setdefault(row.result_id, []).append(str(row.flag_id))
    return found


def subscore_messages(uow: UnitOfWork, result_ids: Sequence[UUID]) -> dict[UUID, list[types.Subscore]]:
    """Result -> its parts that have a score of their own, in the form's order."""
    found: dict[UUID, list[types.Subscore]] = {}
    for row in _of(uow, instrument_subscore, result_ids, "position"):
        part = types.Subscore(code=row.code, total=row.total, symptoms=row.symptoms)
        found.setdefault(row.result_id, []).append(part)
    return found


def _answers(uow: UnitOfWork, result_ids: Sequence[UUID]) -> dict[UUID, list[types.Answer]]:
    found: dict[UUID, list[types.Answer]] = {}
    for row in _of(uow, instrument_answer, result_ids, "item"):
        found.setdefault(row.result_id, []).append(types.Answer(item=row.item, value=row.value))
    for answers in found.values():
        answers.sort(key=lambda answer: _in_order(answer.item))
    return found


def _in_order(item: str) -> tuple[int, str]:
    """By number, then by name: "2" before "10", "6.3months" before "6.lifetime", "difficulty" last."""
    number = item.split(".", maxsplit=1)[0]
    return (int(number) if number.isdigit() else len(item) + 1000, item)


def _of(uow: UnitOfWork, table: Table, result_ids: Sequence[UUID], order: str) -> list[Row[Any]]:
    query = select(table).where(table.c.result_id.in_(result_ids)).order_by(table.c.result_id, table.c[order])
    return list(uow.execute(query).all())
