"""The policy rows in force, as the rules take them: millionths, milliseconds, and steps in their order."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.policy import in_force
from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain.alarm_kinds import PUMP_SILENT
from device_telemetry.domain.policy import Limit, Policy, PumpPolicy, Side, SilenceLimit, Step
from device_telemetry.policy_tables import alarm_escalation, alarm_limit, policy_number, silence_limit, telemetry_policy

_MILLION = 1_000_000
_RELATIVE = "%{baseline}"


def policies_of(uow: UnitOfWork, sites: Iterable[UUID], at: datetime) -> dict[UUID, Policy]:
    """Limits, silences and other numbers in force at `at`, for each of the sites. KeyError names a number that is not in force."""
    return {site_id: _policy(uow, site_id, at) for site_id in set(sites)}


def _policy(uow: UnitOfWork, site_id: UUID, at: datetime) -> Policy:
    times = {row.name: row.seconds * 1000 for row in uow.execute(in_force(telemetry_policy, ("name",), site_id, at))}
    numbers = {
        row.policy_code: row.value for row in uow.execute(in_force(policy_number, ("policy_code",), site_id, at))
    }
    silences = [_silence(row) for row in uow.execute(in_force(silence_limit, ("kind_code",), site_id, at))]
    return Policy(
        limits=tuple(_limit(row) for row in uow.execute(in_force(alarm_limit, ("kind_code",), site_id, at))),
        silences=tuple(limit for limit in silences if limit.kind != PUMP_SILENT.code),
        pump_silence=next((limit for limit in silences if limit.kind == PUMP_SILENT.code), None),
        feed_slack_ms=times["feed_slack"],
        clock_tolerance_ms=times["clock_tolerance"],
        pump=PumpPolicy(
            discrepancy_percent=numbers["discrepancy_percent"],
            discrepancy_ml=numbers["discrepancy_volume"],
            flow_percent=numbers["flow_tolerance_percent"],
            flow_ml=numbers["flow_tolerance_volume"],
            flow_stretch_ms=int(numbers["flow_stretch"] * 1000),
            flow_window_ms=int(numbers["flow_window"] * 1000),
            reservoir_low_ml=numbers["reservoir_low"],
            reservoir_empty_ml=numbers["reservoir_empty"],
            battery_low_min=numbers["battery_low"],
            free_flow_ml=numbers["free_flow_volume"],
            no_flow_ml=numbers["no_flow_volume"],
        ),
        escalations=_escalations(uow, site_id, at),
        latching_priority=int(numbers["latching_priority"]),
    )


def _escalations(uow: UnitOfWork, site_id: UUID, at: datetime) -> tuple[tuple[int, tuple[Step, ...]], ...]:
    steps: dict[int, list[Step]] = {}
    for row in uow.execute(in_force(alarm_escalation, ("priority", "repetition"), site_id, at)):
        steps.setdefault(row.priority, []).append(Step(row.after_s * 1000, row.escalated_to))
    return tuple(
        (priority, tuple(sorted(found, key=lambda step: step.after_ms))) for priority, found in sorted(steps.items())
    )


def _limit(row: Any) -> Limit:
    bound_e6 = int(Decimal(row.bound) * _MILLION)
    return Limit(
        kind=row.kind_code,
        metric=row.metric,
        side=Side(row.side),
        bound_e6=bound_e6,
        inclusive=row.inclusive,
        priority=row.priority,
        duration_ms=row.duration_s * 1000,
        confirm_ms=row.confirm_s * 1000,
        percent_e6=bound_e6 if row.unit == _RELATIVE else 0,
    )


def _silence(row: Any) -> SilenceLimit:
    return SilenceLimit(row.kind_code, tuple(row.metrics.split(",")), row.after_s * 1000, row.priority, row.required)
