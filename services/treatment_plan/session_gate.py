"""The gate before a start as it stands for a session, put together from everything on record."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.errors import PermissionDenied
from chassis.unit_of_work import UnitOfWork
from treatment_plan.domain.numbers import ZERO
from treatment_plan.domain.pre_infusion import LIMIT_RULES
from treatment_plan.domain.ready import Arrival, Gate, Missing, missing_items
from treatment_plan.practitioners import require_privilege, site_day
from treatment_plan.records import consent_findings, flag_findings
from treatment_plan.session_facts import (
    arrival_of,
    bag_of,
    bag_row,
    latest_cadss,
    latest_vitals,
    observations_of,
    of_phase,
    screened,
)
from treatment_plan.session_policy import gate_policy, hours, item_severities, minutes
from treatment_plan.session_tables import identity_check, ready_override


@dataclass(frozen=True)
class Given:
    """What a call says at once, beside what is on record."""

    arrival: Arrival = field(default_factory=Arrival)
    identity_checked: bool = False
    bag_agrees: bool = True
    prescriber_id: str = ""
    clinician_id: str = ""


@dataclass(frozen=True)
class Standing:
    """A session's gate: what is missing, and the rows that it rests on."""

    gate: Gate
    missing: Sequence[Missing]
    bag: Any
    baseline: Sequence[Any]


def standing(uow: UnitOfWork, session: Any, order: Any, given: Given) -> Standing:
    """The gate of a session with its order in force (None: there is none); what a prescriber let pass is not missing."""
    site_id = str(session.site_id)
    fresh_since = uow.clinic_time - minutes(uow, "baseline_max_age_min", site_id)
    observations = observations_of(uow, session.session_id)
    baseline = of_phase(observations, "baseline", fresh_since)
    prepared = bag_row(uow, session.session_id)
    in_force = order is not None and order.expires_at > uow.clinic_time
    gate = Gate(
        now=uow.clinic_time,
        day=site_day(uow, site_id),
        order_in_force=in_force,
        order_weight_kg=order.measured_weight_kg if in_force else ZERO,
        order_concentration_mg_per_ml=order.concentration_mg_per_ml if in_force else ZERO,
        identity_checked=given.identity_checked or _identity_checked(uow, session.session_id),
        arrival=_arrival(arrival_of(uow, session.session_id), given.arrival),
        suicide_risk_screened=screened(uow, session, hours(uow, "suicide_risk_screening_max_age_h", site_id)),
        flag_open=bool(flag_findings(uow, session.person_id)),
        consent_in_force=not consent_findings(uow, session.person_id, uow.clinic_time),
        baseline=latest_vitals(baseline),
        cadss_taken=latest_cadss(baseline) is not None,
        bag=None if prepared is None else bag_of(prepared),
        bag_checked=prepared is not None and prepared.checked_by is not None,
        bag_agrees=given.bag_agrees,
        prescriber_named=_may(uow, given.prescriber_id, site_id, "sign"),
        clinician_named=_may(uow, given.clinician_id, site_id, "administer"),
        policy=gate_policy(uow, site_id),
    )
    lacking = missing_items(gate, item_severities(uow, site_id))
    passed = _let_pass(uow, session.session_id, max((row.recorded_at for row in baseline), default=None))
    return Standing(
        gate, [item for item in lacking if not (item.soft and item.item_code in passed)], prepared, baseline
    )


def _arrival(on_record: Arrival, given: Arrival) -> Arrival:
    """What is given at once counts as the latest answer."""
    return replace(on_record, **{name: value for name, value in vars(given).items() if value is not None})


def _identity_checked(uow: UnitOfWork, session_id: UUID) -> bool:
    chosen = select(identity_check.c.check_id).where(identity_check.c.session_id == session_id)
    return uow.execute(chosen.limit(1)).one_or_none() is not None


def _may(uow: UnitOfWork, practitioner_id: str, site_id: str, privilege: str) -> bool:
    """Whether somebody is named who holds the privilege here today."""
    if not practitioner_id:
        return False
    try:
        require_privilege(uow, site_id, privilege, practitioner_id)
    except PermissionDenied:
        return False
    return True


def _let_pass(uow: UnitOfWork, session_id: UUID, measured_at: datetime | None) -> set[str]:
    """The items that a prescriber let pass. A limit was passed for the values that were on record then, not for later ones."""
    rows = uow.execute(select(ready_override).where(ready_override.c.session_id == session_id)).all()
    return {
        row.item_code
        for row in rows
        if row.item_code not in LIMIT_RULES or measured_at is None or row.overridden_at >= measured_at
    }
