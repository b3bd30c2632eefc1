"""The state of one session's log: everything the rules remember between two frames, and its form as JSON.

It is kept in the transaction of the batch that changed it, so that a batch which is done again after a kill finds what the first try found.
"""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from device_telemetry.domain.breaches import Run
from device_telemetry.domain.delivery import Delivery
from device_telemetry.domain.flow import Flow
from device_telemetry.domain.pump_state import Meter, PumpState, Stillness
from device_telemetry.domain.sequences import Sequences


@dataclass
class MetricState:
    """The last fresh sample of a metric, and what its feed declares."""

    last_ms: int
    period_ms: int
    device_id: str
    # Value times a million; 0 where an earlier release kept none.
    value_e6: int = 0


@dataclass
class SessionState:
    """One session. `log_ms` is the session's clock: the latest measurement of any of its devices."""

    session_id: str
    log_ms: int = 0
    devices: dict[str, Sequences] = field(default_factory=dict)
    metrics: dict[str, MetricState] = field(default_factory=dict)
    # By kind of limit.
    runs: dict[str, Run] = field(default_factory=dict)
    # Key of an alarm board -> id of the alarm that is on.
    active: dict[str, str] = field(default_factory=dict)
    # The same keys -> when it was detected, its priority, how often it was told again.
    told: dict[str, list[int]] = field(default_factory=dict)
    alarms_raised: int = 0
    # When a pump last reported, whatever it said.
    pump_seen_ms: int = 0
    pump: PumpState = field(default_factory=PumpState)


def to_json(state: SessionState) -> str:
    """The state as JSON text; decimals as text."""
    return json.dumps(state, default=_plain, separators=(",", ":"))


def _plain(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else vars(value)


def from_json(kept: dict[str, Any]) -> SessionState:
    """The state that `to_json` wrote, read as JSON; also one that an earlier release wrote."""
    return SessionState(
        session_id=kept["session_id"],
        log_ms=kept["log_ms"],
        devices={name: Sequences(**value) for name, value in kept["devices"].items()},
        metrics={name: MetricState(**value) for name, value in kept["metrics"].items()},
        runs={name: Run(**value) for name, value in kept["runs"].items()},
        active=dict(kept["active"]),
        told=dict(kept.get("told", {})),
        alarms_raised=kept["alarms_raised"],
        pump_seen_ms=kept["pump_seen_ms"],
        pump=_pump(kept["pump"]),
    )


def _pump(kept: dict[str, Any]) -> PumpState:
    if "meters" in kept:
        meters = {name: _meter(value) for name, value in kept["meters"].items()}
        return PumpState(**_decimals(kept | {"meters": meters}))
    # One pump, whose id was not kept: the first that reports is it.
    of_meter = ("last_ms", "last_infusing", "last_total_ml", "account")
    only = {name: kept[name] for name in of_meter}
    if kept["phase"] == "waiting":
        only["account"] = None
    rest = {name: value for name, value in kept.items() if name not in of_meter}
    return PumpState(**_decimals(rest | {"meters": {"": _meter(only)}}))


def _meter(kept: dict[str, Any]) -> Meter:
    account, flow, still = kept["account"], kept.get("flow"), kept.get("still")
    return Meter(
        last_ms=kept["last_ms"],
        last_infusing=kept["last_infusing"],
        last_total_ml=_decimals(kept)["last_total_ml"],
        account=None if account is None else Delivery(**_decimals(account)),
        period_ms=kept.get("period_ms", 0),
        flow=Flow() if flow is None else Flow(**_decimals(flow)),
        still=Stillness() if still is None else Stillness(**_decimals(still)),
        free_ml=Decimal(kept.get("free_ml", 0)),
    )


def _decimals(kept: dict[str, Any]) -> dict[str, Any]:
    """The same with every volume as a decimal again."""
    return {
        name: Decimal(value) if name.endswith("_ml") and value is not None else value for name, value in kept.items()
    }
