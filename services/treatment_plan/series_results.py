"""The person's results, as intake tells them."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, from_timestamp
from saguaro.intake.v1 import events_pb2 as intake_events
from treatment_plan.series import review_series
from treatment_plan.series_tables import instrument_result

Judged = intake_events.InstrumentCompleted | intake_events.InstrumentOutcomeRevised


def keep_result(uow: UnitOfWork, event: intake_events.InstrumentCompleted) -> None:
    """Keeps a result once and looks at the series anew."""
    person_id = UUID(event.person_id)
    uow.execute(
        insert(instrument_result)
        .values(
            result_id=UUID(event.result_id),
            person_id=person_id,
            site_id=UUID(event.site_id),
            instrument=event.instrument,
            instrument_version=event.instrument_version,
            total=event.total if event.HasField("total") else None,
            score=decimal_of(event.score, "score") if event.score else None,
            completed_at=from_timestamp(event.completed_at),
            **against_baseline(event),
        )
        .on_conflict_do_nothing()
    )
    uow.arrived(f"result:{event.result_id}")
    review_series(uow, person_id)


def revise_outcome(uow: UnitOfWork, event: intake_events.InstrumentOutcomeRevised) -> None:
    """What a result shows against a baseline that became known later. Early until the result itself is here."""
    changed = uow.execute(
        update(instrument_result)
        .where(instrument_result.c.result_id == UUID(event.result_id))
        .values(**against_baseline(event))
        .returning(instrument_result.c.result_id)
    ).one_or_none()
    if changed is None:
        raise Early(f"result:{event.result_id}")
    review_series(uow, UUID(event.person_id))


def against_baseline(event: Judged) -> dict[str, int | Decimal | list[str] | None]:
    """What the event says of the baseline; nulls without one."""
    improvement = event.improvement_percent
    return {
        "baseline_total": event.baseline_total if event.HasField("baseline_total") else None,
        "improvement_percent": decimal_of(improvement, "improvement_percent") if improvement else None,
        "outcome_codes": sorted(set(event.outcome_codes)),
    }
