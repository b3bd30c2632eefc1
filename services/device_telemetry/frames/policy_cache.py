"""The limits in force, remembered for a moment: they are policy, change by the day, and every batch needs them."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.policy import Policy
from device_telemetry.policies import policies_of

_REMEMBERED_S: Final = 10.0


# (metric, value in its unit), by metric.
Baseline = tuple[tuple[str, Decimal], ...]


@dataclass
class _Remembered:
    read_at: float
    policies: dict[tuple[UUID, datetime], Policy] = field(default_factory=dict)
    # With the relative limits of a person's baseline.
    personal: dict[tuple[UUID, datetime, Baseline], Policy] = field(default_factory=dict)


_of_engine: WeakKeyDictionary[Engine, _Remembered] = WeakKeyDictionary()


def policies_in_force(uow: UnitOfWork, wanted: Iterable[tuple[UUID, datetime]]) -> dict[tuple[UUID, datetime], Policy]:
    """For each site and day; at most some seconds old."""
    engine = uow.connection.engine
    remembered = _of_engine.get(engine)
    if remembered is None or time.monotonic() - remembered.read_at > _REMEMBERED_S:
        remembered = _of_engine[engine] = _Remembered(time.monotonic())
    missing: dict[datetime, set[UUID]] = {}
    for site_id, day in wanted:
        if (site_id, day) not in remembered.policies:
            missing.setdefault(day, set()).add(site_id)
    for day, sites in missing.items():
        for site_id, policy in policies_of(uow, sites, day).items():
            remembered.policies[site_id, day] = policy
    return remembered.policies


def policy_for(uow: UnitOfWork, site_id: UUID, day: datetime, baseline: Baseline) -> Policy:
    """What a person with this baseline is judged by; of those that `policies_in_force` has looked up."""
    remembered = _of_engine[uow.connection.engine]
    found = remembered.personal.get((site_id, day, baseline))
    if found is None:
        found = remembered.policies[site_id, day].for_person(dict(baseline))
        remembered.personal[site_id, day, baseline] = found
    return found
