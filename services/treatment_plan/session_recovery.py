"""A recovering person as the criteria of discharge look at them, put together from everything on record."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.discharge import Dissociation, Recovery, Vitals, unmet_criteria
from treatment_plan.domain.ready import Missing
from treatment_plan.records import flag_findings
from treatment_plan.session_facts import (
    latest,
    latest_aldrete,
    latest_cadss,
    observations_of,
    of_phase,
    one_row,
    readiness_of,
)
from treatment_plan.session_policy import discharge_policy, minutes
from treatment_plan.session_tables import abort_reason, aftercare, infusion_progress
from treatment_plan.tables import plan, pump_totals

PAIN = "pain"


@dataclass(frozen=True)
class Leaving:
    """What a call says of the moment of leaving."""

    clinician_named: bool = False
    driver_present: bool = False


def unmet(uow: UnitOfWork, session: Any, leaving: Leaving) -> list[Missing]:
    """Every criterion of discharge that is not met. None of them can be let pass."""
    return [Missing(code, rule, soft=False) for code, rule in unmet_criteria(recovery_of(uow, session, leaving))]


def recovery_of(uow: UnitOfWork, session: Any, leaving: Leaving) -> Recovery:
    """Of a session whose infusion has ended."""
    site_id = str(session.site_id)
    totals = one_row(uow, pump_totals, session.session_id)
    progress = one_row(uow, infusion_progress, session.session_id)
    ended_at = progress.ended_at if progress is not None and progress.ended_at is not None else session.starts_at
    rows = of_phase(observations_of(uow, session.session_id), "recovery", ended_at)
    fresh_since = uow.clinic_time - minutes(uow, "discharge_observation_max_age_min", site_id)
    fresh = [row for row in rows if row.taken_at >= fresh_since]
    ready = readiness_of(uow, totals.order_id)
    library = uow.execute(select(plan.c.library_code).where(plan.c.plan_id == session.plan_id)).scalar_one()
    return Recovery(
        now=uow.clinic_time,
        ended_at=ended_at,
        baseline=_baseline(ready),
        latest=Vitals(
            latest(fresh, "systolic_mmhg"), latest(fresh, "diastolic_mmhg"), latest(fresh, "heart_rate_per_min")
        ),
        aldrete=latest_aldrete(fresh),
        moaas=[(row.taken_at, row.moaas) for row in rows if row.moaas is not None],
        baseline_cadss=_baseline_cadss(ready),
        latest_cadss=latest_cadss(fresh),
        # These were looked at once; the latest answer holds.
        steady_gait=bool(latest(rows, "steady_gait")),
        nausea_controlled=bool(latest(rows, "nausea_controlled")),
        iv_out=bool(latest(rows, "iv_out")),
        driver_present=leaving.driver_present,
        instructions_given=_instructions_given(uow, session.session_id),
        flag_open=bool(flag_findings(uow, session.person_id)),
        clinician_named=leaving.clinician_named,
        abort_reason_known=_reason_known(uow, totals),
        policy=discharge_policy(uow, site_id, first_session=session.ordinal == 1, pain=library == PAIN),
    )


def _baseline(ready: Any) -> Vitals:
    if ready is None:
        return Vitals(None, None, None)
    return Vitals(ready.baseline_systolic_mmhg, ready.baseline_diastolic_mmhg, ready.baseline_heart_rate_per_min)


def _baseline_cadss(ready: Any) -> Dissociation | None:
    if ready is None or ready.baseline_cadss_form is None:
        return None
    return Dissociation(ready.baseline_cadss_form, ready.baseline_cadss_total)


def _instructions_given(uow: UnitOfWork, session_id: UUID) -> bool:
    chosen = select(aftercare.c.aftercare_id).where(
        aftercare.c.session_id == session_id, aftercare.c.status_code == "given"
    )
    return uow.execute(chosen.limit(1)).one_or_none() is not None


def _reason_known(uow: UnitOfWork, totals: Any) -> bool:
    if totals.outcome != "aborted" or totals.reason_code:
        return True
    return one_row(uow, abort_reason, totals.session_id) is not None
