"""Looks at a person's series again whenever a fact of it arrives, and keeps what it suggests.

The suggestions of a plan are made of its infusions and results alone, so that facts which come late, twice or in another order end in the
same ones. What was decided stays; what was suggested and lost its ground before anybody decided is withdrawn.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.policy import in_force
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from treatment_plan.domain.limits import largest_mg_per_kg
from treatment_plan.domain.numbers import plain
from treatment_plan.domain.series import Infusion, Result, Series, SeriesRule, Suggested, suggestions
from treatment_plan.policy import library_in_force
from treatment_plan.records import plans
from treatment_plan.series_tables import instrument_result, series_rule, suggestion
from treatment_plan.tables import plan, plan_version, pump_totals, session_record, treatment_order

RULE_PARTS = tuple(SeriesRule.__dataclass_fields__)


def review_series(uow: UnitOfWork, person_id: UUID) -> None:
    """Brings the suggestions of each plan of the person up to what is known. A plan that was never signed has none."""
    # The word of a result and that of an infusion come by different topics: neither may look while the other is being kept.
    uow.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"treatment_plan.series:{person_id}", 0))))
    signed = plans().where(plan.c.person_id == person_id, plan.c.state != "draft").order_by(plan.c.plan_id)
    fresh: list[tuple[Any, UUID, Suggested]] = []
    everything = ended_of(uow, person_id)
    for row in uow.execute(signed).all():
        series = series_of(uow, row, everything)
        found = suggestions(series) if series is not None else []
        withdraw_others(uow, row.plan_id, found)
        fresh.extend((row, kept, item) for item in found if (kept := keep(uow, row, item)) is not None)
    # After every row is locked: whoever decides locks the row before it raises an event of this person.
    for row, suggestion_id, item in fresh:
        uow.emit(suggested_event(row, suggestion_id, item))


def series_of(uow: UnitOfWork, row: Any, everything: Sequence[Any]) -> Series | None:
    """The facts of a plan's series; None where no infusion ended, or no rule is in force for its indication."""
    ended = [item for item in everything if item.plan_id == row.plan_id]
    if not ended:
        return None
    at = ended[0].started_at
    mine = series_rule.c.indication == row.indication
    rule = uow.execute(in_force(series_rule, ("indication",), row.site_id, at).where(mine)).one_or_none()
    if rule is None:
        return None
    return Series(
        rule=SeriesRule(**{name: getattr(rule, name) for name in RULE_PARTS}),
        maintenance=row.phase == "maintenance",
        sessions_planned=row.sessions_planned,
        infusions=[
            # Only the first review asks how much more there could be.
            infusion_of(item, largest(uow, row, item) if number == rule.first_review_after else None)
            for number, item in enumerate(ended, start=1)
        ],
        other_starts=[item.started_at for item in everything if item.plan_id != row.plan_id],
        results=results_of(uow, row.person_id, rule.leading_instrument),
    )


def ended_of(uow: UnitOfWork, person_id: UUID) -> Sequence[Any]:
    """The person's infusions whose totals the pump reported, in order, each with the numbers of the version that ordered it."""
    joined = (
        pump_totals.join(session_record, session_record.c.session_id == pump_totals.c.session_id)
        .join(treatment_order, treatment_order.c.order_id == pump_totals.c.order_id)
        .join(
            plan_version,
            (plan_version.c.plan_id == treatment_order.c.plan_id)
            & (plan_version.c.version == treatment_order.c.plan_version),
        )
    )
    numbers = [
        plan_version.c[name]
        for name in ("dose_mg_per_kg", "weight_kg", "ordered_mg", "programme_duration_min", "interval_days")
    ]
    started_at = func.coalesce(pump_totals.c.started_at, treatment_order.c.used_at).label("started_at")
    columns = (session_record.c.plan_id, started_at, pump_totals.c.stopped_at, plan_version.c.duration_min, *numbers)
    chosen = select(*columns).select_from(joined)
    return uow.execute(
        chosen.where(session_record.c.person_id == person_id).order_by(started_at, pump_totals.c.session_id)
    ).all()


