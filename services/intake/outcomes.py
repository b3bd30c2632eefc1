"""Judges results against the baseline of their series, and again when the word of a plan or of its first infusion comes later.

The caller holds the person's lock, so that no result is judged while an infusion becomes known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import instrument_policy
from intake.domain.outcome import judge
from intake.domain.series import Infusion, Plan, first_infusion
from intake.series_tables import begun_infusion, instrument_outcome, signed_plan
from intake.tables import instrument_result
from saguaro.intake.v1 import events_pb2 as events


@dataclass(frozen=True)
class Series:
    """Everything that says which series a result of a person belongs to. `results` are scorable, oldest first."""

    plans: Sequence[Plan]
    infusions: Sequence[Infusion]
    results: Sequence[Row[Any]]

    def baseline(self, instrument: str, version: str, at: datetime) -> Row[Any] | None:
        """The latest result of the same instrument and version from before the series that is under way at a moment."""
        begun = first_infusion(self.plans, self.infusions, at)
        if begun is None:
            return None
        before = [
            row
            for row in self.results
            if row.instrument == instrument and row.version == version and row.completed_at < begun
        ]
        return before[-1] if before else None


def series_of(uow: UnitOfWork, person_id: UUID) -> Series:
    """What is on record of a person's plans, infusions and scorable results."""
    plans = select(signed_plan.c.plan_id, signed_plan.c.signed_at).where(signed_plan.c.person_id == person_id)
    begun = select(begun_infusion.c.started_at, begun_infusion.c.plan_id).where(begun_infusion.c.person_id == person_id)
    scorable = (
        select(instrument_result)
        .where(instrument_result.c.person_id == person_id, instrument_result.c.total.is_not(None))
        .order_by(instrument_result.c.completed_at, instrument_result.c.result_id)
    )
    return Series(
        [Plan(row.plan_id, row.signed_at) for row in uow.execute(plans)],
        [Infusion(row.started_at, row.plan_id) for row in uow.execute(begun)],
        uow.execute(scorable).all(),
    )


def judge_results(uow: UnitOfWork, person_id: UUID, new_result: UUID | None = None) -> None:
    """Writes what every result of the person shows against its baseline, where that is not what is on record.

    InstrumentOutcomeRevised says so of each but `new_result`, whose own event carries it.
    """
    series = series_of(uow, person_id)
    judged = select(instrument_outcome.c.result_id, instrument_outcome.c.baseline_result_id)
    on_record = {
        row.result_id: row.baseline_result_id
        for row in uow.execute(judged.where(instrument_outcome.c.person_id == person_id))
    }
    for result in series.results:
        baseline = series.baseline(result.instrument, result.version, result.completed_at)
        if on_record.get(result.result_id) == (None if baseline is None else baseline.result_id):
            continue
        _write(uow, result, baseline)
        if result.result_id != new_result:
            _tell(uow, result)


def outcome_of(uow: UnitOfWork, result_id: UUID) -> Row[Any] | None:
    """What is on record of a result's outcome; None without a baseline."""
    return uow.execute(select(instrument_outcome).where(instrument_outcome.c.result_id == result_id)).one_or_none()


def _write(uow: UnitOfWork, result: Row[Any], baseline: Row[Any] | None) -> None:
    """By the rules that were in force when the result was completed."""
    if baseline is None:
        uow.execute(delete(instrument_outcome).where(instrument_outcome.c.result_id == result.result_id))
        return
    rules = instrument_policy.rules(uow, result.instrument, result.version, str(result.site_id), result.completed_at)
    found = judge(rules, baseline.total, result.total)
    values = {
        "baseline_result_id": baseline.result_id,
        "baseline_total": baseline.total,
        "improvement_percent": found.improvement_percent,
        "outcome_codes": list(found.codes),
        "judged_at": uow.clinic_time,
    }
    uow.execute(
        insert(instrument_outcome)
        .values(result_id=result.result_id, person_id=result.person_id, site_id=result.site_id, **values)
        .on_conflict_do_update(index_elements=["result_id"], set_=values)
    )


def _tell(uow: UnitOfWork, result: Row[Any]) -> None:
    found = outcome_of(uow, result.result_id)
    uow.emit(
        events.InstrumentOutcomeRevised(
            result_id=str(result.result_id),
            person_id=str(result.person_id),
            site_id=str(result.site_id),
            instrument=result.instrument,
            instrument_version=result.version,
            completed_at=to_timestamp(result.completed_at),
            **outcome_fields(found),
        )
    )


def outcome_fields(found: Row[Any] | None) -> dict[str, Any]:
    """The fields of an outcome as every message names them; nothing without a baseline."""
    if found is None:
        return {}
    percent = found.improvement_percent
    return {
        "baseline_result_id": str(found.baseline_result_id),
        "baseline_total": found.baseline_total,
        "improvement_percent": "" if percent is None else str(percent),
        "outcome_codes": found.outcome_codes,
    }