def infusion_of(item: Any, largest_mg_per_kg: Decimal | None) -> Infusion:
    """An infusion as the rule takes it."""
    return Infusion(
        started_at=item.started_at,
        ended_at=item.stopped_at or item.started_at,
        dose_mg_per_kg=item.dose_mg_per_kg,
        largest_mg_per_kg=largest_mg_per_kg,
        ordered_mg=item.ordered_mg,
        duration_min=item.programme_duration_min,
        interval_days=item.interval_days,
    )


def largest(uow: UnitOfWork, row: Any, item: Any) -> Decimal | None:
    """The largest dose inside the limits that were in force when the infusion started."""
    library = library_in_force(uow, row.library_code, str(row.site_id), item.started_at)
    return largest_mg_per_kg(library, item.weight_kg, item.duration_min)


def results_of(uow: UnitOfWork, person_id: UUID, instrument: str) -> list[Result]:
    """The person's scored results of an instrument, by total, where there is one, else by score."""
    columns = instrument_result.c
    rows = uow.execute(
        select(instrument_result).where(
            columns.person_id == person_id,
            columns.instrument == instrument,
            func.coalesce(columns.total, columns.score).is_not(None),
        )
    ).all()
    return [
        Result(
            result_id=item.result_id,
            completed_at=item.completed_at,
            score=Decimal(item.total) if item.total is not None else item.score,
            improvement_percent=item.improvement_percent,
            outcomes=frozenset(item.outcome_codes),
            baseline=None if item.baseline_total is None else Decimal(item.baseline_total),
        )
        for item in rows
    ]


def withdraw_others(uow: UnitOfWork, plan_id: UUID, found: list[Suggested]) -> None:
    """What is open and no longer suggested is withdrawn."""
    standing = {(item.kind_code, item.after_sessions) for item in found}
    rows = uow.execute(
        select(suggestion.c.suggestion_id, suggestion.c.kind_code, suggestion.c.after_sessions)
        .where(suggestion.c.plan_id == plan_id, suggestion.c.state == "open")
        .order_by(suggestion.c.suggestion_id)
        .with_for_update()
    ).all()
    gone = [row.suggestion_id for row in rows if (row.kind_code, row.after_sessions) not in standing]
    if gone:
        uow.execute(update(suggestion).where(suggestion.c.suggestion_id.in_(gone)).values(state="withdrawn"))


def keep(uow: UnitOfWork, row: Any, item: Suggested) -> UUID | None:
    """Keeps a suggestion once for each plan, kind and number of infusions; its id when it is new.

    One that is open rests on the newest facts; one that was withdrawn opens again; one that was decided stays as it was decided.
    """
    values = {
        "result_id": item.result_id,
        "suggested_dose_mg_per_kg": item.dose_mg_per_kg,
        "suggested_interval_days": item.interval_days,
        "suggested_at": item.at,
    }
    once = (suggestion.c.plan_id, suggestion.c.kind_code, suggestion.c.after_sessions)
    added = uow.execute(
        insert(suggestion)
        .values(
            suggestion_id=uow.new_id(),
            plan_id=row.plan_id,
            person_id=row.person_id,
            site_id=row.site_id,
            kind_code=item.kind_code,
            after_sessions=item.after_sessions,
            state="open",
            **values,
        )
        .on_conflict_do_nothing(index_elements=once)
        .returning(suggestion.c.suggestion_id)
    ).scalar_one_or_none()
    if added is None:
        undecided = suggestion.c.state.in_(("open", "withdrawn"))
        mine = [
            column == value
            for column, value in zip(once, (row.plan_id, item.kind_code, item.after_sessions), strict=True)
        ]
        uow.execute(update(suggestion).where(*mine, undecided).values(state="open", **values))
    return added


def suggested_event(row: Any, suggestion_id: UUID, item: Suggested) -> events.DoseChangeSuggested:
    """What others learn of a suggestion."""
    return events.DoseChangeSuggested(
        suggestion_id=str(suggestion_id),
        plan_id=str(row.plan_id),
        person_id=str(row.person_id),
        site_id=str(row.site_id),
        kind_code=item.kind_code,
        suggested_dose_mg_per_kg="" if item.dose_mg_per_kg is None else plain(item.dose_mg_per_kg),
        suggested_interval_days=item.interval_days or 0,
        after_sessions=item.after_sessions,
        suggested_at=to_timestamp(item.at),
    )
